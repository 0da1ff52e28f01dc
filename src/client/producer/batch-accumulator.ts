// Records gather here, one open batch a partition, until their batch is full, due or
// flushed (Kafka: RecordAccumulator). Private to the producer's thread.
// Holds: a record that was refused left no trace; memory in use is at most `bufferMemory`.

import { MillraceError } from '../../errors.ts'
import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import type { EncodedHeaders } from '../../record/encoded-headers.ts'
import { BATCH_HEADER_BYTES, RECORD_OVERHEAD_BYTES_MAX } from '../../record/record-batch-layout.ts'
import { sizeOfVarint } from '../../record/varint.ts'
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
    this.pool = new BatchPool(Math.min(options.batchSize, options.maxRequestSize), options.bufferMemory)
  }

  /** Opens a batch with room for a record of so many bytes; undefined when memory is in use up to `bufferMemory`. */
  open(queue: PartitionQueue, bytes: number, nowMonotonicMs: number): ProducerBatch | undefined {
    const batch = this.pool.take(bytes, this.#limitOf(queue))
    if (batch === undefined) return undefined
    batch.open(queue, nowMonotonicMs, nowMonotonicMs + this.#options.deliveryTimeoutMs)
    queue.open = batch
    this.#onOpen(queue)
    return batch
  }

  /** Whether a record of so many bytes for this partition would find room now. */
  hasRoom(queue: PartitionQueue, bytes: number): boolean {
    return queue.open !== undefined || (queue.sealed.length < SEALED_A_PARTITION_MAX && this.pool.hasRoom(bytes, this.#limitOf(queue)))
  }

  /**
   * Whether a producer that was refused should be woken: not for the first batch that left, for
   * then it would be asleep again after the next.
   */
  isDrained(queue: PartitionQueue, bytes: number): boolean {
    return queue.sealed.length === 0 && this.pool.hasRoom(bytes, this.#limitOf(queue))
  }

  /** Closes the open batch of a partition; it is ready to leave. */
  seal(queue: PartitionQueue): void {
    const batch = queue.open
    if (batch === undefined) return
    queue.open = undefined
    // Who sends it is stamped when it leaves, and its CRC with that.
    batch.sizeInBytes = batch.builder.seal({ withCrc: false })
    batch.place = queue.sealedCount++
    queue.sealed.push(batch)
  }

  /** Bytes of a batch that holds this record alone; throws when it passes a limit. */
  checkedSize(
    queue: PartitionQueue,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: EncodedHeaders | null,
  ): number {
    const bytes = exactSize(RecordBatchBuilder.sizeUpperBound(key, value, headers))
    const limit = this.#limitOf(queue)
    if (bytes <= limit) return bytes
    const name = limit === queue.maxMessageBytes ? `the topic's max.message.bytes` : 'maxRequestSize'
    const what = `a record for ${queue.topic}-${queue.partition} needs ${bytes} bytes with its batch's header`
    throw new MillraceError('MESSAGE_TOO_LARGE', `${what}, above ${name} (${limit}): raise it, or send less at a time`)
  }

  /** Bytes that a batch for this partition may have: none is larger, so each record in it keeps to both limits. */
  #limitOf(queue: PartitionQueue): number {
    return Math.min(queue.maxMessageBytes, this.#options.maxRequestSize)
  }
}

/** The upper bound allows for any timestamp and offset delta; alone in its batch a record has 0 for both. */
function exactSize(upperBound: number): number {
  const bodyBytes = upperBound - BATCH_HEADER_BYTES - RECORD_OVERHEAD_BYTES_MAX + ATTRIBUTES_AND_DELTAS_BYTES
  return BATCH_HEADER_BYTES + sizeOfVarint(bodyBytes) + bodyBytes
}

/** A byte of attributes, and a byte for each delta that is 0. */
const ATTRIBUTES_AND_DELTAS_BYTES = 3
