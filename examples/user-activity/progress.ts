// How far producers and consumers have come, in memory that all threads share.
//
// Log memory is finite: when it is full, the partition that holds most gives up its
// oldest extent, a piece of up to 8 MiB. Full memory is shared out over the topics'
// partitions, so that partition holds at least an even share. As long as all that is
// offered and not yet read fits into half of such a share, and into what is left of
// it when the oldest extent goes and the newest is still empty, the records that go
// have been read. Producers wait while they are further ahead than that: so nothing
// is missed, however long the input is and however slow a consumer.
//
//   word   0               1
//         +---------------+------------+
//         | bytes offered | bytes read |
//         +---------------+------------+
//
// Producer threads add what they offer, the main thread what has been read and counted.
// Words are 32 bits wide and wrap round: only differences are used. Each step is
// one atomic addition; a reader that is a moment late sees a producer further
// ahead than it is, which only makes it wait a little longer.

import { setTimeout as pause } from 'node:timers/promises'

const OFFERED_BYTES = 0
const READ_BYTES = 1

export function allocateProgress(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
}

const EXTENT_BYTES_MAX = 8 * 1_048_576

/** How much may be offered and not yet read, with `partitions` in log memory; below 1: there is too little memory. */
export function aheadBytesMax(logMemoryBytes: number, partitions: number): number {
  const share = Math.floor(logMemoryBytes / partitions)
  return Math.min(Math.floor(share / 2), share - 2 * EXTENT_BYTES_MAX, 0x4000_0000)
}

/** An upper bound of what a record takes in the log: JSON writes a character as at most six bytes (\u0007). */
export function recordBytesMax(characters: number): number {
  return FIELD_NAMES_AND_NUMBERS_BYTES + 6 * characters
}

const FIELD_NAMES_AND_NUMBERS_BYTES = 256

export class Progress {
  readonly #words: Int32Array

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  addOffered(bytes: number): void {
    Atomics.add(this.#words, OFFERED_BYTES, bytes)
  }

  addRead(bytes: number): void {
    Atomics.add(this.#words, READ_BYTES, bytes)
  }

  /** Bytes offered and not yet read. */
  aheadBytes(): number {
    return (Atomics.load(this.#words, OFFERED_BYTES) - Atomics.load(this.#words, READ_BYTES)) | 0
  }

  /** Waits, if producers are more than `bytesMax` ahead, until it is half of that: then they can go on for a while. */
  async room(bytesMax: number): Promise<void> {
    if (this.aheadBytes() <= bytesMax) return
    while (this.aheadBytes() > bytesMax / 2) await pause(1)
  }
}
