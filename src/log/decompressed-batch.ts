// A compressed batch of log memory, decompressed for the broker that leads the log: it looks
// for keys and times in it. Private to the broker's thread, one object for one batch after
// the other.
//
// Holds: a broker decompresses 16 MiB at most at a time, twice what the producers of this
// process put into a batch, so no batch keeps it from its lanes for long.

import { appendDecompressed } from '../record/batch-compression.ts'
import type { GrowingBytes } from '../record/batch-compression.ts'
import { copyBytes } from './copy-bytes.ts'

const BROKER_DECOMPRESSED_BYTES_MAX = 16 * 1024 * 1024
const KEPT_BYTES_MAX = 1024 * 1024

export class DecompressedBatch implements GrowingBytes {
  /** The batch is in [0, length), with no CRC. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  length = 0
  readonly #maxBytes: number
  #compressed: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  constructor(maxBytes: number = BROKER_DECOMPRESSED_BYTES_MAX) {
    this.#maxBytes = maxBytes
  }

  /** Takes the batch in bytes[start, end), of shared memory perhaps. Throws CORRUPT_MESSAGE, RECORD_LIST_TOO_LARGE. */
  take(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = new Uint8Array(0)
    if (this.#compressed.length < size || this.#compressed.length > KEPT_BYTES_MAX) this.#compressed = new Uint8Array(size)
    copyBytes(this.#compressed, 0, bytes, start, end)
    this.length = 0
    appendDecompressed(this.#compressed, 0, size, this, this.#maxBytes)
  }
}
