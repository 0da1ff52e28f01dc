// The consumer (Kafka: KafkaConsumer): it reads all partitions of topics, those assigned by
// hand, or, with a groupId, those that its group assigns. Runs on its user's thread, and reads
// shared log memory itself: no broker hears of it, but for look-ups by time and its group.

import { EventEmitter } from 'node:events'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import type { FetchBound } from '../../partition/list-offsets.ts'
import { engineRandom } from '../../random.ts'
import type { Random } from '../../random.ts'
import { TurnYield } from '../event-loop.ts'
import { asBoundTopic } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { Topic } from '../topic-definition.ts'
import { withinTime } from '../within-time.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { FilledConsumerOptions, NamedPartition } from './consumer-config.ts'
import { ConsumerLoops } from './consumer-loops.ts'
import { ConsumerProcessings } from './consumer-processings.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { GroupConsumer } from './group-consumer.ts'
import type { GroupMetadata } from './group-consumer.ts'
import { memberIdOf } from './membership-requests.ts'
import { noGroupError } from './group-errors.ts'
import { GroupReading } from './group-reading.ts'
import { KnownTopics } from './known-topics.ts'
import type { CommittedOffset } from './offset-commits.ts'
import { ManualAssignment } from './manual-assignment.ts'
import { OffsetLookups, closedError } from './offset-lookups.ts'
import type { OffsetAndTimestamp } from './offset-lookups.ts'
import { offsetsToCommit } from './offsets-to-commit.ts'
import type { AnyTopic, OffsetToCommit, TimestampQuery, TopicPartition } from './offsets-to-commit.ts'
import type { Overtaken, PartitionFetcher } from './partition-fetcher.ts'
import { PartitionFetchers } from './partition-fetchers.ts'
import type { ProcessOptions } from './process-config.ts'
import type { Processor } from './processor.ts'
import type { ProcessHandler } from './processor-parts.ts'
import type { ReadOptions } from './read-options.ts'
import { RecordIterator } from './record-iterator.ts'
import type { TopicPattern } from './topic-pattern.ts'

/** What a loop reads: a bound topic, several, or, in a group, all that match a pattern. */
export type TopicsToRead<K, V> = Topic<K, V, never, never> | readonly Topic<K, V, never, never>[] | TopicPattern<K, V>

const CLOSE_TIMEOUT_MS = 5_000

/**
 * Reads topics (Kafka: KafkaConsumer); made by `millrace.consumer(options)`. Without a
 * `groupId` it reads all partitions, or those assigned, and keeps a position in each: a later
 * loop goes on where the one before ended. With one, it is a member of the group while a loop
 * runs, reads what the group assigns to it, and goes on where the group has committed.
 *
 * Emits `overtaken` when the next record to be read was not there any more; reading goes
 * on as `autoOffsetReset` says.
 */
export class Consumer extends EventEmitter<{ overtaken: [Overtaken] }> {
  readonly #engine: EmbeddedEngine
  readonly #turnYield: TurnYield
  readonly #fetchers: PartitionFetchers
  readonly #loops: ConsumerLoops
  private readonly processings: ConsumerProcessings
  readonly #group: GroupConsumer | undefined
  readonly #assigned = new ManualAssignment()
  readonly #topics: KnownTopics
  readonly #lookups: OffsetLookups
  readonly #onClose: () => void
  readonly #stopHearing: () => void
  #closing: Promise<void> | undefined

