// Zig-zag variable-length integers, as records hold them: seven bits a byte, lowest
// first, the top bit set on all but the last byte; 0, -1, 1, -2 are 0, 1, 2, 3.
// Pure; any thread.
// Holds: values are numbers, a varlong beyond 2^53 - 1 is refused; nothing is read
// at or behind the reader's limit.
//
// The builder and the cursor have the short cases inlined and come here for the rest.

import { corruptBatch } from './batch-errors.ts'

const TWO_POW_27 = 0x800_0000

/** Bytes of a 32-bit value: 1 to 5. */
export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint((value << 1) ^ (value >> 31))
}

/** Bytes of a safe integer: 1 to 8. */
export function sizeOfVarlong(value: number): number {
  if ((value | 0) === value) return sizeOfVarint(value | 0)
  const magnitude = value < 0 ? -value - 1 : value
  return 4 + sizeOfUnsignedVarint(Math.floor(magnitude / TWO_POW_27))
}

/** Writes a 32-bit value; the position behind it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  return writeUnsignedVarint(bytes, position, (value << 1) ^ (value >> 31))
}

/** Writes the varint of a number from 0 to 8,191; the position behind it. */
export function writeSmallVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0x40) {
    bytes[at] = value << 1
    return (at + 1) | 0
  }
  bytes[at] = (value << 1) | 0x80
  bytes[at + 1] = value >> 6
  return (at + 2) | 0
}

/** Writes a safe integer; the position behind it. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if ((value | 0) === value) return writeVarint(bytes, position, value | 0)
  const sign = value < 0 ? 1 : 0
  const magnitude = sign === 1 ? -value - 1 : value
  // Zig-zag doubles the magnitude, to 2^54: it is split before that, 28 bits and the rest.
  const low = (magnitude % TWO_POW_27) * 2 + sign
  const high = Math.floor(magnitude / TWO_POW_27)
  bytes[position] = low | 0x80
  bytes[position + 1] = (low >> 7) | 0x80
  bytes[position + 2] = (low >> 14) | 0x80
  bytes[position + 3] = (low >> 21) | 0x80
  return writeUnsignedVarint(bytes, position + 4, high)
}

function sizeOfUnsignedVarint(value: number): number {
  // A byte for each seven bits begun; `| 1` gives zero its one byte.
  return (((38 - Math.clz32(value | 1)) * 37) >> 8) | 0
}

/** Writes 32 bits that are not zig-zag; the position behind them. */
export function writeUnsignedVarint(bytes: Uint8Array, position: number, value: number): number {
  while ((value & ~0x7f) !== 0) {
    bytes[position++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  bytes[position++] = value
  return position
}

/** Reads one number after another from bytes that nobody vouches for. One object serves for ever. */
export class VarintReader {
  bytes: Uint8Array = new Uint8Array(0)
  position = 0
  limit = 0

  reset(bytes: Uint8Array, position: number, limit: number): void {
    this.bytes = bytes
    this.position = position
    this.limit = limit
  }

  readVarint(): number {
    const value = this.readUnsignedVarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** 32 bits that are not zig-zag, as the protocol's compact lengths; negative from 2^31 on. */
  readUnsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.readByte()
      // The fifth byte has the last four bits.
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw corruptBatch('a varint of more than 32 bits', this.position)
  }

  readVarlong(): number {
    let low = 0
    let high = 0
    for (let at = 0; at < 10; at++) {
      const byte = this.readByte()
      const bits = byte & 0x7f
      if (at < 4) low |= bits << (at * 7)
      else if (at < 8) high |= bits << ((at - 4) * 7)
      else if (bits !== 0) break
      if (byte < 0x80) return this.#join(low, high)
    }
    throw corruptBatch('a varlong that is no safe integer', this.position)
  }

  /** A length: -1 for null where `nullable`, else 0 or more, and as many bytes must be there. */
  readLength(nullable: boolean): number {
    const length = this.readVarint()
    if (length < (nullable ? -1 : 0) || length > this.limit - this.position) throw corruptBatch(`a length of ${length}`, this.position)
    return length
  }

  readByte(): number {
    if (this.position >= this.limit) throw corruptBatch('the end of the bytes inside a record', this.position)
    return this.bytes[this.position++]!
  }

  #join(low: number, high: number): number {
    const magnitude = high * TWO_POW_27 + (low >>> 1)
    const value = (low & 1) === 1 ? -magnitude - 1 : magnitude
    if (!Number.isSafeInteger(value)) throw corruptBatch('a varlong that is no safe integer', this.position)
    return value
  }
}
