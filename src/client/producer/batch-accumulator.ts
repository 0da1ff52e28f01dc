// Records gather here, one open batch a partition, until their batch is full, due or
// flushed (Kafka: RecordAccumulator). Private to the producer's thread.
//
// A batch begins with the memory that those before it in its partition came to need, or little
// where memory is short, and grows by doubling up to `batchSize`: many partitions with few
// records each take little together. One that finds no memory to grow is full as it is.
//
// A batch is compressed when it is sealed, or from then on: batch-compressions.ts. `batchSize` and `maxRequestSize` are of what it holds
// before, as they bound memory; `max.message.bytes` of what comes out, which its leader looks at.
//
// Holds: a record that was refused left no trace; memory in use is at most `bufferMemory`.

import type { BatchCompressor } from '../../engine/batch-compressor.ts'
import { MillraceError } from '../../errors.ts'
import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import type { EncodedHeaders } from '../../record/encoded-headers.ts'
import { BATCH_HEADER_BYTES, RECORD_OVERHEAD_BYTES_MAX } from '../../record/record-batch-layout.ts'
import { sizeOfVarint } from '../../record/varint.ts'
import { BatchCompressions, COMPRESS_ON_POOL_BYTES } from './batch-compressions.ts'
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
  readonly #compressions: BatchCompressions

  /** `onCompressed`: a batch that had to wait for its compression may leave, or memory that it took is free. */
  constructor(options: AccumulatorOptions, compressor: BatchCompressor, onOpen: (queue: PartitionQueue) => void, onCompressed: () => void) {
    this.#options = options
    this.#onOpen = onOpen
    this.pool = new BatchPool(Math.min(options.batchSize, options.maxRequestSize), options.bufferMemory)
    this.#compressions = new BatchCompressions(this.pool, compressor, onCompressed)
  }

  /** Opens a batch with room for a record of so many bytes; undefined when memory is in use up to `bufferMemory`. */
  open(queue: PartitionQueue, bytes: number, nowMonotonicMs: number): ProducerBatch | undefined {
    const batch = this.#take(queue, this.#sizeToOpen(queue, bytes))
    if (batch === undefined) return undefined
    batch.open(queue, nowMonotonicMs, nowMonotonicMs + this.#options.deliveryTimeoutMs)
    queue.open = batch
    this.#onOpen(queue)
    return batch
  }

  /** Gives the open batch of a partition more memory for a record of so many bytes; false: it is full. */
  grow(queue: PartitionQueue, bytes: number): boolean {
    if (queue.open === undefined) return false
    const { builder } = queue.open
    const held = builder.bytes.length
    const most = Math.min(this.#options.batchSize, this.#limitOf(queue))
    // A little more than the record takes here, for behind others it needs no header.
    const needed = builder.sizeInBytes + bytes
    if (held >= most || needed - BATCH_HEADER_BYTES > most) return false
    const size = this.pool.sizeFor(Math.min(Math.max(needed, 2 * held), most), most)
    // Until the records are moved, both are in use.
    const larger = this.#take(queue, size)
    if (larger === undefined) return false
    builder.exchangeMemory(larger.builder)
    this.pool.giveBack(larger)
    return true
  }

  /** Whether a record of so many bytes for this partition would find room now. */
  hasRoom(queue: PartitionQueue, bytes: number): boolean {
    if (queue.open !== undefined) return true
    return (
      queue.sealed.length < SEALED_A_PARTITION_MAX && this.pool.hasRoom(this.pool.sizeFor(bytes, Math.max(bytes, this.#limitOf(queue))))
    )
  }

  /**
   * Whether a producer that was refused should be woken: not for the first batch that left, for
   * then it would be asleep again after the next.
   */
  isDrained(queue: PartitionQueue, bytes: number): boolean {
    const { batchSize } = this.#options
    const size = this.pool.sizeFor(Math.max(bytes, batchSize), Math.max(bytes, this.#limitOf(queue)))
    return queue.sealed.length === 0 && this.pool.hasRoom(size)
  }

  /** Closes the open batch of a partition, if there is one; it is ready to leave. */
  seal(queue: PartitionQueue): ProducerBatch | undefined {
    const batch = queue.open
    if (batch === undefined) return undefined
    queue.open = undefined
    // Who sends it is stamped when it leaves, and its CRC with that.
    batch.sizeInBytes = batch.builder.seal({ withCrc: false })
    queue.nextBatchBytes = Math.max(batch.sizeInBytes, queue.nextBatchBytes >> 1)
    batch.place = queue.sealedCount++
    queue.sealed.push(batch)
    if (queue.compression.type !== 0) this.#compressions.add(batch, queue)
    return batch
  }

  /** Bytes of a batch that holds this record alone; throws when it passes a limit. */
  checkedSize(
    queue: PartitionQueue,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: EncodedHeaders | null,
  ): number {
    const bytes = exactSize(RecordBatchBuilder.sizeUpperBound(key, value, headers))
    // What a record comes to when it is compressed, only its leader can tell, as in Kafka.
    const limit = queue.compression.type === 0 ? this.#limitOf(queue) : this.#options.maxRequestSize
    if (bytes <= limit) return bytes
    const name = limit === queue.maxMessageBytes ? `the topic's max.message.bytes` : 'maxRequestSize'
    const what = `a record for ${queue.topic}-${queue.partition} needs ${bytes} bytes with its batch's header`
    throw new MillraceError('MESSAGE_TOO_LARGE', `${what}, above ${name} (${limit}): raise it, or send less at a time`)
  }

  #take({ compression }: PartitionQueue, size: number): ProducerBatch | undefined {
    if (compression.type !== 0 && size >= COMPRESS_ON_POOL_BYTES) this.pool.keepForCopies(size)
    return this.pool.take(size)
  }

  /** What the last batches of the partition came to need, if there is so much; what the record needs otherwise. */
  #sizeToOpen(queue: PartitionQueue, bytes: number): number {
    const { pool } = this
    // One that is larger than others may be is alone in its batch.
    const limit = Math.max(bytes, this.#limitOf(queue))
    const least = pool.sizeFor(bytes, limit)
    const usual = pool.sizeFor(Math.min(queue.nextBatchBytes, this.#options.batchSize), limit)
    return usual > least && pool.hasRoom(usual) ? usual : least
  }

  /** Bytes that a batch for this partition may have; only a record that is alone in one, and compressed, may have more. */
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
