// One place on a thread of members: one member after the other joins, reads, commits and
// leaves, and writes down on the thread's tape what it is told and given. Runs on that thread.

import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../../src/errors.ts'
import type { ErrorName } from '../../../src/errors.ts'
import type { Consumer, Millrace } from '../../../src/index.ts'
import type { Random } from '../../../src/random.ts'
import { ARRIVED, ASSIGNED, COMMIT_ACKED, COMMIT_ASKED, HANDED_OUT, KEPT_FOR_IT, LEFT, LOST, REVOKED, SETTLED } from '../group-history.ts'
import type { GroupEvent, GroupTape } from '../group-history.ts'
import { MARK_START } from '../history.ts'
import type { ReadTape } from '../history.ts'
import type { BoundTopic } from '../producer-work.ts'
import { hashOf, wordAt } from '../record-value.ts'
import { sharedNowMs } from '../torture-words.ts'
import type { RoundWords } from '../torture-words.ts'
import { ENDINGS } from './group-tasks.ts'
import type { MemberEnding, SlotTask } from './group-tasks.ts'
import type { GroupThreadWords, GroupWords } from './group-words.ts'

/** What a commit may be answered with: it is another's, or this consumer is at its end. */
const NOT_COMMITTED: ReadonlySet<ErrorName> = new Set<ErrorName>(['STALE_MEMBER_EPOCH', 'CLOSED'])

export interface MemberContext {
  readonly millrace: Millrace
  readonly topics: readonly BoundTopic[]
  readonly round: RoundWords
  readonly groups: GroupWords
  readonly words: Pick<GroupThreadWords, 'add' | 'isToFinish' | 'toFinish'>
  readonly random: Random
  readonly tape: GroupTape
  readonly reads: ReadTape
  /** A tick before which it was not yet looked whether what was just handed out may be. */
  readonly lookedSince: () => number
}

/** A log as this member's, from one assignment to the next. */
interface Ownership {
  /** Below that it has settled all; -1: nothing yet. */
  settled: number
}

interface Piece {
  readonly log: number
  readonly end: number
  /** As the log was this member's when it was handed out. */
  readonly ownership: Ownership | undefined
}

/** Members of a slot until the thread is to finish, or its tape is full. */
export async function runSlot(context: MemberContext, task: SlotTask): Promise<void> {
  const { words, random, tape } = context
  while (!words.isToFinish && !tape.isFull) {
    try {
      await new MemberWork(context, task).run()
    } catch (error) {
      // The one before is dead or has gone, and the coordinator has yet to hear of it.
      if (!(error instanceof MillraceError) || error.code !== 'UNRELEASED_INSTANCE_ID') throw error
      words.add('unreleased')
    }
    if (!words.isToFinish) await sleep(random.below(task.pauseMsMax + 1))
  }
}

export class MemberWork {
  readonly #context: MemberContext
  readonly #task: SlotTask
  readonly #member: number
  readonly #consumer: Consumer
  readonly #abort = new AbortController()
  /** By log. */
  readonly #owned = new Map<number, Ownership>()
  #isOver = false

