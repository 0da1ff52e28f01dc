// The consumer (Kafka: KafkaConsumer), without a group so far: it reads all partitions
// of a topic, or those assigned. Runs on its user's thread, and reads shared log memory
// itself: no broker hears of it.

import { EventEmitter } from 'node:events'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { TurnYield } from '../event-loop.ts'
import { asBoundTopic, checkAttached } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { Topic } from '../topic-definition.ts'
import { BatchIterator } from './batch-iterator.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { FilledConsumerOptions } from './consumer-config.ts'
import type { ConsumerRecord } from './consumer-record.ts'
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
  readonly #turnYield: TurnYield
  // All by topic id: however often a topic is bound, it has one position.
  readonly #fetchers = new Map<string, PartitionFetcher[]>()
  readonly #assigned = new Map<string, { readonly topic: BoundTopic; readonly partitions: Set<number> }>()
  readonly #reading = new Map<string, BatchIterator>()
  readonly #onClose: () => void
  readonly #stopHearing: () => void
  #closed = false

  /** Made by `millrace.consumer()`. */
  constructor(engine: EmbeddedEngine, options: FilledConsumerOptions, onClose: () => void) {
    super()
    this.#engine = engine
    this.#options = options
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
   * Offset of the next record that is read of this partition: of the first that no batch
   * handed out holds. Throws UNKNOWN_TOPIC_OR_PARTITION, CLOSED, and OFFSET_OUT_OF_RANGE
   * under `autoOffsetReset: 'none'` before the first seek.
   */
  position(topic: AnyTopic, partition: number): number {
    return this.#fetcher(asBoundTopic(topic), partition).position
  }

  /**
   * Batches as they are committed, each of one partition, offsets in order, some hundred
   * KiB at a time. The cursor of a batch is borrowed until the next one is asked for;
   * records made from it are not. Throws INVALID_CONFIG, CLOSED, INVALID_REQUEST when a
   * loop of this consumer reads the topic; the loop ends with ABORTED, with
   * OFFSET_OUT_OF_RANGE under `autoOffsetReset: 'none'`, or by `close`.
   */
  batches<K, V>(topic: Topic<K, V, never, never>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void> {
    return this.#read(asBoundTopic(topic), options) as unknown as AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void>
  }

  /** Records one by one: comfortable, and slower than `batches`; errors as there. */
  records<K, V>(topic: Topic<K, V, never, never>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerRecord<K, V>, undefined, void> {
    return new RecordIterator<K, V>(this.#read(asBoundTopic(topic), options) as never, this.#turnYield)
  }

  /** Ends every loop that runs, as if nothing more came. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const iterator of [...this.#reading.values()]) iterator.close()
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
    const partitions = this.#assigned.size === 0 ? topic.slots.keys() : (this.#assigned.get(topicId)?.partitions ?? [])
    const fetchers = [...partitions].map((partition) => this.#fetcher(topic, partition))
    if (fetchers.length === 0) {
      throw new MillraceError('INVALID_REQUEST', `no partition of topic ${topic.name} is assigned to this consumer: name some in assign(…)`)
    }
    for (const fetcher of fetchers) fetcher.topic = topic
    const { maxPartitionFetchBytes, fetchMaxBytes } = this.#options
    const iterator = new BatchIterator({
      fetchers,
      threadId: this.#engine.threadId,
      fetchBytes: Math.max(1, Math.min(FETCH_BYTES, maxPartitionFetchBytes, fetchMaxBytes)),
      wakeLoop: this.#engine.wakeLoop,
      turnYield: this.#turnYield,
      untilEnd: until === 'end',
      signal,
      onEnd: () => this.#reading.delete(topicId),
    })
    this.#reading.set(topicId, iterator)
    return iterator
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
      const range = `it has partitions 0 to ${topic.slots.length - 1}`
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic.name} has no partition ${partition}: ${range}`, {
        retriable: false,
      })
    }
    fetchers[partition] ??= new PartitionFetcher(topic, partition, this.#engine.controlBlock(slotNumber), this.#engine.memory, {
      autoOffsetReset: this.#options.autoOffsetReset,
      maxBytes: this.#options.maxPartitionFetchBytes,
      onOvertaken: (event) => this.emit('overtaken', event),
    })
    return fetchers[partition]
  }
}

function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'this consumer is closed: take another one from millrace.consumer()')
}
