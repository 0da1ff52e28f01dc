// The consumer (Kafka: KafkaConsumer), without a group so far: it reads all partitions
// of a topic, or those assigned. Runs on its user's thread, and reads shared log memory
// itself: no broker hears of it, but for look-ups by time.

import { EventEmitter } from 'node:events'
import { INT_MAX } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { equalTopicIds } from '../../ids.ts'
import type { MetadataDelta } from '../../metadata/metadata-delta.ts'
import type { FetchBound } from '../../partition/list-offsets.ts'
import { TurnYield } from '../event-loop.ts'
import { asBoundTopic, checkAttached } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { Topic } from '../topic-definition.ts'
import { BatchIterator } from './batch-iterator.ts'
import { ColdReads } from './cold-reads.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { FilledConsumerOptions } from './consumer-config.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { OffsetLookups, closedError } from './offset-lookups.ts'
import type { OffsetAndTimestamp } from './offset-lookups.ts'
import { resetDurationMs } from './offset-reset.ts'
import { PartitionFetcher } from './partition-fetcher.ts'
import type { Overtaken } from './partition-fetcher.ts'
import { checkReadOptions } from './read-options.ts'
import type { ReadOptions } from './read-options.ts'
import { RecordIterator } from './record-iterator.ts'

/** A bound topic of whatever key and value. */
type AnyTopic = Topic<unknown, unknown, never, never>

/** A partition of a bound topic, by number from 0. */
export interface TopicPartition {
  readonly topic: AnyTopic
  readonly partition: number
}

/** What `offsetsForTimes` looks for: the first record of a partition at or after a time, in milliseconds since the epoch. */
export interface TimestampQuery extends TopicPartition {
  readonly timestamp: number
}

/** Bytes copied at a time: a few batches of the usual size, which stay in the core's cache. */
const FETCH_BYTES = 256 * 1024

/**
 * Reads topics (Kafka: KafkaConsumer, so far without a group); made by
 * `millrace.consumer(options)`. It reads all partitions of a topic, or those assigned, and
 * keeps a position in each: a later loop goes on where the one before ended.
 *
 * Emits `overtaken` when the next record to be read was not there any more; reading goes
 * on as `autoOffsetReset` says.
 */
export class Consumer extends EventEmitter<{ overtaken: [Overtaken] }> {
  readonly #engine: EmbeddedEngine
  readonly #options: FilledConsumerOptions
  readonly #bound: FetchBound
  readonly #turnYield: TurnYield
  // All by topic id: however often a topic is bound, it has one position.
  readonly #fetchers = new Map<string, PartitionFetcher[]>()
  readonly #coldReads = new Map<string, ColdReads>()
  readonly #assigned = new Map<string, { readonly topic: BoundTopic; readonly partitions: Set<number> }>()
  readonly #reading = new Map<string, BatchIterator>()
  readonly #lookups: OffsetLookups
  readonly #onClose: () => void
  readonly #stopHearing: () => void
  #closed = false

  /** Made by `millrace.consumer()`. */
  constructor(engine: EmbeddedEngine, options: FilledConsumerOptions, onClose: () => void) {
    super()
    this.#engine = engine
    this.#options = options
    this.#bound = options.isolationLevel === 'read_committed' ? 'lastStableOffset' : 'highWatermark'
    this.#lookups = new OffsetLookups(engine, this.#bound)
    this.#turnYield = new TurnYield(engine.clock)
    this.#onClose = onClose
    this.#stopHearing = engine.onOver((error) => this.#onOver(error))
  }

  /**
   * Loops that start from now on read only these partitions (Kafka: assign); the ones
   * before are forgotten, none means all again. Loops that run go on as they are. Throws
   * UNKNOWN_TOPIC_OR_PARTITION, CLOSED.
   */
  assign(partitions: Iterable<TopicPartition>): void {
    const assigned = new Map<string, { topic: BoundTopic; partitions: Set<number> }>()
    for (const { topic, partition } of partitions) {
      const bound = asBoundTopic(topic)
      this.#fetcher(bound, partition)
      const entry = assigned.get(bound.topicId)
      if (entry === undefined) assigned.set(bound.topicId, { topic: bound, partitions: new Set([partition]) })
      else entry.partitions.add(partition)
    }
    this.#assigned.clear()
    for (const [topicId, entry] of assigned) this.#assigned.set(topicId, entry)
  }

  /** The assigned partitions; none while all partitions of each topic are read. */
  assignment(): { topic: string; partition: number }[] {
    return [...this.#assigned.values()].flatMap(({ topic, partitions }) =>
      [...partitions].map((partition) => ({ topic: topic.name, partition })),
    )
  }

