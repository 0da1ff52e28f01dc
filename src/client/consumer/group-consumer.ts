// The consumer of a group: runs its membership, gives loops the partitions that are assigned
// to it and takes them back, and tells its user (Kafka: AsyncKafkaConsumer, KIP-848). Runs on
// its user's thread.
// Holds: before each batch it has compared, in shared memory, whether a member of this thread
// was put out of its group, and hands out nothing more until it knows that it is not that one;
// user's callbacks run one after the other; closing it always ends.

import type { Timer } from '../../clock.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import type { GroupCalls } from '../../engine/group-calls.ts'
import { KAFKA_ERRORS } from '../../errors.ts'
import type { BoundTopic } from '../topic.ts'
import type { FilledConsumerOptions } from './consumer-config.ts'
import { asMillraceError, lateCommitError } from './group-errors.ts'
import { GroupMembership } from './group-membership.ts'
import type { MembershipEffect } from './group-membership.ts'
import type { GroupReading, ReadingGroup } from './group-reading.ts'
import { warnOnce } from './group-warnings.ts'
import type { TopicsByName } from './known-topics.ts'
import { MemberFence } from './member-fence.ts'
import { OffsetCommits, STANDALONE } from './offset-commits.ts'
import type { Committer } from './offset-commits.ts'
import { MembershipTurns } from './membership-turns.ts'
import { groupPartitionKey, leaveEpochOf, plainRequest } from './membership-requests.ts'
import type { GroupPartition, MemberIdentity } from './membership-requests.ts'
import type { OwnedPartition } from './owned-partition.ts'
import { OwnedPartitions } from './owned-partitions.ts'
import type { PartitionFetchers } from './partition-fetchers.ts'
import type { Subscription } from './subscription.ts'

/** What `groupMetadata` gives (Kafka: ConsumerGroupMetadata). */
export interface GroupMetadata {
  readonly groupId: string
  /** '' outside the group. */
  readonly memberId: string
  /** Kafka: generationId; -1 outside the group. */
  readonly memberEpoch: number
  readonly groupInstanceId: string | undefined
}

export interface GroupConsumerOptions {
  readonly engine: EmbeddedEngine
  readonly calls: Pick<GroupCalls, 'ask' | 'fenceCount' | 'fenceWord'>
  readonly groupId: string
  readonly memberId: string
  readonly consumer: FilledConsumerOptions
  readonly fetchers: PartitionFetchers
}

export class GroupConsumer implements ReadingGroup, TopicsByName {
  readonly commits: OffsetCommits
  readonly partitions: OwnedPartitions
  readonly fence: MemberFence
  readonly #options: GroupConsumerOptions
  readonly #identity: MemberIdentity
  readonly #membership: GroupMembership
  readonly #turns = new MembershipTurns((effect) => this.#do(effect))
  /** Loops that were asked for nothing yet. */
  readonly #waiting = new Map<GroupReading, Subscription>()
  readonly #subscriptions = new Map<GroupReading, Subscription>()
  /** A loop was subscribed: offsets are committed as a member, or not at all. */
  #isSubscribed = false
  #isClosed = false
  #request: AbortController | undefined
  #fencesAsked = -1
  #retryTimer: Timer | undefined
  #pollTimer: Timer | undefined
  #stopHearing: (() => void) | undefined
  #whenAnswered = Promise.withResolvers<void>()
  #whenLeft: PromiseWithResolvers<void> | undefined

