// Records gather here, one open batch a partition, until their batch is full, due or
// flushed (Kafka: RecordAccumulator). Private to the producer's thread.
// Holds: a record that was refused left no trace; memory in use is at most `bufferMemory`.

import { MillraceError } from '../../errors.ts'
import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import type { RecordHeader } from '../../record/record.ts'
import { BatchPool } from './batch-pool.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

/**
 * Sealed batches of one partition that may wait for their lane before `offer` refuses:
 * enough to keep the lane full while this thread fills the next one, few enough to
 * stay in the core's cache. `bufferMemory` bounds all partitions together.
 */
const SEALED_A_PARTITION_MAX = 4

export interface AccumulatorOptions {
  readonly batchSize: number
  readonly bufferMemory: number
  readonly maxRequestSize: number
  readonly deliveryTimeoutMs: number
}

export class BatchAccumulator {
  readonly pool: BatchPool
  readonly #options: AccumulatorOptions
  readonly #onOpen: (queue: PartitionQueue) => void

  constructor(options: AccumulatorOptions, onOpen: (queue: PartitionQueue) => void) {
    this.#options = options
    this.#onOpen = onOpen
    this.pool = new BatchPool(options.batchSize, options.bufferMemory)
  }

  /** Opens a batch with room for a record of so many bytes; undefined when memory is in use up to `bufferMemory`. */
  open(queue: PartitionQueue, bytes: number, nowMonotonicMs: number): ProducerBatch | undefined {
    const batch = this.pool.take(bytes, queue.maxMessageBytes)
    if (batch === undefined) return undefined
    batch.open(queue, nowMonotonicMs, nowMonotonicMs + this.#options.deliveryTimeoutMs)
    queue.open = batch
    this.#onOpen(queue)
    return batch
  }

  /** Whether a record for this partition would find room now. */
  hasRoom(queue: PartitionQueue): boolean {
    return queue.open !== undefined || (queue.sealed.length < SEALED_A_PARTITION_MAX && this.pool.hasRoom)
  }

  /**
   * Whether a producer that was refused should be woken: not for the first batch that left, for
   * then it would be asleep again after the next.
   */
  isDrained(queue: PartitionQueue): boolean {
    return queue.sealed.length === 0 && this.pool.hasRoom
  }

  /** Closes the open batch of a partition; it is ready to leave. */
  seal(queue: PartitionQueue): void {
    const batch = queue.open
    if (batch === undefined) return
    queue.open = undefined
    batch.sizeInBytes = batch.builder.seal({ withCrc: queue.withCrc })
    queue.sealed.push(batch)
  }

  /** Bytes of a batch that holds this record alone; throws when it passes a limit. */
  checkedSize(
    queue: PartitionQueue,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly RecordHeader[] | null,
  ): number {
    const bytes = RecordBatchBuilder.sizeUpperBound(key, value, headers)
    const where = `a record for ${queue.topic}-${queue.partition}`
    if (bytes > this.#options.maxRequestSize) {
      const limit = `maxRequestSize ${this.#options.maxRequestSize}`
      throw new MillraceError('MESSAGE_TOO_LARGE', `${where} needs ${bytes} bytes, above ${limit}: raise it, or send less at a time`)
    }
    if (bytes > queue.maxMessageBytes) {
      const limit = `the topic's max.message.bytes ${queue.maxMessageBytes}`
      throw new MillraceError('MESSAGE_TOO_LARGE', `${where} needs ${bytes} bytes, above ${limit}: raise it, or send less at a time`)
    }
    return bytes
  }
}