  /**
   * The next record that is read of this partition is the one at `offset`, also in a loop
   * that runs. An offset that is not in the log is found out on reading: `autoOffsetReset`
   * says what happens then. Throws UNKNOWN_TOPIC_OR_PARTITION, CLOSED, and
   * OFFSET_OUT_OF_RANGE for what is no offset.
   */
  seek(topic: AnyTopic, partition: number, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `an offset is a whole number from 0 to 2^53 - 1, not ${String(offset)}`)
    }
    this.#fetcher(asBoundTopic(topic), partition).seek(offset)
    this.#engine.wakeLoop.wake()
  }

  /**
   * The next record that is read of these partitions is the oldest that is there when they
   * are next read, or asked for their position (Kafka: seekToBeginning). Without partitions:
   * of those assigned, or else of all that this consumer has read or asked about. Throws
   * UNKNOWN_TOPIC_OR_PARTITION, CLOSED.
   */
  seekToBeginning(partitions?: Iterable<TopicPartition>): void {
    this.#seekLazily(partitions, 'earliest')
  }

  /**
   * The next record that is read of these partitions is the first behind the end, as it is
   * when they are next read, or asked for their position (Kafka: seekToEnd): the high
   * watermark, or the last stable offset under 'read_committed'. Without partitions, and
   * errors, as `seekToBeginning`.
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
  position(topic: AnyTopic, partition: number): number {
    return this.#fetcher(asBoundTopic(topic), partition).position
  }

  /**
   * How far reading is behind: offsets from the position to the end, of one partition, or of
   * all of the topic that this consumer reads (Kafka: currentLag). Offsets that compaction
   * took count too. Errors as `position`.
   */
  lag(topic: AnyTopic, partition?: number): number {
    const bound = asBoundTopic(topic)
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
  paused(): { topic: string; partition: number }[] {
    const paused = [...this.#fetchers.values()].flatMap((fetchers) => fetchers.filter((fetcher) => fetcher.paused))
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
      fetcher: this.#fetcher(asBoundTopic(topic), partition),
      timestamp,
    }))
    return this.#lookups.forTimes(asked, options.signal)
  }

  /**
   * Batches as they are committed, each of one partition, offsets in order, some hundred
   * KiB at a time, or `maxPollRecords`; none is empty. The cursor of a batch is borrowed
   * until the next one is asked for; records made from it are not. Where all partitions of
   * a topic are read, without an end, those that it is given meanwhile are read too, from
   * their beginning. Throws INVALID_CONFIG, CLOSED, INVALID_REQUEST when a loop of this
   * consumer reads the topic; the loop ends with ABORTED, with OFFSET_OUT_OF_RANGE under
   * `autoOffsetReset: 'none'`, UNKNOWN_TOPIC_ID when the topic is deleted, KAFKA_STORAGE_ERROR or
   * CORRUPT_MESSAGE when files that hold what memory no longer does cannot be read, or by `close`.
   */
  batches<K, V>(topic: Topic<K, V, never, never>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void> {
    return this.#read(asBoundTopic(topic), options) as unknown as AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void>
  }

  /** Records one by one: comfortable, and slower than `batches`; errors as there. */
  records<K, V>(topic: Topic<K, V, never, never>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerRecord<K, V>, undefined, void> {
    return new RecordIterator<K, V>(this.#read(asBoundTopic(topic), options) as never, this.#turnYield)
  }

  /**
   * Ends every loop that runs, as if nothing more came, and every look-up, with CLOSED. A
   * second call does nothing. There is nothing to wait for, so it ends at once, whatever
   * `timeoutMs`.
   */
  async close(_options: { timeoutMs?: number } = {}): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const iterator of [...this.#reading.values()]) iterator.close()
    this.#lookups.close()
    this.#fetchers.clear()
    this.#stopHearing()
    this.#onClose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Nothing more will ever come: a loop that waits must not take that for a pause, nor for its end. */
  #onOver(error: Error): void {
    for (const iterator of [...this.#reading.values()]) iterator.fail(error)
    void this.close()
  }

  #read(topic: BoundTopic, options: ReadOptions): BatchIterator {
    const { until, signal } = checkReadOptions(options)
    if (this.#closed) throw closedError()
    const { topicId } = topic
    if (this.#reading.has(topicId)) {
      throw new MillraceError(
        'INVALID_REQUEST',
        `this consumer reads topic ${topic.name} already: end that loop first, or take another consumer`,
      )
    }
    const fetchers = this.#partitionsOf(topic).map((partition) => this.#fetcher(topic, partition))
    if (fetchers.length === 0) {
      throw new MillraceError('INVALID_REQUEST', `no partition of topic ${topic.name} is assigned to this consumer: name some in assign(…)`)
    }
    for (const fetcher of fetchers) fetcher.topic = topic
    const { fetchMinBytes: minBytes, fetchMaxWaitMs: maxWaitMs, maxPollRecords } = this.#options
    const { threadId, wakeLoop, clock } = this.#engine
    const iterator = new BatchIterator({
      fetchers,
      threadId,
      fetchBytes: this.#fetchBytes,
      maxRecords: maxPollRecords === INT_MAX ? Number.POSITIVE_INFINITY : maxPollRecords,
      delay: minBytes > 1 ? { minBytes, maxWaitMs, clock } : undefined,
      wakeLoop,
      turnYield: this.#turnYield,
      untilEnd: until === 'end',
      signal,
      onEnd: () => {
        stopGrowing?.()
        this.#reading.delete(topicId)
      },
    })
    const isGrowing = this.#assigned.size === 0 && until === undefined
    const stopGrowing = isGrowing ? this.#engine.onMetadata((delta) => this.#grow(topic, iterator, delta)) : undefined
    this.#reading.set(topicId, iterator)
    // What came between looking and listening was told to nobody.
    if (isGrowing) for (const partition of this.#partitionsOf(topic).slice(fetchers.length)) this.#addTo(iterator, topic, partition)
    return iterator
  }

  /** Reads partitions that a topic was given while all of it is read: from their beginning, for nothing in them is old. */
  #grow(topic: BoundTopic, iterator: BatchIterator, delta: MetadataDelta): void {
    for (const { topic: image, partition, previous } of delta.changedPartitions()) {
      if (previous !== undefined || !equalTopicIds(image.topicId, topic.topicIdWords)) continue
      this.#addTo(iterator, topic, partition.partitionId)
    }
  }

  #addTo(iterator: BatchIterator, topic: BoundTopic, partition: number): void {
    const isKnown = this.#fetchers.get(topic.topicId)?.[partition] !== undefined
    const fetcher = this.#fetcher(topic, partition)
    if (!isKnown) fetcher.seekLazily('earliest')
    fetcher.topic = topic
    iterator.add(fetcher)
  }

  /** Batches are of one partition, so the lesser of the two bounds holds. */
  get #maxBytes(): number {
    return Math.min(this.#options.maxPartitionFetchBytes, this.#options.fetchMaxBytes)
  }

  get #fetchBytes(): number {
    return Math.max(1, Math.min(FETCH_BYTES, this.#maxBytes))
  }

  #partitionsOf(topic: BoundTopic): number[] {
    return [...(this.#assigned.size === 0 ? topic.slots.keys() : (this.#assigned.get(topic.topicId)?.partitions ?? []))]
  }

  #fetchersOf(partitions: Iterable<TopicPartition>): PartitionFetcher[] {
    return [...partitions].map(({ topic, partition }) => this.#fetcher(asBoundTopic(topic), partition))
  }

  /** All of those assigned, or all that are known. */
  #allFetchers(): PartitionFetcher[] {
    if (this.#closed) throw closedError()
    if (this.#assigned.size === 0) return [...this.#fetchers.values()].flatMap((fetchers) => Object.values(fetchers))
    return [...this.#assigned.values()].flatMap(({ topic, partitions }) =>
      [...partitions].map((partition) => this.#fetcher(topic, partition)),
    )
  }

  #seekLazily(partitions: Iterable<TopicPartition> | undefined, to: 'earliest' | 'latest'): void {
    const fetchers = partitions === undefined ? this.#allFetchers() : this.#fetchersOf(partitions)
    for (const fetcher of fetchers) fetcher.seekLazily(to)
    this.#engine.wakeLoop.wake()
  }

  #fetcher(topic: BoundTopic, partition: number): PartitionFetcher {
    if (this.#closed) throw closedError()
    checkAttached(topic, this.#engine)
    let fetchers = this.#fetchers.get(topic.topicId)
    if (fetchers === undefined) {
      fetchers = []
      this.#fetchers.set(topic.topicId, fetchers)
    }
    const slotNumber = typeof partition === 'number' ? topic.slots[partition] : undefined
    if (slotNumber === undefined) {
      const range = `it has partitions 0 to ${topic.partitions - 1}`
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic.name} has no partition ${partition}: ${range}`, {
        retriable: false,
      })
    }
    fetchers[partition] ??= new PartitionFetcher(topic, partition, this.#engine.controlBlock(slotNumber), this.#engine.memory, {
      autoOffsetReset: this.#options.autoOffsetReset,
      bound: this.#bound,
      maxBytes: this.#maxBytes,
      lookUp: (fetcher) => this.#lookups.byDuration(fetcher, resetDurationMs(this.#options.autoOffsetReset) ?? 0),
      onLookedUp: () => this.#engine.wakeLoop.wake(),
      onOvertaken: (event) => this.emit('overtaken', event),
      coldReads: this.#coldReadsOf(topic),
    })
    return fetchers[partition]
  }

  /** One loop reads a topic, and takes all its partitions in turn: so they can share. */
  #coldReadsOf({ topicId }: BoundTopic): ColdReads {
    let reads = this.#coldReads.get(topicId)
    if (reads === undefined) {
      const { clock, partitionFiles, wakeLoop } = this.#engine
      reads = new ColdReads({ ...partitionFiles, clock, chunkBytes: this.#fetchBytes, onRead: () => wakeLoop.wake() })
      this.#coldReads.set(topicId, reads)
    }
    return reads
  }
}
