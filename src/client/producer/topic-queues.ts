// The queues of one topic's partitions in one producer, and its partitioner.
// Private to the producer's thread.

import type { Clock } from '../../clock.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import type { Random } from '../../random.ts'
import { TEXT_KEY_CHARACTERS_MAX } from '../../record/text-key.ts'
import type { TextKey } from '../../record/text-key.ts'
import { bytes, takesText } from '../serde.ts'
import type { BoundTopic } from '../topic.ts'
import type { Compression, TopicSettings } from '../topic-settings.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { BatchClosedListener } from './partition-queue.ts'
import { Partitioner } from './partitioner.ts'
import type { PartitionLoads } from './partitioner.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { producerCompression } from './producer-config.ts'
import type { FilledProducerOptions } from './producer-config.ts'
import type { RecordOptions } from './producer-record.ts'

export class TopicQueues implements BatchClosedListener {
  /** As it was bound for the record that is offered: bindings of one topic share their queues, not their serdes. */
  topic: BoundTopic
  /** Null keys need no serde. */
  takesNullKeys = false
  /** Values are bytes, taken as they are. */
  takesBytes = false
  /** Keys may be texts, taken as they are, whose hash says where they go. */
  #hashesText = false
  /** Where records without a key go now; undefined where a function of the user's decides. */
  keylessQueue: PartitionQueue | undefined
  readonly #engine: EmbeddedEngine
  readonly #close: (queue: PartitionQueue) => void
  readonly #queues: PartitionQueue[] = []
  readonly #partitioner: Partitioner
  readonly #ownCompression: Compression
  #settings: TopicSettings

