// Reads plain values from MessagePack where they lie: nil, booleans, numbers, texts, and arrays
// and maps of them with texts for keys, which is what most records are. At anything else, and at
// anything wrong, it gives up: the careful way (msgpack-scan.ts, then the library) reads the whole
// value again, and says what is wrong with it. So what is refused, and why, stands in one place.
//
// Runs on the reader's thread. Holds: a value read here is the one that the careful way would give
// (a test compares them); an array or map never takes memory for more values than bytes are left.

import { utf8Slice } from './utf8.ts'

/** What `decode` gives when the careful way must be taken: equals no value. */
export const NOT_PLAIN: unique symbol = Symbol('not plain')

/** Deeper values are rare, and recursion is bounded. */
const DEPTH_MAX = 64
/** Names of properties come again and again: so many are kept, each as long as one byte of head can say. */
const KEPT_NAMES = 256
const NAME_BYTES_MAX = 31
/** Up to here a loop beats a native call (about 100 ns). */
const SHORT_BYTES_MAX = 9
const REPLACEMENT = '\ufffd'
/** High words of integers up to 2^53 - 1. */
const SAFE_HIGH_MAX = 0x1f_ffff

interface KeptName {
  readonly bytes: Uint8Array
  readonly text: string
}

const float = new Float64Array(1)
const floatBytes = new Uint8Array(float.buffer)
const float32 = new Float32Array(float.buffer)
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export class PlainDecoder {
  readonly #names: (KeptName | undefined)[] = Array.from({ length: KEPT_NAMES }, () => undefined)
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0

  /** The value in [start, end), all of it; NOT_PLAIN when the careful way must be taken. */
  decode(bytes: Uint8Array, start: number, end: number): unknown {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    const value = this.#read(0)
    return this.#at === end ? value : NOT_PLAIN
  }

  #read(depth: number): unknown {
    if (this.#at >= this.#end) return NOT_PLAIN
    const head = this.#bytes[this.#at++]!
    if (head < 0x80) return head
    if (head >= 0xe0) return head - 0x100
    if (head >= 0xa0 && head < 0xc0) return this.#readText(head & 0x1f)
    if (head < 0x90) return this.#readMap(head & 0x0f, depth)
    if (head < 0xa0) return this.#readArray(head & 0x0f, depth)
    return this.#readOther(head, depth)
  }

  #readOther(head: number, depth: number): unknown {
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xca:
        return this.#readFloat(4)
      case 0xcb:
        return this.#readFloat(8)
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#readUnsigned(1 << (head - 0xcc))
      case 0xcf:
        return this.#readLong(false)
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#readSigned(1 << (head - 0xd0))
      case 0xd3:
        return this.#readLong(true)
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#readText(this.#readUnsigned(1 << (head - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#readArray(this.#readUnsigned(2 << (head - 0xdc)), depth)
      case 0xde:
      case 0xdf:
        return this.#readMap(this.#readUnsigned(2 << (head - 0xde)), depth)
      default:
        return NOT_PLAIN
    }
  }

  /** An integer of 1, 2 or 4 bytes; behind the end it is 0, and the position says so. */
  #readUnsigned(size: number): number {
    const bytes = this.#bytes
    const at = this.#at
    this.#at = at + size
    if (at + size > this.#end) return 0
    if (size === 1) return bytes[at]!
    if (size === 2) return (bytes[at]! << 8) | bytes[at + 1]!
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  }

  #readSigned(size: number): number {
    const shift = 32 - 8 * size
    return (this.#readUnsigned(size) << shift) >> shift
  }

  #readLong(isSigned: boolean): unknown {
    const unsigned = this.#readUnsigned(4)
    const low = this.#readUnsigned(4)
    const high = isSigned ? unsigned | 0 : unsigned
    if (high > SAFE_HIGH_MAX || high < -SAFE_HIGH_MAX) return NOT_PLAIN
    return high * 0x1_0000_0000 + low
  }

  #readFloat(size: number): unknown {
    const bytes = this.#bytes
    const at = this.#at
    this.#at = at + size
    if (at + size > this.#end) return NOT_PLAIN
    if (isLittleEndian) for (let i = 0; i < size; i++) floatBytes[i] = bytes[at + size - 1 - i]!
    else for (let i = 0; i < size; i++) floatBytes[i] = bytes[at + i]!
    return size === 8 ? float[0]! : float32[0]!
  }

  #readText(length: number): unknown {
    const start = this.#at
    const end = start + length
    this.#at = end
    if (end > this.#end || utf8Slice === undefined) return NOT_PLAIN
    if (length <= SHORT_BYTES_MAX) {
      const short = asciiText(this.#bytes, start, end)
      if (short !== undefined) return short
    }
    const text = utf8Slice.call(this.#bytes, start, end)
    // It stands for bytes that are no UTF-8, perhaps.
    return text.includes(REPLACEMENT) ? NOT_PLAIN : text
  }

  #readArray(length: number, depth: number): unknown {
    if (length > this.#end - this.#at || depth >= DEPTH_MAX) return NOT_PLAIN
    const array: unknown[] = []
    for (let i = 0; i < length; i++) {
      const item = this.#read(depth + 1)
      if (item === NOT_PLAIN) return NOT_PLAIN
      array.push(item)
    }
    return array
  }

  #readMap(length: number, depth: number): unknown {
    if (2 * length > this.#end - this.#at || depth >= DEPTH_MAX) return NOT_PLAIN
    const map: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const name = this.#readName()
      if (name === undefined) return NOT_PLAIN
      const value = this.#read(depth + 1)
      if (value === NOT_PLAIN) return NOT_PLAIN
      map[name] = value
    }
    return map
  }

  /** Of a property; undefined where it is no short text, or one that must be refused. */
  #readName(): string | undefined {
    const bytes = this.#bytes
    const start = this.#at + 1
    const length = bytes[start - 1]! - 0xa0
    const end = start + length
    // Behind the last byte the length is no number.
    if (!(length >= 0 && length <= NAME_BYTES_MAX && end <= this.#end)) return undefined
    this.#at = end
    if (length === 0) return ''
    const slot = (length + 31 * bytes[start]! + 7 * bytes[end - 1]!) & (KEPT_NAMES - 1)
    const kept = this.#names[slot]
    if (kept !== undefined && isSame(kept.bytes, bytes, start, length)) return kept.text
    const text = utf8Slice?.call(bytes, start, end)
    if (text === undefined || text === '__proto__' || text.includes(REPLACEMENT)) return undefined
    this.#names[slot] = { bytes: bytes.slice(start, end), text }
    return text
  }
}

/** Four characters at a time: fewer texts to join. undefined where a byte is not ASCII. */
function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  let at = start
  for (; at + 4 <= end; at += 4) {
    const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!]
    if ((a | b | c | d) >= 0x80) return undefined
    text += String.fromCharCode(a, b, c, d)
  }
  for (; at < end; at++) {
    if (bytes[at]! >= 0x80) return undefined
    text += String.fromCharCode(bytes[at]!)
  }
  return text
}

function isSame(kept: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (kept.length !== length) return false
  for (let i = 0; i < length; i++) if (kept[i] !== bytes[start + i]) return false
  return true
}
