// The consumer (Kafka: KafkaConsumer), without a group so far: it reads all partitions
// of a topic, or those assigned. Runs on its user's thread, and reads shared log memory
// itself: no broker hears of it.

import { EventEmitter } from 'node:events'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { TurnYield } from '../event-loop.ts'
import { asBoundTopic } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { Topic } from '../topic-definition.ts'
import { BatchIterator } from './batch-iterator.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { FilledConsumerOptions } from './consumer-config.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { PartitionFetcher } from './partition-fetcher.ts'
import type { Overtaken } from './partition-fetcher.ts'
import { RecordIterator } from './record-iterator.ts'

/** A partition by topic and number. */
export interface TopicPartition {
  readonly topic: Topic<never, never, never, never> | Topic
  readonly partition: number
}

export interface ReadOptions {
  /** 'end': stop at the end offsets as they are when reading starts. Without it, reading waits for more. */
  readonly until?: 'end'
  /** Ends the reading with ABORTED. */
  readonly signal?: AbortSignal
}

/** Bytes copied at a time: a few batches of the usual size, which stay in the core's cache. */
const FETCH_BYTES = 256 * 1024

export class Consumer extends EventEmitter<{ overtaken: [Overtaken] }> {
  readonly #engine: EmbeddedEngine
  readonly #options: FilledConsumerOptions
  readonly #turnYield: TurnYield
  readonly #fetchers = new Map<BoundTopic, PartitionFetcher[]>()
  readonly #assigned = new Map<BoundTopic, ReadonlySet<number>>()
  readonly #reading = new Map<BoundTopic, BatchIterator>()
  readonly #onClose: () => void
  #closed = false

  /** Made by `millrace.consumer()`. */
  constructor(engine: EmbeddedEngine, options: FilledConsumerOptions, onClose: () => void) {
    super()
    this.#engine = engine
    this.#options = options
    this.#turnYield = new TurnYield(engine.clock)
    this.#onClose = onClose
  }

  /**
   * Reads only these partitions from now on (Kafka: assign); the ones before are forgotten.
   * Throws UNKNOWN_TOPIC_OR_PARTITION.
   */
  assign(partitions: Iterable<{ readonly topic: object; readonly partition: number }>): void {
    const assigned = new Map<BoundTopic, Set<number>>()
    for (const { topic, partition } of partitions) {
      const bound = asBoundTopic(topic)
      this.#fetcher(bound, partition)
      const set = assigned.get(bound)
      if (set === undefined) assigned.set(bound, new Set([partition]))
      else set.add(partition)
    }
    this.#assigned.clear()
    for (const [topic, set] of assigned) this.#assigned.set(topic, set)
  }

  /** The assigned partitions; none while all partitions of each topic are read. */
  assignment(): { topic: string; partition: number }[] {
    return [...this.#assigned].flatMap(([topic, set]) => [...set].map((partition) => ({ topic: topic.name, partition })))
  }

  /** The next record that is read of this partition is the one at `offset`. Throws UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE. */
  seek(topic: object, partition: number, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `an offset is a whole number from 0 to 2^53 - 1, not ${String(offset)}`)
    }
    this.#fetcher(asBoundTopic(topic), partition).seek(offset)
    this.#engine.wakeLoop.wake()
  }

  /** Offset of the next record that is read of this partition. */
  position(topic: object, partition: number): number {
    return this.#fetcher(asBoundTopic(topic), partition).position
  }

  /**
   * Batches as they are committed, each of one partition, offsets in order. The cursor of
   * a batch is borrowed until the next one is asked for; records made from it are not.
   */
  batches<K, V>(topic: Topic<K, V, never, never>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void> {
    return this.#read(asBoundTopic(topic), options) as unknown as AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void>
  }

  /** Records one by one: comfortable, and slower than `batches`. */
  records<K, V>(topic: Topic<K, V, never, never>, options: ReadOptions = {}): AsyncIterableIterator<ConsumerRecord<K, V>, undefined, void> {
    return new RecordIterator<K, V>(this.#read(asBoundTopic(topic), options) as never, this.#turnYield)
  }

  /** Ends every iteration that runs. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const iterator of [...this.#reading.values()]) iterator.close()
    this.#fetchers.clear()
    this.#onClose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #read(topic: BoundTopic, options: ReadOptions): BatchIterator {
    if (this.#closed) throw new MillraceError('CLOSED', 'this consumer is closed: take another one from millrace.consumer()')
    if (this.#reading.has(topic)) {
      throw new MillraceError('INVALID_REQUEST', `this consumer reads topic ${topic.name} already: end that loop first, or take another consumer`)
    }
    if (options.until !== undefined && options.until !== 'end') {
      throw new MillraceError('INVALID_CONFIG', `until is 'end' or left out, not ${JSON.stringify(options.until)}`)
    }
    const partitions = this.#assigned.size === 0 ? topic.slots.keys() : (this.#assigned.get(topic) ?? []).values()
    const fetchers = [...partitions].map((partition) => this.#fetcher(topic, partition))
    if (fetchers.length === 0) {
      throw new MillraceError('INVALID_REQUEST', `no partition of topic ${topic.name} is assigned to this consumer: name some in assign(…)`)
    }
    const iterator = new BatchIterator({
      fetchers,
      threadId: this.#engine.threadId,
      fetchBytes: Math.min(FETCH_BYTES, Math.max(this.#options.maxPartitionFetchBytes, 1)),
      wakeLoop: this.#engine.wakeLoop,
      turnYield: this.#turnYield,
      untilEnd: options.until === 'end',
      signal: options.signal,
      onEnd: () => this.#reading.delete(topic),
    })
    this.#reading.set(topic, iterator)
    return iterator
  }

  #fetcher(topic: BoundTopic, partition: number): PartitionFetcher {
    let fetchers = this.#fetchers.get(topic)
    if (fetchers === undefined) {
      fetchers = []
      this.#fetchers.set(topic, fetchers)
    }
    const slotNumber = topic.slots[partition]
    if (slotNumber === undefined) {
      const range = `it has partitions 0 to ${topic.slots.length - 1}`
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic.name} has no partition ${partition}: ${range}`, { retriable: false })
    }
    fetchers[partition] ??= new PartitionFetcher(topic, partition, this.#engine.controlBlock(slotNumber), this.#engine.memory, {
      autoOffsetReset: this.#options.autoOffsetReset,
      maxBytes: this.#options.maxPartitionFetchBytes,
      onOvertaken: (event) => this.emit('overtaken', event),
    })
    return fetchers[partition]
  }
}