  /** `close`: ends the open batch of a queue, which leaves. */
  constructor(
    topic: BoundTopic,
    engine: EmbeddedEngine,
    options: FilledProducerOptions,
    random: Random,
    close: (queue: PartitionQueue) => void,
  ) {
    this.topic = topic
    this.#engine = engine
    this.#close = close
    this.#ownCompression = producerCompression(options)
    this.#settings = topic.settings
    this.#addQueues()
    this.#partitioner = new Partitioner({
      topicName: topic.name,
      partitionCount: this.#queues.length,
      stickyBytes: options.batchSize,
      partitioner: options.partitioner,
      loads: options.partitionerAdaptivePartitioningEnable
        ? this.#loads(engine.clock, options.partitionerAvailabilityTimeoutMs)
        : undefined,
      ignoreKeys: options.partitionerIgnoreKeys,
      requiresKeys: this.#settings.requiresKeys,
      random,
    })
    this.bind(topic)
    this.keylessQueue = this.#chooseKeyless()
  }

  bind(topic: BoundTopic): void {
    this.topic = topic
    this.takesNullKeys = topic.keySerde.nullable === true
    this.takesBytes = (topic.valueSerde as unknown) === bytes()
    this.#hashesText = this.#partitioner.takesHashes && takesText(topic.keySerde)
  }

  /** Goes on as the cluster has the topic now: with the partitions that were added, and under the limits that were altered. */
  follow(): void {
    const { settings } = this.topic
    if (settings === this.#settings) return
    this.#settings = settings
    for (const queue of this.#queues) {
      queue.maxMessageBytes = settings.maxMessageBytes[queue.partition]!
      queue.compression = this.#compression()
      if (queue.open !== undefined && queue.open.builder.bytes.length > queue.maxMessageBytes) this.#close(queue)
    }
    this.#addQueues()
    if (this.#queues.length !== this.#partitioner.partitionCount) this.#partitioner.partitionCount = this.#queues.length
    this.#partitioner.requiresKeys = settings.requiresKeys
    this.keylessQueue = this.#chooseKeyless()
  }

  /** The queue for a record; throws UNKNOWN_TOPIC_OR_PARTITION for a partition that does not exist, INVALID_RECORD for a missing key. */
  choose(key: Uint8Array | string | null, partition: number | undefined): PartitionQueue {
    if (partition === undefined) return this.#queues[this.#partitioner.partitionFor(key)]!
    this.#partitioner.checkKey(key)
    const queue = typeof partition === 'number' ? (this.#queues[partition] ?? this.#addedQueue(partition)) : undefined
    if (queue === undefined) {
      const range = `it has partitions 0 to ${this.#queues.length - 1}`
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${this.topic.name} has no partition ${partition}: ${range}`, {
        retriable: false,
      })
    }
    return queue
  }

  /** Whether key and value are written as they are, the key as UTF-8 whose hash says where the record goes. */
  isTextAndBytes(key: unknown, value: unknown, options: RecordOptions | undefined): boolean {
    if (typeof key !== 'string' || !this.#hashesText || !this.takesBytes || !(value instanceof Uint8Array)) return false
    return key.length <= TEXT_KEY_CHARACTERS_MAX && options?.partition === undefined
  }

  /** The queue for such a record; `textKey` has the bytes of its key then. */
  chooseByText(key: string, textKey: TextKey): PartitionQueue {
    textKey.set(key)
    return this.#queues[this.#partitioner.partitionForHash(textKey.hash)]!
  }

  /** The queue for a record that found its batch full: another one where the partition is the partitioner's to move. */
  afterFull(chosen: PartitionQueue, key: Uint8Array | string | null, partition: number | undefined): PartitionQueue {
    return partition === undefined && this.#partitioner.isSticky(key) ? this.choose(key, undefined) : chosen
  }

  /** The record that was to go to this queue was not taken. */
  notTaken({ partition }: PartitionQueue): void {
    this.#partitioner.notTaken(partition)
  }

  batchClosed(partition: number, sizeInBytes: number, isFull: boolean): void {
    this.#partitioner.batchClosed(partition, sizeInBytes, isFull)
    this.keylessQueue = this.#chooseKeyless()
  }

  /** Adds the batches that have not left yet. */
  addBatches(batches: Set<ProducerBatch>): void {
    for (const queue of this.#queues) {
      for (const batch of queue.sealed) batches.add(batch)
      if (queue.open !== undefined) batches.add(queue.open)
    }
  }

  /** Gives up the batches that have not left. */
  failAll(fail: (batch: ProducerBatch) => void): void {
    for (const queue of this.#queues) {
      for (const batch of queue.sealed.splice(0)) fail(batch)
      const { open } = queue
      queue.open = undefined
      if (open !== undefined) fail(open)
    }
  }

  #addedQueue(partition: number): PartitionQueue | undefined {
    this.follow()
    return this.#queues[partition]
  }

  #addQueues(): void {
    const { name, topicIdWords, withCrc } = this.topic
    const { slots, maxMessageBytes } = this.#settings
    const compression = this.#compression()
    for (let partition = this.#queues.length; partition < slots.length; partition++) {
      const control = this.#engine.controlBlock(slots[partition]!)
      const options = { maxMessageBytes: maxMessageBytes[partition]!, withCrc, compression }
      this.#queues.push(new PartitionQueue(this, name, topicIdWords, partition, control, options))
    }
  }

  /**
   * What a topic asks for is done here, and not by its leader, as in Kafka: so no broker's thread compresses. One that asks for the
   * producer's own codec leaves it the level as well.
   */
  #compression(): Compression {
    const { compression } = this.#settings
    return compression === undefined || compression.type === this.#ownCompression.type ? this.#ownCompression : compression
  }

  #loads(clock: Clock, availabilityTimeoutMs: number): PartitionLoads {
    return {
      queueLength: (partition) => this.#queues[partition]!.sealed.length + this.#queues[partition]!.inFlight,
      isAvailable: (partition) => {
        const oldest = availabilityTimeoutMs === 0 ? undefined : this.#queues[partition]!.sealed[0]
        return oldest === undefined || clock.monotonicMs() - oldest.createdMs < availabilityTimeoutMs
      },
    }
  }

  #chooseKeyless(): PartitionQueue | undefined {
    return this.#partitioner.isSticky(null) && !this.#settings.requiresKeys ? this.#queues[this.#partitioner.partitionFor(null)] : undefined
  }
}
