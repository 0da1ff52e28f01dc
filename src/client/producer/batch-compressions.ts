// Compresses the sealed batches of one producer: small ones at once, on its thread; large ones on
// the pool of the thread, in the order in which they were sealed.
//
//   sealed ──▶ waits for room for a copy ──▶ the copy goes to the pool ──▶ compressed: it may leave
//      │ small, or no pool                                                     ▲
//      └──────────────▶ compressed here ───────────────────────────────────────┘
//
// Private to the producer's thread.
// Holds: a batch is compressed once, and the answer for one that was given up meanwhile touches
// nothing, whoever has its memory by then. Copies are of `bufferMemory`, until the pool has answered.

import type { BatchCompressor } from '../../engine/batch-compressor.ts'
import { compressBatch } from '../../record/batch-compression.ts'
import { allocateBytes } from '../../record/codec-memory.ts'
import type { Compression } from '../topic-settings.ts'
import { COPIES_MAX } from './batch-pool.ts'
import type { BatchPool } from './batch-pool.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

/**
 * A batch of so many bytes is compressed on the pool. Measured: 64 KiB take 0.3 to 0.7 ms (gzip: 3), 128 KiB twice that; the way to
 * the pool and back costs this thread 0.1. It lies between the default `batchSize` and the next size, for a full batch is a little smaller.
 */
export const COMPRESS_ON_POOL_BYTES = 96 * 1024

/** On its way while its batch knows it. */
class CompressionJob {
  readonly batch: ProducerBatch
  readonly queue: PartitionQueue
  /** As it was when the batch was sealed. */
  readonly compression: Compression

  constructor(batch: ProducerBatch, queue: PartitionQueue) {
    this.batch = batch
    this.queue = queue
    this.compression = queue.compression
  }

  /** Its batch was given up. */
  get isStale(): boolean {
    return this.batch.compressing !== this
  }
}

export class BatchCompressions {
  readonly #pool: BatchPool
  readonly #compressor: BatchCompressor
  readonly #onCompressed: () => void
  readonly #waiting: CompressionJob[] = []
  #running = 0

  /** `onCompressed`: a batch that was compressed on the pool may leave, or the memory of its copy is free. */
  constructor(pool: BatchPool, compressor: BatchCompressor, onCompressed: () => void) {
    this.#pool = pool
    this.#compressor = compressor
    this.#onCompressed = onCompressed
  }

  /** Compresses a sealed batch, now or later: then `batch.compressing` says so. */
  add(batch: ProducerBatch, queue: PartitionQueue): void {
    if (batch.sizeInBytes < COMPRESS_ON_POOL_BYTES || !this.#compressor.isUsable) return compressHere(batch, queue, queue.compression)
    const job = new CompressionJob(batch, queue)
    batch.compressing = job
    this.#waiting.push(job)
    this.#start()
  }

  #start(): void {
    while (this.#running < COPIES_MAX && this.#waiting.length > 0) {
      const job = this.#waiting[0]!
      const isWanted = !job.isStale && this.#compressor.isUsable
      const isOnPool = isWanted && this.#pool.takeCopy(job.batch.sizeInBytes)
      // An answer makes room; where none is awaited, bufferMemory is too small for a copy.
      if (isWanted && !isOnPool && this.#running > 0) return
      this.#waiting.shift()
      if (isOnPool) void this.#run(job)
      else if (!job.isStale) finish(job, undefined)
    }
  }

  async #run(job: CompressionJob): Promise<void> {
    const { sizeInBytes, builder } = job.batch
    const { type, level } = job.compression
    this.#running++
    const bytes = allocateBytes(sizeInBytes)
    bytes.set(builder.bytes.subarray(0, sizeInBytes))
    const image = await this.#compressor.compress({ bytes, type, level })
    this.#running--
    this.#pool.giveBackCopy(sizeInBytes)
    if (!job.isStale) finish(job, image)
    this.#start()
    this.#onCompressed()
  }
}

/** `image`: undefined where the pool has none. A batch that cannot be compressed leaves as it is. */
function finish({ batch, queue, compression }: CompressionJob, image: Uint8Array | undefined): void {
  batch.compressing = undefined
  try {
    if (image === undefined) compressHere(batch, queue, compression)
    else takeImage(batch, queue, image)
  } catch {
    // As long as its topic takes it so; its leader says otherwise.
  }
}

function compressHere(batch: ProducerBatch, queue: PartitionQueue, compression: Compression): void {
  takeImage(batch, queue, compressBatch(batch.builder.bytes, 0, batch.sizeInBytes, compression, { withCrc: false }))
}

/** A batch that a topic takes as it is, and not compressed, leaves as it is: it did not become smaller. */
function takeImage(batch: ProducerBatch, { maxMessageBytes }: PartitionQueue, image: Uint8Array): void {
  if (image.length <= maxMessageBytes || batch.sizeInBytes > maxMessageBytes) batch.takeCompressed(image)
}
