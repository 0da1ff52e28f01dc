// The bytes of a .log, read a window at a time: a walk from batch to batch costs one read
// each mebibyte, not one each batch. Any thread; on memory private to it.

import type { DiskFile } from '../disk/disk.ts'

/** What is read: an open file, or bytes. */
export type ByteSource = Pick<DiskFile, 'sizeInBytes' | 'read'>

/** Bytes that a walk over whole batches reads at once. */
export const WHOLE_BATCHES_WINDOW_BYTES = 1024 * 1024
/** Bytes that a walk over headers reads at once. */
export const HEADERS_WINDOW_BYTES = 4 * 1024

export class SegmentSource {
  readonly sizeInBytes: number
  /** The window; `at` gives places in it. */
  bytes: Uint8Array
  readonly #source: ByteSource
  /** Of the window's first byte in the file. */
  #position = 0
  #length = 0

  /** Nothing before `from` is asked for: no more memory is taken than that needs. */
  constructor(source: ByteSource, windowBytes: number, from = 0) {
    this.#source = source
    this.sizeInBytes = source.sizeInBytes()
    this.bytes = new Uint8Array(Math.min(windowBytes, Math.max(1, this.sizeInBytes - from)))
  }

  /** The position in the file behind the window. */
  get windowEnd(): number {
    return this.#position + this.#length
  }

  /** Where in `bytes` the `length` bytes from `position` on stand; -1 when the file ends before. Good until the next call. */
  at(position: number, length: number): number {
    if (position + length > this.sizeInBytes) return -1
    const at = position - this.#position
    if (at >= 0 && at + length <= this.#length) return at
    if (length > this.bytes.length) this.bytes = new Uint8Array(Math.min(this.sizeInBytes, Math.max(length, this.bytes.length * 2)))
    const wanted = Math.min(this.bytes.length, this.sizeInBytes - position)
    this.#position = position
    this.#length = this.#source.read(this.bytes, 0, wanted, position)
    return length <= this.#length ? 0 : -1
  }
}

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    sizeInBytes: () => bytes.length,
    read: (into, start, end, position) => {
      const part = bytes.subarray(position, position + end - start)
      into.set(part, start)
      return part.length
    },
  }
}
