// Writes plain values as MessagePack: null, booleans, numbers, texts, and arrays and objects of
// them, which is what most records are. Anything else it leaves to the library, which then writes
// the whole value: so there is one place that knows dates, bytes and what must be refused.
//
// Runs on the user's thread. Holds: the bytes are those that the library would write (a test
// compares them); what `encode` gives is the encoder's own memory, valid until the next call;
// nothing is allocated for values of up to 1 KiB.

import { MSGPACK_DEPTH_MAX } from './msgpack-scan.ts'

const FIRST_BYTES = 4 * 1024
/** A value that needs more is left to the library. */
const BYTES_MAX = 256 * 1024
/** Views of the memory's beginning are kept up to this length: making one takes as long as a short value. */
const KEPT_VIEW_BYTES = 1024
/** Up to here a loop beats a native copy of text. */
const LOOP_CHARACTERS_MAX = 24
/** A head and eight bytes: the largest number, or the head of a text, array or object. */
const HEAD_BYTES_MAX = 9
const UTF8_BYTES_MAX = 3

export class PlainEncoder {
  #memory = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #view = new DataView(this.#memory.buffer)
  #kept: (Uint8Array | undefined)[] = []
  #at = 0
  /** A getter within a value may encode another. */
  #entered = false

  /** The bytes, borrowed until the next call; undefined when the value is not plain. Throws what its getters throw. */
  encode(value: unknown): Uint8Array | undefined {
    if (this.#entered) return undefined
    this.#entered = true
    this.#at = 0
    try {
      return this.#write(value, 1) ? this.#written() : undefined
    } finally {
      this.#entered = false
    }
  }

  #written(): Uint8Array {
    const length = this.#at
    if (length > KEPT_VIEW_BYTES) return new Uint8Array(this.#memory.buffer, 0, length)
    return (this.#kept[length] ??= new Uint8Array(this.#memory.buffer, 0, length))
  }

  /** False, with anything written so far to be forgotten, when the value is not plain. */
  #write(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        return this.#writeText(value)
      case 'number':
        return this.#writeNumber(value)
      case 'boolean':
        return this.#writeByte(value ? 0xc3 : 0xc2)
      case 'undefined':
        return this.#writeByte(0xc0)
      case 'object':
        if (value === null) return this.#writeByte(0xc0)
        if (depth >= MSGPACK_DEPTH_MAX) return false
        if (Array.isArray(value)) return Object.getPrototypeOf(value) === Array.prototype && this.#writeArray(value, depth)
        return Object.getPrototypeOf(value) === Object.prototype && this.#writeObject(value as Record<string, unknown>, depth)
      default:
        return false
    }
  }

  #writeByte(byte: number): boolean {
    if (!this.#hasRoom(1)) return false
    this.#memory[this.#at++] = byte
    return true
  }

  #writeNumber(value: number): boolean {
    if (!this.#hasRoom(HEAD_BYTES_MAX)) return false
    const memory = this.#memory
    const at = this.#at
    if ((value | 0) === value && value >= -0x20 && value < 0x80) {
      memory[at] = value
      this.#at = at + 1
    } else if ((value | 0) === value && value > 0 && value < 0x1_0000) {
      if (value < 0x100) {
        memory[at] = 0xcc
        memory[at + 1] = value
        this.#at = at + 2
      } else {
        this.#writeHead16(0xcd, value)
      }
    } else if (Number.isSafeInteger(value)) {
      this.#writeInteger(value)
    } else {
      memory[at] = 0xcb
      this.#view.setFloat64(at + 1, value)
      this.#at = at + 9
    }
    return true
  }

