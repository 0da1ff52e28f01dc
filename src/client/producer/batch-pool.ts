// The memory that a producer's batches live in: `bufferMemory` bytes, no more.
// Batches of the usual size are reused, last in, first out, so that a busy producer
// keeps writing memory that is still in its core's cache. Private to one thread.

import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import { ProducerBatch } from './producer-batch.ts'

export class BatchPool {
  readonly #batchSize: number
  readonly #bufferMemory: number
  readonly #free: ProducerBatch[] = []
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

  /** Whether a batch of the usual size could be taken now. */
  get hasRoom(): boolean {
    return this.#takenBytes === 0 || this.#takenBytes + this.#batchSize <= this.#bufferMemory
  }

  /** A batch with room for `bytes`, of `limit` at most; undefined when that would pass `bufferMemory`. */
  take(bytes: number, limit: number): ProducerBatch | undefined {
    const size = Math.min(Math.max(bytes, this.#batchSize), limit)
    // One batch may always be taken, or a record larger than bufferMemory would wait for ever.
    if (this.#takenBytes > 0 && this.#takenBytes + size > this.#bufferMemory) return undefined
    this.#takenBytes += size
    const pooled = size === this.#batchSize ? this.#free.pop() : undefined
    if (pooled !== undefined) {
      this.#pooledBytes -= size
      return pooled
    }
    return new ProducerBatch(new RecordBatchBuilder(size))
  }

  giveBack(batch: ProducerBatch): void {
    const size = batch.builder.bytes.length
    this.#takenBytes -= size
    batch.destination = undefined
    if (size !== this.#batchSize || this.#pooledBytes + size > this.#bufferMemory) return
    this.#pooledBytes += size
    this.#free.push(batch)
  }
}
