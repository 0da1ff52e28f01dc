// Commits offsets for the consumer of a group, and fetches what was committed (Kafka:
// CommitRequestManager). Runs on the consumer's thread.
// Holds: one commit is under way at a time, so no older one overtakes a newer one, and those
// who want what is settled committed share the next; what was to be committed of a partition that
// went to another meanwhile is not, though it may be this consumer's again; the timer of auto-commit runs only while
// something is settled and not committed.

import type { Clock, Timer } from '../../clock.ts'
import { KAFKA_ERRORS, MillraceError, kafkaErrorName } from '../../errors.ts'
import type { ErrorName } from '../../errors.ts'
import { equalTopicIds } from '../../ids.ts'
import type { GroupCalls } from '../../engine/group-calls.ts'
import type { OffsetCommitRequest, OffsetCommitRequestTopic } from '../../protocol/messages/08-offset-commit.ts'
import type { BoundTopic } from '../topic.ts'
import { commitError, lateCommitError } from './group-errors.ts'
import type { OwnedPartition } from './owned-partition.ts'
import { SharedCommit } from './shared-commit.ts'
import type { HeldOffset, OffsetToCommit } from './shared-commit.ts'

/** An offset as it was committed (Kafka: OffsetAndMetadata). */
export interface CommittedOffset {
  /** Of the first record that was not settled. */
  readonly offset: number
  /** What the commit said beside it; '' for nothing. */
  readonly metadata: string
  /** The leader's epoch that the commit named; -1: it named none. */
  readonly leaderEpoch: number
}

/** Who commits, as of now. */
export interface Committer {
  readonly memberId: string
  readonly memberEpoch: number
}

/** A group without members of this kind: Kafka's consumer with assigned partitions. */
export const STANDALONE: Committer = { memberId: '', memberEpoch: -1 }

export interface OffsetCommitsOptions {
  readonly calls: Pick<GroupCalls, 'ask'>
  readonly clock: Clock
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  /** undefined: offsets are committed when the user says so. */
  readonly autoCommitIntervalMs: number | undefined
  /** Under 'read_committed': offsets of transactions that have not ended are waited for. */
  readonly requireStable: boolean
  /** undefined: it was a member, and is none now. */
  readonly committer: () => Committer | undefined
  /** Resolves when this member's epoch may have changed: a heartbeat was answered. */
  readonly epochChanged: () => Promise<void>
  /** By what this consumer may commit the partition now: the same as long as it was never another's in between; undefined: by nothing. */
  readonly holdOf: (topic: BoundTopic, partition: number) => object | undefined
  readonly owned: () => Iterable<OwnedPartition>
}

/** The epoch under which it was asked is not the member's any more; where the partition is still its own, it asks again. */
const STALE: ReadonlySet<ErrorName> = new Set<ErrorName>(['STALE_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'])
const RETRY_MS = 100

export class OffsetCommits {
  readonly #options: OffsetCommitsOptions
  /** Whether anything was ever asked to be committed. */
  hasCommitted = false
  readonly #closing = new AbortController()
  #timer: Timer | undefined
  #last: Promise<void> = Promise.resolve()
  /** Those whose settled offsets go with the commit that comes next. */
  #next: { readonly partitions: Set<OwnedPartition>; readonly done: Promise<void> } | undefined

  /** Offsets that were named, and go with the commit that comes next, or behind that of what is settled. */
  #shared: SharedCommit | undefined

  constructor(options: OffsetCommitsOptions) {
    this.#options = options
  }

  get isAutomatic(): boolean {
    return this.#options.autoCommitIntervalMs !== undefined
  }