  /** One that is negative, or takes four bytes or more. */
  #writeInteger(value: number): void {
    const view = this.#view
    const at = this.#at
    if (value >= 0 ? value < 0x1_0000_0000 : value >= -0x8000_0000) {
      if (value >= 0) {
        this.#writeHead32(0xce, value)
      } else if (value >= -0x80) {
        view.setUint16(at, 0xd000 | (value & 0xff))
        this.#at = at + 2
      } else if (value >= -0x8000) {
        this.#writeHead16(0xd1, value & 0xffff)
      } else {
        this.#writeHead32(0xd2, value)
      }
      return
    }
    this.#memory[at] = value >= 0 ? 0xcf : 0xd3
    view.setInt32(at + 1, Math.floor(value / 0x1_0000_0000))
    view.setInt32(at + 5, value | 0)
    this.#at = at + 9
  }

  #writeText(text: string): boolean {
    const length = text.length
    if (!this.#hasRoom(HEAD_BYTES_MAX + length * UTF8_BYTES_MAX)) return false
    const start = this.#at
    this.#writeTextHead(length)
    // Taken for ASCII, whose length needs no look at the text.
    if (length > LOOP_CHARACTERS_MAX) {
      if (this.#memory.write(text, this.#at) !== length) return this.#writeLongText(text, start)
      this.#at += length
      return true
    }
    const memory = this.#memory
    const at = this.#at
    let seen = 0
    for (let i = 0; i < length; i++) {
      const character = text.charCodeAt(i)
      seen |= character
      memory[at + i] = character
    }
    if (seen >= 0x80) return this.#writeLongText(text, start)
    this.#at = at + length
    return true
  }

  /** One whose bytes are more than its characters. */
  #writeLongText(text: string, start: number): boolean {
    // The library writes a lone surrogate its own way.
    if (!text.isWellFormed()) return false
    this.#at = start
    this.#writeTextHead(Buffer.byteLength(text))
    this.#at += this.#memory.write(text, this.#at)
    return true
  }

  #writeTextHead(bytes: number): void {
    if (bytes < 32) this.#memory[this.#at++] = 0xa0 | bytes
    else if (bytes < 0x100) {
      this.#memory[this.#at++] = 0xd9
      this.#memory[this.#at++] = bytes
    } else if (bytes < 0x1_0000) this.#writeHead16(0xda, bytes)
    else this.#writeHead32(0xdb, bytes)
  }

  #writeArray(array: readonly unknown[], depth: number): boolean {
    if (!this.#hasRoom(HEAD_BYTES_MAX)) return false
    const { length } = array
    if (length < 16) this.#memory[this.#at++] = 0x90 | length
    else if (length < 0x1_0000) this.#writeHead16(0xdc, length)
    else this.#writeHead32(0xdd, length)
    for (let i = 0; i < length; i++) if (!this.#write(array[i], depth + 1)) return false
    return true
  }

  /** Properties that are undefined are left out: the count in the head is set when they are known. */
  #writeObject(object: Record<string, unknown>, depth: number): boolean {
    const keys = Object.keys(object)
    if (keys.length > 15) return this.#writeLargeObject(object, keys, depth)
    if (!this.#hasRoom(1)) return false
    const head = this.#at++
    let count = 0
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      const value = object[key]
      if (value === undefined) continue
      count++
      if (!this.#writeText(key) || !this.#write(value, depth + 1)) return false
    }
    this.#memory[head] = 0x80 | count
    return true
  }

  #writeLargeObject(object: Record<string, unknown>, keys: readonly string[], depth: number): boolean {
    if (!this.#hasRoom(HEAD_BYTES_MAX)) return false
    const values = keys.map((key) => object[key])
    const count = values.reduce((sum: number, value) => (value === undefined ? sum : sum + 1), 0)
    if (count < 16) this.#memory[this.#at++] = 0x80 | count
    else if (count < 0x1_0000) this.#writeHead16(0xde, count)
    else this.#writeHead32(0xdf, count)
    for (let i = 0; i < keys.length; i++) {
      const value = values[i]
      if (value === undefined) continue
      if (!this.#writeText(keys[i]!) || !this.#write(value, depth + 1)) return false
    }
    return true
  }

  #writeHead16(head: number, value: number): void {
    const memory = this.#memory
    const at = this.#at
    memory[at] = head
    memory[at + 1] = value >> 8
    memory[at + 2] = value
    this.#at = at + 3
  }

  #writeHead32(head: number, value: number): void {
    const memory = this.#memory
    const at = this.#at
    memory[at] = head
    memory[at + 1] = value >> 24
    memory[at + 2] = value >> 16
    memory[at + 3] = value >> 8
    memory[at + 4] = value
    this.#at = at + 5
  }

  /** False when the value has grown beyond what is kept for plain ones. */
  #hasRoom(bytes: number): boolean {
    return this.#at + bytes <= this.#memory.length || this.#grow(this.#at + bytes)
  }

  #grow(bytes: number): boolean {
    if (bytes > BYTES_MAX) return false
    const memory = Buffer.allocUnsafeSlow(Math.min(BYTES_MAX, 2 * bytes))
    this.#memory.copy(memory, 0, 0, this.#at)
    this.#memory = memory
    this.#view = new DataView(memory.buffer)
    this.#kept = []
    return true
  }
}
