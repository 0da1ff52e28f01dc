// The memory that a producer's batches live in: `bufferMemory` bytes, no more, those that
// wait to be used again included, and the copies that are being compressed elsewhere. Batches
// of the usual sizes are reused, last in, first out, so that a busy producer keeps writing
// memory that is still in its core's cache.
//
//   512 B   1 KiB   2 KiB   …   batchSize     a list of free batches each
//
// Where copies are made some room is kept for them: a producer at full speed would leave none.
// Private to one thread.

import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import { ProducerBatch } from './producer-batch.ts'

const BATCH_BYTES_MIN = 512
/** Copies of batches that there are at once: two a thread of the pool, one for it to take when it is done. */
export const COPIES_MAX = 4
/** Of bufferMemory: what is kept for them at the most. */
const COPIES_SHARE = 1 / 4

export class BatchPool {
  readonly #batchSize: number
  readonly #bufferMemory: number
  /** By size: from the smallest to that of the producer, and those of topics that take no larger batch. */
  readonly #free = new Map<number, ProducerBatch[]>()
  #takenBytes = 0
  #pooledBytes = 0
  #copiedBytes = 0
  /** Bytes that no batch takes. */
  #keptForCopies = 0

  constructor(batchSize: number, bufferMemory: number) {
    this.#batchSize = batchSize
    this.#bufferMemory = bufferMemory
  }

  /** Bytes of memory that batches in use hold. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Bytes of memory that batches hold which wait to be used again. */
  get pooledBytes(): number {
    return this.#pooledBytes
  }

  /** Bytes of memory that copies of batches hold. */
  get copiedBytes(): number {
    return this.#copiedBytes
  }

  /** Bytes of memory for a batch with room for `bytes`, of `limit` at most: a usual size, or a record's that is larger than any. */
  sizeFor(bytes: number, limit: number): number {
    const most = Math.min(this.#batchSize, limit)
    if (bytes >= most) return Math.min(bytes, limit)
    let size = BATCH_BYTES_MIN
    while (size < bytes) size *= 2
    return Math.min(size, most)
  }

  /** Whether `take` would give a batch of this size now. */
  hasRoom(size: number): boolean {
    // One batch may always be taken, or a record larger than bufferMemory would wait for ever.
    if (this.#takenBytes + this.#copiedBytes === 0) return true
    return this.#takenBytes + Math.max(this.#copiedBytes, this.#keptForCopies) + size <= this.#bufferMemory
  }

  /** A batch of a size that `sizeFor` gave; undefined when that would pass `bufferMemory`. */
  take(size: number): ProducerBatch | undefined {
    if (!this.hasRoom(size)) return undefined
    this.#takenBytes += size
    const pooled = size > this.#batchSize ? undefined : this.#free.get(size)?.pop()
    if (pooled === undefined) {
      this.#dropFree()
      return new ProducerBatch(new RecordBatchBuilder(size))
    }
    this.#pooledBytes -= size
    return pooled
  }

  giveBack(batch: ProducerBatch): void {
    const size = batch.builder.bytes.length
    this.#takenBytes -= size
    batch.letGo()
    if (size > this.#batchSize || this.#heldBytes + size > this.#bufferMemory) return
    this.#pooledBytes += size
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [batch])
    else free.push(batch)
  }

  /** Batches of this size will be copied. */
  keepForCopies(size: number): void {
    const wanted = Math.min(COPIES_MAX * size, Math.floor(this.#bufferMemory * COPIES_SHARE))
    if (wanted > this.#keptForCopies) this.#keptForCopies = wanted
  }

  /** Counts a copy of so many bytes; false when that would pass `bufferMemory`. */
  takeCopy(bytes: number): boolean {
    if (this.#takenBytes + this.#copiedBytes + bytes > this.#bufferMemory) return false
    this.#copiedBytes += bytes
    this.#dropFree()
    return true
  }

  giveBackCopy(bytes: number): void {
    this.#copiedBytes -= bytes
  }

  get #heldBytes(): number {
    return this.#takenBytes + this.#copiedBytes + this.#pooledBytes
  }

  /** Lets go of free batches, of sizes that are not asked for now, until memory is within its bound. */
  #dropFree(): void {
    if (this.#pooledBytes === 0 || this.#heldBytes <= this.#bufferMemory) return
    for (const [size, free] of this.#free) {
      while (free.length > 0) {
        if (this.#heldBytes <= this.#bufferMemory) return
        free.pop()
        this.#pooledBytes -= size
      }
    }
  }
}