  constructor(context: MemberContext, task: SlotTask) {
    this.#context = context
    this.#task = task
    this.#member = context.groups.nextMember()
    const { groupId, instance, autoCommitIntervalMs, maxPollIntervalMs } = task
    this.#consumer = context.millrace.consumer({
      groupId,
      ...(instance === undefined ? {} : { groupInstanceId: `${groupId}-${instance}` }),
      ...(autoCommitIntervalMs === undefined ? { autoCommit: false } : { autoCommitIntervalMs }),
      maxPollIntervalMs,
      onAssigned: (partitions) => {
        for (const log of this.#logsOf(partitions)) {
          this.#owned.set(log, { settled: -1 })
          this.#write(ASSIGNED, log)
        }
      },
      onRevoked: (partitions) => this.#revoked(partitions),
      onLost: (partitions) => {
        context.words.add('lost')
        for (const log of this.#logsOf(partitions)) {
          this.#owned.delete(log)
          this.#write(LOST, log)
        }
      },
    })
  }

  get consumer(): Consumer {
    return this.#consumer
  }

  /** Rejects with what ends a loop that is none of the ways in which it ends by itself. */
  async run(): Promise<void> {
    const { words, random } = this.#context
    const { lifeMsMax, instance } = this.#task
    words.add('members')
    if (instance !== undefined) {
      words.add('statics')
      this.#write(ARRIVED, -1, { offset: instance })
    }
    const ending = ENDINGS[random.below(ENDINGS.length)]!
    const timer = lifeMsMax === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => this.#end(ending), 5 + random.below(lifeMsMax))
    void words.toFinish().then(() => this.#finish())
    try {
      await this.#read()
      if (ending === 'rejoin' && this.#isOver && !words.isToFinish) {
        this.#isOver = false
        const again = setTimeout(() => this.#end('break'), 5 + random.below(lifeMsMax))
        await this.#read()
        clearTimeout(again)
      }
      if (this.#isOver && !words.isToFinish) words.add(ending)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'ABORTED') throw error
      words.add('abort')
    } finally {
      clearTimeout(timer)
      await this.#consumer.close()
    }
    this.#write(LEFT, -1)
  }

  /** Reads to the ends of all logs, whoever has them, and leaves. */
  async runToEnd(): Promise<void> {
    await this.#read('end')
    await this.#consumer.close()
    this.#write(LEFT, -1)
  }

  #end(ending: MemberEnding): void {
    if (this.#isOver) return
    this.#isOver = true
    // It may wait for its next batch, and has none in hand then.
    if (ending === 'close') void this.#consumer.close()
    else if (ending === 'abort') this.#abort.abort()
  }

  /** Whatever it was to end by: one that would break waits for a batch, and there may never be another. */
  #finish(): void {
    this.#isOver = true
    void this.#consumer.close()
  }

  async #read(until?: 'end'): Promise<void> {
    const { topics, tape } = this.#context
    const bound = topics.map((topic) => topic.bound)
    const options = until === undefined ? { signal: this.#abort.signal } : { until }
    const isBatches = this.#task.mode === 'batches'
    const loop = isBatches ? this.#consumer.batches(bound, options) : this.#consumer.records(bound, options)
    let inHand: Piece | undefined
    for (;;) {
      if (inHand !== undefined) this.#settles(inHand)
      const { value, done } = await loop.next()
      if (done === true) return
      const given = value as Parameters<MemberWork['handedOut']>[0]
      inHand = this.handedOut(given)
      await this.#workOn(given, inHand)
      if (until !== undefined) continue
      if (!this.#isOver && !tape.isFull) continue
      // With what it has in hand, which is not settled.
      await loop.return!()
      return
    }
  }

  /** Writes down what it was given. */
  handedOut(given: {
    readonly topic: string
    readonly partition: number
    cursor?: () => TapedCursor
    offset?: number
    value?: Uint8Array
  }): Piece {
    const { topics, groups, reads, lookedSince } = this.#context
    // Of a batch whose records are handed out one by one, nobody says when it was looked for.
    const since = this.#task.mode === 'records' ? -1 : lookedSince()
    const log = topics.find(({ name }) => name === given.topic)!.firstLog + given.partition
    let first = -1
    let end = -1
    const take = (offset: number, bytes: Uint8Array, start: number, stop: number): void => {
      if (end >= 0 && offset !== end) this.#write(HANDED_OUT, log, { offset: first, end, since })
      if (offset !== end) {
        if (!reads.isFull) reads.mark(MARK_START, log, offset)
        first = offset
      }
      end = offset + 1
      if (!reads.isFull)
        reads.read(log, offset, wordAt(bytes, start, stop, 0), wordAt(bytes, start, stop, 4) | 0, hashOf(bytes, start, stop))
    }
    if (given.cursor !== undefined) {
      const cursor = given.cursor()
      while (cursor.next()) take(cursor.offset, cursor.bytes, cursor.valueStart, cursor.valueEnd)
    } else take(given.offset!, given.value!, 0, given.value!.length)
    this.#write(HANDED_OUT, log, { offset: first, end, since })
    groups.handedOut(this.#task.group, log)
    return { log, end, ownership: this.#owned.get(log) }
  }

  async #workOn(given: unknown, piece: Piece): Promise<void> {
    const { random, words } = this.#context
    const { commitsEvery, dawdlesEvery, maxPollIntervalMs } = this.#task
    if (dawdlesEvery > 0 && !words.isToFinish && random.below(dawdlesEvery) === 0) {
      words.add('dawdled')
      await sleep(maxPollIntervalMs * 2)
    }
    if (random.below(commitsEvery) > 0) return
    const { log, end } = piece
    this.#settles(piece)
    this.#write(COMMIT_ASKED, log, { offset: end })
    const isCommitted = await this.#committed((given as { commit(): Promise<void> }).commit())
    if (isCommitted) this.#write(COMMIT_ACKED, log, { offset: end })
  }

  #settles({ log, end, ownership }: Piece): void {
    // What was handed out before the log was lost settles nothing of it once it has come back.
    if (ownership === undefined || this.#owned.get(log) !== ownership) return
    this.#write(SETTLED, log, { end })
    ownership.settled = end
  }

  async #revoked(partitions: readonly { readonly topic: string; readonly partition: number }[]): Promise<void> {
    const logs = this.#logsOf(partitions)
    let settled = logs.map((log) => this.#owned.get(log)?.settled ?? -1)
    // One that commits by hand does so here, or loses what it has settled. What it settles meanwhile is not of that commit.
    if (this.#task.autoCommitIntervalMs === undefined && !(await this.#committed(this.#consumer.commit()))) settled = logs.map(() => -1)
    for (const [i, log] of logs.entries()) {
      this.#owned.delete(log)
      const isKept = this.#isOver && this.#task.instance !== undefined
      this.#write(REVOKED, log, { offset: settled[i]!, ...(isKept ? { end: KEPT_FOR_IT } : {}) })
    }
  }

  async #committed(commit: Promise<void>): Promise<boolean> {
    const { words } = this.#context
    try {
      await commit
      words.add('commits')
      return true
    } catch (error) {
      if (!(error instanceof MillraceError) || !NOT_COMMITTED.has(error.code)) throw error
      words.add('refused')
      return false
    }
  }

  #logsOf(partitions: readonly { readonly topic: string; readonly partition: number }[]): number[] {
    const { topics } = this.#context
    return partitions.map(({ topic, partition }) => topics.find(({ name }) => name === topic)!.firstLog + partition)
  }

  #write(what: GroupEvent, log: number, row: { offset?: number; end?: number; since?: number } = {}): void {
    const { tape, round } = this.#context
    const { group } = this.#task
    tape.write(what, { group, member: this.#member, log, epoch: this.#epoch, tick: round.tick(), ms: sharedNowMs(), ...row })
  }

  get #epoch(): number {
    try {
      return this.#consumer.groupMetadata().memberEpoch
    } catch {
      return -1
    }
  }
}

interface TapedCursor {
  next(): boolean
  readonly offset: number
  readonly bytes: Uint8Array
  readonly valueStart: number
  readonly valueEnd: number
}
