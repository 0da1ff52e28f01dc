// The memory that a producer's batches live in: `bufferMemory` bytes, no more.
// Batches of the usual sizes are reused, last in, first out, so that a busy producer
// keeps writing memory that is still in its core's cache. Private to one thread.

import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import { ProducerBatch } from './producer-batch.ts'

export class BatchPool {
  readonly #batchSize: number
  readonly #bufferMemory: number
  /** By size: that of the producer, and those of topics that take no larger batch. */
  readonly #free = new Map<number, ProducerBatch[]>()
  #takenBytes = 0
  #pooledBytes = 0

  constructor(batchSize: number, bufferMemory: number) {
    this.#batchSize = batchSize
    this.#bufferMemory = bufferMemory
  }

  /** Bytes of memory that batches in use hold. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Whether `take` would give a batch now. */
  hasRoom(bytes: number, limit: number): boolean {
    // One batch may always be taken, or a record larger than bufferMemory would wait for ever.
    return this.#takenBytes === 0 || this.#takenBytes + this.#sizeFor(bytes, limit) <= this.#bufferMemory
  }

  /** A batch with room for `bytes`, of `limit` at most; undefined when that would pass `bufferMemory`. */
  take(bytes: number, limit: number): ProducerBatch | undefined {
    if (!this.hasRoom(bytes, limit)) return undefined
    const size = this.#sizeFor(bytes, limit)
    this.#takenBytes += size
    const pooled = size > this.#batchSize ? undefined : this.#free.get(size)?.pop()
    if (pooled === undefined) return new ProducerBatch(new RecordBatchBuilder(size))
    this.#pooledBytes -= size
    return pooled
  }

  giveBack(batch: ProducerBatch): void {
    const size = batch.builder.bytes.length
    this.#takenBytes -= size
    batch.destination = undefined
    if (size > this.#batchSize || this.#pooledBytes + size > this.#bufferMemory) return
    this.#pooledBytes += size
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [batch])
    else free.push(batch)
  }

  #sizeFor(bytes: number, limit: number): number {
    return Math.min(Math.max(bytes, this.#batchSize), limit)
  }
}