  /** Something was settled. Once a batch. */
  noteSettled(): void {
    const { autoCommitIntervalMs, clock } = this.#options
    if (autoCommitIntervalMs === undefined || this.#timer !== undefined) return
    this.#timer = clock.setTimer(autoCommitIntervalMs, () => {
      this.#timer = undefined
      // One that comes too late is superseded; one that found nobody is made good by the next.
      void this.commitSettled(this.#options.owned()).catch((error: unknown) => {
        if (!(error instanceof MillraceError) || error.retriable) this.noteSettled()
      })
    })
  }

  /** What is settled of these partitions, as it is when the commit leaves. Rejects with STALE_MEMBER_EPOCH, and what else `commit` does. */
  commitSettled(partitions: Iterable<OwnedPartition>): Promise<void> {
    const next = this.#next
    if (next !== undefined) {
      for (const partition of partitions) next.partitions.add(partition)
      return next.done
    }
    // What is named from now on comes behind what is settled.
    this.#shared = undefined
    const wanted = new Set(partitions)
    const done = this.#inTurn(async () => {
      this.#next = undefined
      await this.#commitNews([...wanted].filter((partition) => partition.state !== 'gone' && partition.hasNews))
    })
    this.#next = { partitions: wanted, done }
    return done
  }

  /** These offsets, whatever is settled. Those that wait for their turn share requests; of a partition, the last one is committed. */
  commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    if (offsets.length === 0) return this.#inTurn(() => Promise.resolve())
    const { holdOf } = this.#options
    const held = offsets.map((offset): HeldOffset => {
      const { topic, partition } = offset
      const hold = holdOf(topic, partition)
      return { ...offset, isStillHeld: () => hold !== undefined && holdOf(topic, partition) === hold }
    })
    this.#shared ??= this.#share()
    return this.#shared.add(held)
  }

  /** What was committed of each partition, in their order; null: nothing. As a member, or as nobody in particular. */
  async fetch(
    partitions: readonly { readonly topic: BoundTopic; readonly partition: number }[],
    by: 'member' | 'anybody',
    signal?: AbortSignal,
  ): Promise<(CommittedOffset | null)[]> {
    if (partitions.length === 0) return []
    for (;;) {
      const member = by === 'member' ? this.#options.committer() : STANDALONE
      if (member === undefined) throw lateCommitError(this.#options.groupId, listed(partitions))
      const found = await this.#fetch(partitions, member, signal)
      if (found === 'stale') await this.#newEpoch(member)
      else if (found === 'unstable') await this.#pause()
      else return found
    }
  }

  /** Ends all that is under way with CLOSED. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#closing.abort()
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  #share(): SharedCommit {
    const shared = new SharedCommit(this.#options.groupId)
    void this.#inTurn(async () => {
      if (this.#shared === shared) this.#shared = undefined
      await this.#commitShared(shared).catch((error: unknown) => shared.fail(error as Error))
    })
    return shared
  }

  async #commitShared(shared: SharedCommit): Promise<void> {
    const { groupId } = this.#options
    this.hasCommitted = true
    for (let before: Committer | undefined; ; ) {
      const by = this.#committerAfter(before)
      shared.refuse(
        ({ isStillHeld }) => by === undefined || !isStillHeld(),
        (offsets) => lateCommitError(groupId, listed(offsets)),
      )
      const asked = shared.next()
      if (by === undefined || asked.length === 0) return
      const refused = new Map((await this.#ask(asked, by)).map(({ offset, code }) => [offset, code]))
      for (const offset of asked) {
        const code = refused.get(offset)
        if (code === undefined) shared.committed(offset)
        else if (by.memberEpoch < 0 || !STALE.has(code)) shared.refused(offset, commitError(code, groupId, listed([offset])))
      }
      if (by.memberEpoch >= 0 && [...refused.values()].some((code) => STALE.has(code))) await this.#newEpoch(by)
      before = by
    }
  }

  /** Who has left meanwhile commits nothing as somebody else. */
  #committerAfter(before: Committer | undefined): Committer | undefined {
    const now = this.#options.committer()
    return now === STANDALONE && before !== undefined && before !== STANDALONE ? undefined : now
  }

  /** Those that are another's by now are passed over: who asked for them finds them gone, also where they have come back since. */
  async #commitNews(partitions: readonly OwnedPartition[]): Promise<void> {
    const offsets = partitions.map((owned) => {
      const { topic, partition } = owned
      const isStillHeld = (): boolean => owned.state !== 'gone'
      const offset = owned.position!
      return { owned, isStillHeld, topic, partition, offset, metadata: owned.metadataOf?.(offset) ?? '', leaderEpoch: -1 }
    })
    for (const { owned, offset, metadata } of await this.#commit(offsets)) {
      owned.committedOffset = offset
      owned.committedMetadata = metadata
    }
  }

  /** Gives those that the coordinator has acknowledged. */
  async #commit<Offset extends HeldOffset>(offsets: readonly Offset[]): Promise<Offset[]> {
    const { groupId } = this.#options
    if (offsets.length > 0) this.hasCommitted = true
    const committed: Offset[] = []
    let rest = offsets
    let by: Committer | undefined
    while (rest.length > 0) {
      by = this.#committerAfter(by)
      const own = by === undefined ? [] : rest.filter(({ isStillHeld }) => isStillHeld())
      if (by === undefined || own.length === 0) break
      const refused = await this.#ask(own, by)
      committed.push(...own.filter((offset) => !refused.some((each) => each.offset === offset)))
      const fatal = refused.find(({ code }) => !STALE.has(code))
      if (fatal !== undefined) throw commitError(fatal.code, groupId, listed([fatal.offset]))
      rest = refused.map(({ offset }) => offset)
      if (rest.length === 0) break
      if (by.memberEpoch < 0) throw commitError(refused[0]!.code, groupId, listed(rest))
      await this.#newEpoch(by)
    }
    return committed
  }

  /** Those that were refused, and why. */
  async #ask<Offset extends OffsetToCommit>(offsets: readonly Offset[], by: Committer): Promise<{ offset: Offset; code: ErrorName }[]> {
    const { calls, groupId, groupInstanceId, clientId } = this.#options
    const request: OffsetCommitRequest = {
      groupId,
      generationIdOrMemberEpoch: by.memberEpoch,
      memberId: by.memberId,
      groupInstanceId: by.memberEpoch < 0 ? null : groupInstanceId,
      retentionTimeMs: -1,
      topics: topicsOf(offsets),
    }
    const { topics } = await this.#closable(() => calls.ask('offsetCommit', groupId, request, { signal: this.#closing.signal, clientId }))
    const refused: { offset: Offset; code: ErrorName }[] = []
    for (const offset of offsets) {
      const topic = topics.find((each) => each.name === offset.topic.name || equalTopicIds(each.topicId, offset.topic.topicIdWords))
      const answered = topic?.partitions.find(({ partitionIndex }) => partitionIndex === offset.partition)
      const errorCode = answered?.errorCode ?? KAFKA_ERRORS.UNKNOWN_SERVER_ERROR
      if (errorCode !== KAFKA_ERRORS.NONE) refused.push({ offset, code: kafkaErrorName(errorCode) })
    }
    return refused
  }

  async #fetch(
    partitions: readonly { readonly topic: BoundTopic; readonly partition: number }[],
    member: Committer,
    signal: AbortSignal | undefined,
  ): Promise<(CommittedOffset | null)[] | 'stale' | 'unstable'> {
    const { calls, groupId, clientId, requireStable } = this.#options
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
    const topics = [...byTopic].map(([{ name, topicIdWords }, some]) => ({
      name,
      topicId: topicIdWords,
      partitionIndexes: some.map(({ partition }) => partition),
    }))
    const memberId = member.memberEpoch < 0 ? null : member.memberId
    const groups = [{ groupId, memberId, memberEpoch: member.memberEpoch, topics }]
    const closing = this.#closing.signal
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing])
    const response = await this.#closable(() =>
      calls.ask('offsetFetch', groupId, { groupId, topics: null, groups, requireStable }, { signal: either, clientId }),
    )
    const group = response.groups[0]
    const code = kafkaErrorName(group?.errorCode ?? KAFKA_ERRORS.UNKNOWN_SERVER_ERROR)
    if (STALE.has(code) && member.memberEpoch >= 0) return 'stale'
    // A group that nobody knows has committed nothing.
    if (code !== 'NONE' && code !== 'GROUP_ID_NOT_FOUND')
      throw new MillraceError(code, `what group "${groupId}" has committed was not told: ${code}`)
    const found: (CommittedOffset | null)[] = []
    for (const { topic, partition } of partitions) {
      const answered = group?.topics.find((each) => each.name === topic.name || equalTopicIds(each.topicId, topic.topicIdWords))
      const at = answered?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
      if (at?.errorCode === KAFKA_ERRORS.UNSTABLE_OFFSET_COMMIT) return 'unstable'
      const isThere = at !== undefined && at.errorCode === KAFKA_ERRORS.NONE && at.committedOffset >= 0
      found.push(isThere ? { offset: at.committedOffset, metadata: at.metadata ?? '', leaderEpoch: at.committedLeaderEpoch } : null)
    }
    return found
  }

  /** Until this member asks under another epoch, or is none. */
  async #newEpoch(asked: Committer): Promise<void> {
    if (this.#options.committer()?.memberEpoch === asked.memberEpoch) await this.#closable(() => this.#options.epochChanged())
    // It is the coordinator that is behind: it has yet to hear of what this member knows.
    if (this.#options.committer()?.memberEpoch === asked.memberEpoch) await this.#pause()
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#options.clock.setTimer(RETRY_MS, resolve)
    try {
      await this.#closable(() => promise)
    } finally {
      timer.cancel()
    }
  }

  /** What does not end by itself ends when the consumer is closed. */
  async #closable<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#closing
    const { promise: closed, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(new MillraceError('CLOSED', 'this consumer was closed before its offsets were answered'))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([closed, signal.aborted ? closed : work()])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

function topicsOf(offsets: readonly OffsetToCommit[]): OffsetCommitRequestTopic[] {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([{ name, topicIdWords }, some]) => ({
    name,
    topicId: topicIdWords,
    partitions: some.map(({ partition, offset, metadata, leaderEpoch }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })),
  }))
}

/** In errors: `clicks-0, clicks-3 and 4 more`. */
function listed(partitions: readonly { readonly topic: BoundTopic; readonly partition: number }[]): string {
  const shown = partitions.slice(0, 3).map(({ topic, partition }) => `${topic.name}-${partition}`)
  return partitions.length > 3 ? `${shown.join(', ')} and ${partitions.length - 3} more` : shown.join(', ')
}
