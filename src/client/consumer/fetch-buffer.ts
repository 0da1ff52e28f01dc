// The private memory that an iterator copies batches into, used again and again as
// long as nobody keeps a record of it. Private to the consumer's thread.
// Holds: at most one batch lies in it; asking for the next one ends the one before.

import { RecordCursor } from '../../record/record-cursor.ts'
import { ConsumerBatch } from './consumer-batch.ts'
import type { BatchMemory } from './consumer-batch.ts'
import type { RecordSource } from './record-source.ts'

export class FetchBuffer implements BatchMemory {
  /** What the shared log reader copies into; it may put a larger array here. */
  bytes: Uint8Array<ArrayBuffer>
  length = 0
  readonly #cursor = new RecordCursor()
  #last: ConsumerBatch | undefined

  constructor(capacity: number) {
    this.bytes = allocate(capacity)
  }

  /** The batch that was just copied here. */
  hold(source: RecordSource, partition: number, firstOffset: number, nextOffset: number): ConsumerBatch {
    const range = { firstOffset, nextOffset, bytes: this.bytes, length: this.length }
    this.#last = new ConsumerBatch(source, partition, range, this, this.#cursor)
    return this.#last
  }

  /** Makes room for so many bytes, where nothing lies. */
  reserve(capacity: number): void {
    if (this.bytes.length < capacity) this.bytes = allocate(capacity)
  }

  /** Ends the batch that lies here, so that the memory may be overwritten. */
  release(): void {
    this.#last?.expire()
    this.#last = undefined
  }

  /** Records are made from this memory: they own it now, and the next batch gets other memory. */
  keep(): Uint8Array<ArrayBuffer> {
    const { bytes, length } = this
    // A small batch in a large buffer is copied out, so that keeping a record keeps little.
    if (length * 2 < bytes.length) return bytes.slice(0, length)
    this.bytes = allocate(bytes.length)
    return bytes
  }
}

/** Memory that is not zeroed first: only what was copied into it is ever handed out. */
function allocate(capacity: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(capacity)
  return new Uint8Array(buffer, byteOffset, capacity)
}