  constructor(options: GroupConsumerOptions) {
    this.#options = options
    const { calls, groupId, memberId, consumer, engine } = options
    const groupInstanceId = consumer.groupInstanceId ?? null
    this.fence = new MemberFence(calls)
    const groupRemoteAssignor = consumer.groupRemoteAssignor ?? null
    this.#identity = { groupId, memberId, groupInstanceId, rebalanceTimeoutMs: consumer.maxPollIntervalMs, groupRemoteAssignor }
    this.#membership = new GroupMembership({
      ...this.#identity,
      isReadable: (partition) => this.#readerOf(partition) !== undefined,
    })
    this.partitions = new OwnedPartitions({
      groupId,
      consumer,
      fetchers: options.fetchers,
      commits: () => this.commits,
      commit: (partition, offset) => this.commitPartition(partition, offset),
      readerOf: (partition) => this.#readerOf(partition),
      fail: (error) => this.#failAll(error),
    })
    this.commits = new OffsetCommits({
      calls,
      clock: engine.clock,
      groupId,
      groupInstanceId,
      clientId: consumer.clientId,
      autoCommitIntervalMs: consumer.autoCommit ? consumer.autoCommitIntervalMs : undefined,
      requireStable: consumer.isolationLevel === 'read_committed',
      committer: () => this.#committer(),
      epochChanged: () => this.#epochChanged(),
      holdOf: (topic, partition) => (this.#isSubscribed ? this.owned(topic, partition) : STANDALONE),
      owned: () => this.partitions.all(),
    })
  }

  get groupMetadata(): GroupMetadata {
    const { groupId, memberId, consumer } = this.#options
    const { isMember, epoch } = this.#membership
    const groupInstanceId = consumer.groupInstanceId
    return isMember
      ? { groupId, memberId, memberEpoch: epoch, groupInstanceId }
      : { groupId, memberId: '', memberEpoch: -1, groupInstanceId }
  }

  /** Whether loops of this consumer share the group's topics, or did a moment ago. */
  get isSubscribed(): boolean {
    return this.#isSubscribed
  }

  /** Those that it reads now. */
  get assigned(): OwnedPartition[] {
    return this.partitions.all()
  }

  owned(topic: BoundTopic, partition: number): OwnedPartition | undefined {
    return this.partitions.get(groupPartitionKey({ topicId: topic.topicIdWords, partition }))
  }

  /** A loop that will join when it is asked for the first time. */
  subscribe(reading: GroupReading, subscription: Subscription): void {
    this.#waiting.set(reading, subscription)
  }

  /** Whether a loop of it reads that topic. */
  isReading(topicId: string): boolean {
    return this.#topics().some((topic) => topic.topicId === topicId)
  }

  /** As a loop of it reads it. */
  topicNamed(name: string): BoundTopic | undefined {
    return this.#topics().find((topic) => topic.name === name)
  }

  // Of its loops

  async begin(reading: GroupReading): Promise<void> {
    const subscription = this.#waiting.get(reading)!
    await subscription.prepare()
    if (reading.isOver) return
    this.#waiting.delete(reading)
    this.#subscriptions.set(reading, subscription)
    this.#isSubscribed = true
    this.#stopHearing ??= this.#options.engine.onMetadata(() => this.#metadataChanged())
    subscription.follow()
    this.#subscribe()
  }

  asked(): void {
    if (this.#membership.state === 'stalled') this.#turns.tell(() => this.#membership.resume())
  }

  mayHandOut(): boolean {
    if (!this.fence.isRaised() || !this.#isSubscribed) return true
    this.#verify(this.fence.count)
    return false
  }

  handedOut(): number {
    const { engine, consumer } = this.#options
    this.#pollTimer ??= engine.clock.setTimer(consumer.maxPollIntervalMs, () => this.#checkPolls())
    return engine.clock.monotonicMs()
  }

  noteSettled(): void {
    this.commits.noteSettled()
  }

  async ended(reading: GroupReading): Promise<void> {
    this.#waiting.delete(reading)
    const subscription = this.#subscriptions.get(reading)
    if (subscription === undefined) return
    this.#subscriptions.delete(reading)
    const own = this.partitions.all().filter(({ reader }) => reader === reading)
    const isKept = this.commits.isAutomatic || this.commits.hasCommitted || own.some(({ isMoved }) => isMoved)
    if (reading.handedOutAtMs > 0 && !isKept) warnOnce('never commits', this.#options.groupId)
    const left = own.map(({ whenGone }) => whenGone)
    if (this.#subscriptions.size === 0) {
      this.#stopHearing?.()
      this.#stopHearing = undefined
      this.#pollTimer?.cancel()
      this.#pollTimer = undefined
      this.#whenLeft ??= Promise.withResolvers()
      left.push(this.#whenLeft.promise)
    }
    // What another loop reads too goes to that one, by way of the group.
    const topics = this.#topicsRead()
    for (const topicId of subscription.topics.keys()) topics.delete(topicId)
    this.#turns.tell(() => this.#membership.subscribe(topics))
    this.#subscribe()
    await Promise.all(left)
  }

  /** Commits what is settled of all, now. */
  async commitAll(): Promise<void> {
    if (this.#isSubscribed && !this.#membership.isMember) throw lateCommitError(this.#options.groupId, 'the partitions of this consumer')
    const wanted = this.assigned.map((partition) => ({ partition, position: partition.position ?? -1 }))
    await this.commits.commitSettled(this.assigned)
    // One that was put out meanwhile has committed nothing, and says so.
    const lost = wanted.filter(({ partition, position }) => partition.state === 'gone' && (partition.committedOffset ?? -1) < position)
    if (lost.length > 0) throw lateCommitError(this.#options.groupId, lost.map(({ partition }) => String(partition)).join(', '))
  }

  /** Commits what is settled of one partition, now; refused where it is another's, unless all below `offset` was committed before. */
  async commitPartition(partition: OwnedPartition, offset: number): Promise<void> {
    if (partition.state !== 'gone') await this.commits.commitSettled([partition])
    if (partition.state !== 'gone' || (partition.committedOffset ?? -1) >= offset) return
    throw lateCommitError(this.#options.groupId, String(partition))
  }

  /** Ends all that is under way; who has not left yet says so, and waits for nothing. */
  close(): void {
    if (this.#isClosed) return
    const isMember = this.#membership.state !== 'unsubscribed'
    this.#isClosed = true
    for (const reading of this.#readings()) reading.close()
    this.partitions.forget(this.partitions.all())
    this.#stopHearing?.()
    this.#retryTimer?.cancel()
    this.#pollTimer?.cancel()
    this.#request?.abort()
    this.commits.close()
    this.#whenLeft?.resolve()
    this.#whenAnswered.resolve()
    if (!isMember) return
    const { calls, groupId } = this.#options
    const request = plainRequest(this.#identity, leaveEpochOf(this.#identity))
    calls.ask('consumerGroupHeartbeat', groupId, request, { hold: false }).catch(() => undefined)
  }

  // Of its membership

  #subscribe(): void {
    this.#turns.tell(() => this.#membership.subscribe(this.#topicsRead()))
  }

  /** Names by id. */
  #topicsRead(): Map<string, string> {
    const topics = new Map<string, string>()
    for (const { topics: some } of this.#subscriptions.values()) for (const [id, { name }] of some) topics.set(id, name)
    return topics
  }

  #do(effect: MembershipEffect): void {
    if (this.#isClosed) return
    switch (effect.kind) {
      case 'heartbeat':
        return this.#heartbeat(effect)
      case 'wait':
        this.#retryTimer?.cancel()
        this.#retryTimer = this.#options.engine.clock.setTimer(effect.ms, () => this.#turns.tell(() => this.#membership.due()))
        return
      case 'assign':
        this.#then(this.partitions.assign(effect.partitions), () => this.#membership.taken(effect.id))
        return
      case 'revoke':
        this.#then(this.partitions.revoke(effect.partitions), () => this.#membership.released(effect.id))
        return
      case 'lose':
        this.#then(this.partitions.lose(effect.partitions), () => this.#membership.released(effect.id))
        return
      case 'fail':
        this.#failAll(effect.error)
        return
      case 'left':
        this.#isSubscribed = this.#subscriptions.size > 0
        this.#whenLeft?.resolve()
        this.#whenLeft = undefined
    }
  }

  #then(work: Promise<void>, over: () => MembershipEffect[]): void {
    void work.then(
      () => {
        this.#turns.tell(over)
        this.#options.engine.wakeLoop.wake()
      },
      (error: unknown) => this.#failAll(error as Error),
    )
  }

  #heartbeat({ id, request, holdMs }: MembershipEffect & { kind: 'heartbeat' }): void {
    const { calls, groupId, engine, consumer } = this.#options
    // What it says, or more, this one says too.
    this.#request?.abort()
    const abort = new AbortController()
    this.#request = abort
    const { count } = this.fence
    const sentMs = engine.clock.monotonicMs()
    const answered = (effects: () => MembershipEffect[]): void => {
      if (this.#request !== abort || this.#isClosed) return
      this.#turns.tell(effects)
      // Nobody had anything for it, for as long as it could wait.
      const isIdle = this.#membership.state === 'stable' && this.partitions.all().length === 0
      if (isIdle && holdMs > 0 && engine.clock.monotonicMs() - sentMs >= holdMs) warnOnce('idle member', groupId)
      engine.wakeLoop.wake()
      this.#whenAnswered.resolve()
      this.#whenAnswered = Promise.withResolvers()
    }
    // A loop keeps the process alive, until it has left. A heartbeat whose answer may be lost is followed by one that says everything.
    const isLeave = request.memberEpoch < 0
    const mayRepeat = isLeave || request.topicPartitions !== null
    const options = { signal: abort.signal, holdMs, hold: isLeave, clientId: consumer.clientId, mayRepeat }
    calls.ask('consumerGroupHeartbeat', groupId, request, options).then(
      (response) =>
        answered(() => {
          if (response.errorCode === KAFKA_ERRORS.NONE) this.fence.lower(count)
          return this.#membership.heard(id, response)
        }),
      (error: unknown) => answered(() => this.#membership.unheard(id, asMillraceError(error))),
    )
  }

  /** Somebody of this thread was put out: it may have been this one. */
  #verify(count: number): void {
    if (this.#fencesAsked === count) return
    this.#fencesAsked = count
    this.#turns.tell(() => this.#membership.verify())
  }

  #readerOf({ topicId, partition }: GroupPartition): { topic: BoundTopic; reading: GroupReading } | undefined {
    for (const [reading, { topics }] of this.#subscriptions) {
      for (const topic of topics.values()) {
        if (topic.topicIdWords.every((word, i) => word === topicId[i]) && topic.slots[partition] !== undefined) return { topic, reading }
      }
    }
    return undefined
  }

  #topics(): BoundTopic[] {
    return [...this.#waiting.values(), ...this.#subscriptions.values()].flatMap(({ topics }) => [...topics.values()])
  }

  #readings(): GroupReading[] {
    return [...this.#waiting.keys(), ...this.#subscriptions.keys()]
  }

  #failAll(error: Error): void {
    for (const reading of [...this.#subscriptions.keys()]) reading.fail(error)
  }

  #metadataChanged(): void {
    let changed = false
    for (const [reading, subscription] of [...this.#subscriptions]) {
      try {
        if (subscription.follow()) changed = true
      } catch (error) {
        reading.fail(error as Error)
      }
    }
    if (changed) this.#subscribe()
    this.#turns.tell(() => this.#membership.metadataChanged())
  }

  /** Whether somebody has had a batch in hand for too long. */
  #checkPolls(): void {
    this.#pollTimer = undefined
    const { engine, consumer } = this.#options
    const nowMs = engine.clock.monotonicMs()
    let next = Number.POSITIVE_INFINITY
    for (const reading of this.#subscriptions.keys()) next = Math.min(next, reading.dueMs(nowMs, consumer.maxPollIntervalMs))
    if (next <= nowMs) this.#turns.tell(() => this.#membership.stall())
    else if (next < Number.POSITIVE_INFINITY) this.#pollTimer = engine.clock.setTimer(next - nowMs, () => this.#checkPolls())
  }

  #committer(): Committer | undefined {
    if (!this.#isSubscribed) return STANDALONE
    const { isMember, epoch } = this.#membership
    return isMember ? { memberId: this.#options.memberId, memberEpoch: epoch } : undefined
  }

  async #epochChanged(): Promise<void> {
    const { promise } = this.#whenAnswered
    this.#turns.tell(() => this.#membership.verify())
    await promise
  }
}
