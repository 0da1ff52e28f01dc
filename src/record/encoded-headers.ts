// The headers of one record as they will lie in it, in memory that is used again. Written
// here before the record is, since a record begins with its length.
// Runs on the producer's thread, once a record that has headers.
//
//   ┌ length │ name ┬ length │ value ┐ ┌ length │ name ┬ …      lengths are varints, that of null is -1;
//   └ of the first header            ┘ └ of the second          the builder writes their count before them
//
// Holds: nothing is allocated where headers are no larger than those before them.

import { LOOP_BYTES_MAX, LOOP_CHARACTERS_MAX, UTF8_BYTES_MAX } from './record-fields.ts'
import type { RecordBytes } from './record.ts'
import { sizeOfVarint, writeSmallVarint, writeVarint } from './varint.ts'

const BYTES_MIN = 256
/** Memory beyond this is let go of before the next record. */
const KEPT_BYTES_MAX = 65_536
const VARINT_BYTES_MAX = 5
/** The length of a text below this is a varint of one byte. */
const SHORT = 0x40

export class EncodedHeaders {
  /** The headers, one behind the other, are in [0, length). */
  bytes: Uint8Array
  length = 0
  count = 0
  /** The same memory, as Node writes text. */
  #room: Buffer

  constructor() {
    this.#room = Buffer.allocUnsafeSlow(BYTES_MIN)
    this.bytes = new Uint8Array(this.#room.buffer)
  }

  /** Bytes with their count before them. */
  get sizeInBytes(): number {
    return sizeOfVarint(this.count) + this.length
  }

  /** Forgets all headers. */
  reset(): void {
    this.length = 0
    this.count = 0
    if (this.bytes.length > KEPT_BYTES_MAX) this.#grow(BYTES_MIN)
  }

  add(name: string, value: RecordBytes): void {
    const valueBytesMax = value === null ? 0 : typeof value === 'string' ? value.length * UTF8_BYTES_MAX : value.length
    const end = this.length + 2 * VARINT_BYTES_MAX + name.length * UTF8_BYTES_MAX + valueBytesMax
    if (end > this.bytes.length) this.#grow(end)
    let at = this.#writeText(this.length, name)
    if (typeof value === 'string') at = this.#writeText(at, value)
    else if (value === null) at = writeVarint(this.bytes, at, -1)
    else {
      at = writeVarint(this.bytes, at, value.length)
      this.bytes.set(value, at)
      at += value.length
    }
    this.length = at
    this.count++
  }

  /** Copies all of them to where there is room. */
  copyTo(target: Uint8Array, at: number): void {
    const { bytes, length } = this
    if (length > LOOP_BYTES_MAX) this.#room.copy(target, at, 0, length)
    else for (let i = 0; i < length; i++) target[at + i] = bytes[i]!
  }

  #writeText(at: number, text: string): number {
    const bytes = this.bytes
    const length = text.length
    if (length <= LOOP_CHARACTERS_MAX) {
      const start = writeSmallVarint(bytes, at, length)
      let seen = 0
      for (let i = 0; i < length; i++) {
        const character = text.charCodeAt(i)
        seen |= character
        bytes[start + i] = character
      }
      if (seen < 0x80) return start + length
    } else if (length < SHORT && this.#room.write(text, at + 1) === length) {
      // As many bytes as characters: it is ASCII.
      return writeSmallVarint(bytes, at, length) + length
    }
    const start = writeVarint(bytes, at, Buffer.byteLength(text))
    return start + this.#room.write(text, start)
  }

  /** Takes memory of so many bytes at least, with what is in it now as far as it is in use. */
  #grow(bytesMin: number): void {
    const room = Buffer.allocUnsafeSlow(bytesMin <= BYTES_MIN ? BYTES_MIN : 2 ** Math.ceil(Math.log2(bytesMin)))
    const before = this.#room
    this.#room = room
    this.bytes = new Uint8Array(room.buffer)
    before.copy(room, 0, 0, this.length)
  }
}
