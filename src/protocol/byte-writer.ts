// Kafka's primitive types, written one after another into memory that grows by doubling.
// Numbers are big-endian; lengths of compact types are unsigned varints, one more than
// the length, with 0 for null.
// Any thread; the memory is private to the writer.
// Holds: values are in range; whoever calls has checked them.

import type { Uuid } from './schema.ts'

const TWO_POW_32 = 0x1_0000_0000
/** Up to here a loop over the characters is faster than a call. */
const LOOPED_CHARACTERS_MAX = 48

const floatBytes = new DataView(new ArrayBuffer(8))

export class ByteWriter {
  /** Where bytes go; another one after it has grown. */
  bytes: Buffer
  /** How many bytes are written. */
  position = 0

  constructor(capacityBytes = 256) {
    this.bytes = Buffer.alloc(capacityBytes)
  }

  reset(): void {
    this.position = 0
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(0, this.position))
  }

  writeInt8(value: number): void {
    const at = this.#claim(1)
    this.bytes[at] = value
  }

  writeBoolean(value: boolean): void {
    this.writeInt8(value ? 1 : 0)
  }

  writeInt16(value: number): void {
    const at = this.#claim(2)
    const { bytes } = this
    bytes[at] = value >> 8
    bytes[at + 1] = value
  }

  writeInt32(value: number): void {
    const at = this.#claim(4)
    const { bytes } = this
    bytes[at] = value >> 24
    bytes[at + 1] = value >> 16
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value
  }

  /** A safe integer; Infinity is the largest 64-bit number. */
  writeInt64(value: number): void {
    if (value === Number.POSITIVE_INFINITY) {
      this.writeInt32(0x7fff_ffff)
      this.writeInt32(-1)
      return
    }
    this.writeInt32(Math.floor(value / TWO_POW_32))
    // ToInt32 takes a number modulo 2^32, so this is the low word of negative numbers too.
    this.writeInt32(value | 0)
  }

  writeLong(value: bigint): void {
    this.writeInt32(Number(BigInt.asIntN(32, value >> 32n)))
    this.writeInt32(Number(BigInt.asIntN(32, value)))
  }

  writeFloat64(value: number): void {
    floatBytes.setFloat64(0, value)
    this.writeInt32(floatBytes.getInt32(0))
    this.writeInt32(floatBytes.getInt32(4))
  }

  writeUuid(value: Uuid): void {
    for (let i = 0; i < 4; i++) this.writeInt32(value[i]!)
  }

  /** A whole number below 2^32. */
  writeUnsignedVarint(value: number): void {
    this.#put(this.#claim(sizeOfUnsignedVarint(value)), value)
  }

  /** UTF-8, without a length; how many bytes it took. */
  writeText(value: string): number {
    const start = this.#claim(value.length * 3)
    const { bytes } = this
    let written = 0
    if (value.length <= LOOPED_CHARACTERS_MAX) {
      while (written < value.length) {
        const character = value.charCodeAt(written)
        if (character > 0x7f) break
        bytes[start + written++] = character
      }
    }
    if (written < value.length) written = bytes.write(value, start, 'utf8')
    this.position = start + written
    return written
  }

  /** Bytes as they are, without a length. */
  writeRaw(value: Uint8Array): void {
    const at = this.#claim(value.length)
    this.bytes.set(value, at)
  }

  /** Room for a length that is known later: `endInt16`, `endVarint`. */
  begin(lengthBytes: number): number {
    return this.#claim(lengthBytes)
  }

  /** Writes the length of what was written since `begin(2)` as an int16. */
  endInt16(at: number): number {
    const length = this.position - at - 2
    this.bytes[at] = length >> 8
    this.bytes[at + 1] = length
    return length
  }

  /** Writes the length of what was written since `begin(1)`, plus `more`, as a varint; makes room where it takes more than a byte. */
  endVarint(at: number, more: number): number {
    const end = this.position
    const length = end - at - 1
    const value = length + more
    const shift = sizeOfUnsignedVarint(value) - 1
    if (shift > 0) {
      this.#claim(shift)
      this.bytes.copyWithin(at + 1 + shift, at + 1, end)
    }
    this.#put(at, value)
    return length
  }

  #claim(length: number): number {
    const at = this.position
    const end = at + length
    if (end > this.bytes.length) this.#grow(end)
    this.position = end
    return at
  }

  #put(at: number, value: number): void {
    const { bytes } = this
    while (value > 0x7f) {
      bytes[at++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    bytes[at] = value
  }

  #grow(needed: number): void {
    const larger = Buffer.alloc(Math.max(needed, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.position))
    this.bytes = larger
  }
}

function sizeOfUnsignedVarint(value: number): number {
  // A byte for each seven bits begun; `| 1` gives zero its one byte.
  return (((38 - Math.clz32(value | 1)) * 37) >> 8) | 0
}