  /** Made by `millrace.consumer()`. */
  constructor(engine: EmbeddedEngine, options: FilledConsumerOptions, onClose: () => void, random: Random = engineRandom) {
    super()
    this.#engine = engine
    const bound: FetchBound = options.isolationLevel === 'read_committed' ? 'lastStableOffset' : 'highWatermark'
    this.#lookups = new OffsetLookups(engine, bound)
    this.#turnYield = new TurnYield(engine.clock)
    const onOvertaken = (event: Overtaken): unknown => this.emit('overtaken', event)
    const fetchers = new PartitionFetchers({ engine, consumer: options, bound, lookups: this.#lookups, onOvertaken })
    const { groupId } = options
    const group =
      groupId === undefined
        ? undefined
        : new GroupConsumer({ engine, calls: engine.groups, groupId, memberId: memberIdOf(random), consumer: options, fetchers })
    this.#fetchers = fetchers
    this.#group = group
    this.#topics = new KnownTopics([group, fetchers])
    const assigned = this.#assigned
    this.#loops = new ConsumerLoops({ engine, consumer: options, fetchers, turnYield: this.#turnYield, group, assigned })
    this.processings = new ConsumerProcessings({ engine, fetchers, loops: this.#loops, group, groupId, assigned, random })
    this.#onClose = onClose
    this.#stopHearing = engine.onOver((error) => this.#onOver(error))
  }

  /**
   * Loops that start from now on read only these partitions (Kafka: assign); the ones
   * before are forgotten, none means all again, or those of the group. Loops that run go on
   * as they are. With a groupId, these loops go on where the group has committed, and commit,
   * but are no members of it. Throws UNKNOWN_TOPIC_OR_PARTITION, CLOSED, INVALID_REQUEST while
   * a loop reads what the group assigns.
   */
  assign(partitions: Iterable<TopicPartition>): void {
    if (this.#group !== undefined && this.#loops.areSubscribed)
      throw new MillraceError('INVALID_REQUEST', 'a loop of this consumer reads what its group assigns: end that loop before assign(…)')
    const bound = [...partitions].map(({ topic, partition }) => ({ topic: this.#topics.bound(topic), partition }))
    for (const { topic, partition } of bound) this.#fetcher(topic, partition)
    this.#assigned.set(bound)
  }

  /** The partitions assigned by hand, or by the group at this moment; none while all partitions of each topic are read. */
  assignment(): NamedPartition[] {
    if (this.#group !== undefined && this.#assigned.isEmpty)
      return this.#group.assigned.map(({ name, partition }) => ({ topic: name, partition }))
    return this.#assigned.all().map(({ topic, partition }) => ({ topic: topic.name, partition }))
  }

  /**
   * The next record that is read of this partition is the one at `offset`, also in a loop
   * that runs. An offset that is not in the log is found out on reading: `autoOffsetReset`
   * says what happens then. In a group, of a partition that is assigned, `onAssigned`
   * included: its offset is committed as settled. Throws UNKNOWN_TOPIC_OR_PARTITION, CLOSED,
   * OFFSET_OUT_OF_RANGE for what is no offset, and INVALID_REQUEST in a group for a partition
   * of others.
   */
  seek(topic: AnyTopic | string, partition: number, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `an offset is a whole number from 0 to 2^53 - 1, not ${String(offset)}`)
    }
    const fetcher = this.#fetcher(topic, partition)
    this.#checkMine([fetcher])
    fetcher.seek(offset)
    this.#group?.owned(fetcher.topic, partition)?.moved(offset)
    this.#engine.wakeLoop.wake()
  }

  /**
   * The next record that is read of these partitions is the oldest that is there when they are next read, or asked for their position
   * (Kafka: seekToBeginning). Without partitions: of those assigned, or else of all that this consumer has read or asked about. Throws
   * UNKNOWN_TOPIC_OR_PARTITION, CLOSED.
   */
  seekToBeginning(partitions?: Iterable<TopicPartition>): void {
    this.#seekLazily(partitions, 'earliest')
  }

  /**
   * The next record that is read of these partitions is the first behind the end, as it is when they are next read, or asked for their
   * position (Kafka: seekToEnd): the high watermark, or the last stable offset under 'read_committed'. Without partitions, and errors, as
   * `seekToBeginning`.
   */
  seekToEnd(partitions?: Iterable<TopicPartition>): void {
    this.#seekLazily(partitions, 'latest')
  }

  /**
   * Offset of the next record that is read of this partition: of the first that no batch
   * handed out holds. Throws UNKNOWN_TOPIC_OR_PARTITION, CLOSED, OFFSET_OUT_OF_RANGE
   * under `autoOffsetReset: 'none'` before the first seek, and OFFSET_NOT_AVAILABLE
   * (retriable) while `by_duration` looks it up.
   */
  position(topic: AnyTopic | string, partition: number): number {
    return this.#fetcher(topic, partition).position
  }

  /**
   * How far reading is behind: offsets from the position to the end, of one partition, or of
   * all of the topic that this consumer reads (Kafka: currentLag). Offsets that compaction
   * took count too. Errors as `position`.
   */
  lag(topic: AnyTopic | string, partition?: number): number {
    const bound = this.#topics.bound(topic)
    const partitions = partition === undefined ? this.#partitionsOf(bound) : [partition]
    return partitions.reduce((lag, each) => lag + this.#fetcher(bound, each).lag, 0)
  }

  /**
   * These partitions are not read until they are resumed, by the loop that runs too, from
   * its next batch on; their positions stay. A loop whose partitions are all paused waits.
   * Throws UNKNOWN_TOPIC_OR_PARTITION, CLOSED.
   */
  pause(partitions: Iterable<TopicPartition>): void {
    for (const fetcher of this.#fetchersOf(partitions)) fetcher.paused = true
  }

  /** These partitions are read again; those that were not paused go on. Throws UNKNOWN_TOPIC_OR_PARTITION, CLOSED. */
  resume(partitions: Iterable<TopicPartition>): void {
    for (const fetcher of this.#fetchersOf(partitions)) fetcher.paused = false
    this.#engine.wakeLoop.wake()
  }

  /** The partitions that are paused. */
  paused(): NamedPartition[] {
    const paused = this.#fetchers.all().filter((fetcher) => fetcher.paused)
    return paused.map(({ topic, partition }) => ({ topic: topic.name, partition }))
  }

  /**
   * The oldest offset that can be read of each partition, in their order. Rejects with
   * UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, CLOSED.
   */
  async beginningOffsets(partitions: Iterable<TopicPartition>, options: { signal?: AbortSignal } = {}): Promise<number[]> {
    return this.#lookups.ends(this.#fetchersOf(partitions), 'earliest', options.signal)
  }

  /**
   * One past the last offset that can be read of each partition, in their order: the high
   * watermark, or the last stable offset under 'read_committed'. Rejects with
   * UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, CLOSED.
   */
  async endOffsets(partitions: Iterable<TopicPartition>, options: { signal?: AbortSignal } = {}): Promise<number[]> {
    return this.#lookups.ends(this.#fetchersOf(partitions), 'latest', options.signal)
  }

  /**
   * The first record at or after each time, in the order of the queries; null where there
   * is none (Kafka: offsetsForTimes, KIP-79). The partition's leader is asked. Rejects with
   * UNKNOWN_TOPIC_OR_PARTITION, INVALID_TIMESTAMP, UNKNOWN_TOPIC_ID, REQUEST_TIMED_OUT,
   * ABORTED by its signal, CLOSED.
   */
  async offsetsForTimes(queries: Iterable<TimestampQuery>, options: { signal?: AbortSignal } = {}): Promise<(OffsetAndTimestamp | null)[]> {
    const asked = [...queries].map(({ topic, partition, timestamp }) => ({
      fetcher: this.#fetcher(topic, partition),
      timestamp,
    }))
    return this.#lookups.forTimes(asked, options.signal)
  }

  /**
   * Commits what is settled of all partitions, now (Kafka: commitSync): not the batch or record
   * in your hands, for that `batch.commit()` or `record.commit()`. Rejects with
   * STALE_MEMBER_EPOCH out of the group, INVALID_REQUEST without one, UNKNOWN_TOPIC_ID,
   * REQUEST_TIMED_OUT, CLOSED.
   */
  async commit(): Promise<void> {
    await this.#grouped('consumer.commit()').commitAll()
  }

  /**
   * Commits these offsets, whatever is settled (Kafka: commitSync with offsets): each is that
   * of the next record to be read. While no loop reads what the group assigns, as nobody in
   * particular, which a group with members refuses. Rejects as `commit`, and with
   * OFFSET_METADATA_TOO_LARGE, UNKNOWN_MEMBER_ID.
   */
  async commitOffsets(offsets: Iterable<OffsetToCommit>): Promise<void> {
    const { commits } = this.#grouped('consumer.commitOffsets()')
    const checked = offsetsToCommit(offsets, (topic) => this.#topics.bound(topic))
    for (const { topic, partition } of checked) this.#fetcher(topic, partition)
    await commits.commit(checked)
  }

  /**
   * What the group has committed of each partition, in their order; null where nothing
   * (Kafka: committed). Rejects with INVALID_REQUEST without a group,
   * UNKNOWN_TOPIC_OR_PARTITION, REQUEST_TIMED_OUT, ABORTED by its signal, CLOSED.
   */
  async committed(partitions: Iterable<TopicPartition>, options: { signal?: AbortSignal } = {}): Promise<(CommittedOffset | null)[]> {
    const { commits } = this.#grouped('consumer.committed()')
    return commits.fetch(this.#fetchersOf(partitions), 'anybody', options.signal)
  }

  /** Who this consumer is in its group (Kafka: groupMetadata). Throws INVALID_REQUEST without a group, CLOSED. */
  groupMetadata(): GroupMetadata {
    return this.#grouped('consumer.groupMetadata()').groupMetadata
  }

  /**
   * Batches as they are committed, each of one partition, offsets in order, some hundred
   * KiB at a time, or `maxPollRecords`; none is empty. The cursor of a batch is borrowed
   * until the next one is asked for; records made from it are not. Where all partitions of
   * a topic are read, without an end, those that it is given meanwhile are read too, from
   * their beginning. In a group, the first `next` joins it, asking for the next batch settles
   * the one before, and the end of the loop, if it is the last, leaves the group; with
   * `until: 'end'` the loop ends when each partition of its topics, whoever reads it, has come
   * to where it ended at the start. Throws INVALID_CONFIG, CLOSED, INVALID_REQUEST when a loop of this
   * consumer reads the topic; the loop ends with ABORTED, with OFFSET_OUT_OF_RANGE under
   * `autoOffsetReset: 'none'`, UNKNOWN_TOPIC_ID when the topic is deleted, KAFKA_STORAGE_ERROR or
   * CORRUPT_MESSAGE when files that hold what memory no longer does cannot be read, or by `close`; in a group also with
   * UNRELEASED_INSTANCE_ID, FENCED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED, UNSUPPORTED_ASSIGNOR, and what a callback throws.
   */
  batches<K, V>(topics: TopicsToRead<K, V>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void> {
    return this.#read(topics, options) as unknown as AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void>
  }

  /**
   * Records one by one, each settled by asking for the next: comfortable, and slower than `batches`; errors as there. In a group
   * none is handed out once this member was put out of it, also in the middle of a batch.
   */
  records<K, V>(topics: TopicsToRead<K, V>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerRecord<K, V>, undefined, void> {
    const batches = this.#read(topics, options)
    const records = new RecordIterator<K, V>(batches as never, this.#turnYield)
    if (batches instanceof GroupReading) batches.recordInHand = () => records.unsettledFrom
    return records
  }

  /**
   * Runs the handler for each record, `concurrency` at a time: with retries, in the order asked
   * for, and a dead-letter topic for what is given up. A record is settled when its handler has
   * succeeded, or its dead letter is written. Throws INVALID_CONFIG, INVALID_TOPIC_EXCEPTION,
   * CLOSED, INVALID_REQUEST as `batches`; what ends it later is told by the processor.
   */
  process<K, V>(topic: Topic<K, V, never, never>, options: ProcessOptions, handler: ProcessHandler<K, V>): Processor<K, V> {
    if (this.#closing !== undefined) throw closedError()
    return this.processings.begin(asBoundTopic(topic), options, handler)
  }

  /**
   * Closes what `process` has begun, then ends every loop that runs, as if nothing more came;
   * look-ups under way reject with CLOSED. In a group it commits what is settled and leaves; it ends
   * after `timeoutMs` (default: 5000) also where a callback or handler does not. A second call
   * waits for the first. Rejects with what has ended a processing, if that was told nowhere.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock } = this.#engine
    const untilMs = clock.monotonicMs() + timeoutMs
    const failure = this.processings.isEmpty ? undefined : await this.processings.close(timeoutMs)
    await this.#end(Math.max(0, untilMs - clock.monotonicMs()))
    if (failure !== undefined) throw failure
  }

  async #end(timeoutMs: number): Promise<void> {
    const ended = this.#loops.close()
    this.#lookups.close()
    this.#stopHearing()
    if (this.#group !== undefined) {
      await withinTime(this.#engine.clock, ended, timeoutMs)
      this.#group.close()
    }
    this.#fetchers.clear()
    this.#onClose()
  }

  /** Nothing more will ever come: a loop that waits must not take that for a pause, nor for its end. */
  #onOver(error: Error): void {
    this.#loops.fail(error)
    this.#group?.close()
    this.#closing ??= this.#end(CLOSE_TIMEOUT_MS)
  }

  #read(what: unknown, options: ReadOptions): ReturnType<ConsumerLoops['read']> {
    if (this.#closing !== undefined) throw closedError()
    return this.#loops.read(what, options)
  }

  #grouped(what: string): GroupConsumer {
    if (this.#closing !== undefined) throw closedError()
    if (this.#group === undefined) throw noGroupError(what)
    return this.#group
  }

  /** Of a topic: all, those assigned by hand, or those that the group assigns now. */
  #partitionsOf(topic: BoundTopic): number[] {
    if (!this.#assigned.isEmpty) return this.#assigned.of(topic)
    if (this.#group === undefined) return [...topic.slots.keys()]
    return this.#group.assigned.filter((each) => each.topic.topicId === topic.topicId).map(({ partition }) => partition)
  }

  #fetchersOf(partitions: Iterable<TopicPartition>): PartitionFetcher[] {
    return [...partitions].map(({ topic, partition }) => this.#fetcher(topic, partition))
  }

  /** All of those assigned, or all that are known. */
  #allFetchers(): PartitionFetcher[] {
    if (this.#closing !== undefined) throw closedError()
    if (!this.#assigned.isEmpty) return this.#fetchersOf(this.#assigned.all())
    return this.#group === undefined ? this.#fetchers.all() : this.#group.assigned.map(({ fetcher }) => fetcher)
  }

  #seekLazily(partitions: Iterable<TopicPartition> | undefined, to: 'earliest' | 'latest'): void {
    const fetchers = partitions === undefined ? this.#allFetchers() : this.#fetchersOf(partitions)
    this.#checkMine(fetchers)
    for (const fetcher of fetchers) fetcher.seekLazily(to)
    this.#engine.wakeLoop.wake()
  }

  #fetcher(topic: AnyTopic | string, partition: number): PartitionFetcher {
    if (this.#closing !== undefined) throw closedError()
    return this.#fetchers.of(this.#topics.bound(topic), partition)
  }

  /** The position of a partition that the group has not assigned is not this consumer's to move. */
  #checkMine(fetchers: readonly PartitionFetcher[]): void {
    const group = this.#group
    if (group === undefined || !this.#assigned.isEmpty) return
    const other = fetchers.find(({ topic, partition }) => group.owned(topic, partition) === undefined)
    if (other === undefined) return
    const where = `${other.topic.name}-${other.partition}`
    throw new MillraceError(
      'INVALID_REQUEST',
      `${where} is not assigned to this consumer now: seek in onAssigned, or assign partitions by hand`,
    )
  }
}
