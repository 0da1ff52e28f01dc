// Kafka's primitive types, read one after another from bytes that nobody vouches for.
// Numbers are big-endian; lengths of compact types are unsigned varints, one more than
// the length, with 0 for null.
// Any thread, over memory that no other thread writes.
// Holds: nothing is read outside the given range; a length or a count is believed only
// as far as bytes are there for it; what decoding may allocate is counted before it is
// allocated, and refused beyond the limit; every refusal is a MillraceError.

import { MillraceError } from '../errors.ts'
import type { Uuid } from './schema.ts'

/** From a client: INVALID_REQUEST. From a log: CORRUPT_MESSAGE. */
export type MalformedCode = 'INVALID_REQUEST' | 'CORRUPT_MESSAGE'

export interface ByteReaderOptions {
  readonly start?: number
  readonly end?: number
  /** What an error says; INVALID_REQUEST unless given. */
  readonly code?: MalformedCode
  /** What decoding may allocate; `untrustedLimitBytes` unless given. */
  readonly allocationLimitBytes?: number
}

const TWO_POW_32 = 0x1_0000_0000
const STRING_BYTES_MAX = 0x7fff
// A 64-bit number is safe when its high word lies between this and its negative.
const SAFE_HIGH_WORD = 0x20_0000
const INT64_MAX_HIGH_WORD = 0x7fff_ffff
/** A string object, besides its characters. */
const STRING_OBJECT_BYTES = 24
/** A view of bytes: the typed array object. */
const VIEW_OBJECT_BYTES = 128

const floatBytes = new DataView(new ArrayBuffer(8))

/**
 * What decoding may allocate for so many bytes of a peer that nobody vouches for. Small
 * structs take up to ten times their bytes as objects: `slackBytes` is room for honest
 * messages that hold many of them. 64 KiB is enough for some 300 topics of one partition.
 */
export function untrustedLimitBytes(inputBytes: number, slackBytes = 65_536): number {
  return 4 * inputBytes + slackBytes
}

export class ByteReader {
  readonly bytes: Uint8Array
  /** Nothing is read here or behind; a tagged field narrows it to its own end. */
  limit: number
  position: number
  /** Bytes that decoding may still allocate. */
  allocationLeftBytes: number
  /** What is being read, for errors. */
  subject = 'bytes'
  readonly #code: MalformedCode
  #text: Buffer | undefined

  constructor(bytes: Uint8Array, options: ByteReaderOptions = {}) {
    this.bytes = bytes
    this.position = options.start ?? 0
    this.limit = options.end ?? bytes.length
    this.#code = options.code ?? 'INVALID_REQUEST'
    this.allocationLeftBytes = options.allocationLimitBytes ?? untrustedLimitBytes(this.limit - this.position)
  }

  get remaining(): number {
    return this.limit - this.position
  }

  /** Accounts for memory before it is allocated. */
  charge(bytes: number): void {
    this.allocationLeftBytes -= bytes
    if (this.allocationLeftBytes < 0) throw this.malformed('more objects than its size allows')
  }

  readInt8(): number {
    return (this.bytes[this.#take(1)]! << 24) >> 24
  }

  readBoolean(): boolean {
    return this.bytes[this.#take(1)] !== 0
  }

  readInt16(): number {
    const { bytes } = this
    const at = this.#take(2)
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16)) >> 16
  }

  readUint16(): number {
    return this.readInt16() & 0xffff
  }

  readInt32(): number {
    const { bytes } = this
    const at = this.#take(4)
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  readUint32(): number {
    return this.readInt32() >>> 0
  }

  /** A number; one that is no safe integer is refused. */
  readInt64(): number {
    const high = this.readInt32()
    const low = this.readInt32() >>> 0
    const value = high * TWO_POW_32 + low
    // -2^53 alone has a safe high word and is not safe.
    if (high >= SAFE_HIGH_WORD || high < -SAFE_HIGH_WORD || (high === -SAFE_HIGH_WORD && low === 0)) {
      throw this.malformed('a 64-bit number beyond 2^53 - 1')
    }
    return value
  }

  /** As `readInt64`, with Infinity for the largest 64-bit number. */
  readInt64OrInfinity(): number {
    const at = this.position
    const isMax = this.readInt32() === INT64_MAX_HIGH_WORD && this.readInt32() === -1
    if (isMax) return Number.POSITIVE_INFINITY
    this.position = at
    return this.readInt64()
  }

  readLong(): bigint {
    const high = this.readInt32()
    return (BigInt(high) << 32n) | BigInt(this.readInt32() >>> 0)
  }

  readFloat64(): number {
    floatBytes.setInt32(0, this.readInt32())
    floatBytes.setInt32(4, this.readInt32())
    return floatBytes.getFloat64(0)
  }

  readUuid(): Uuid {
    if (this.remaining < 16) throw this.#short(16)
    return [this.readInt32(), this.readInt32(), this.readInt32(), this.readInt32()]
  }

  readUnsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.bytes[this.#take(1)]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    // The fifth byte has the last four bits.
    const last = this.bytes[this.#take(1)]!
    if (last > 0x0f) throw this.malformed('a varint of more than 32 bits')
    return (value | (last << 28)) >>> 0
  }

  readString(): string {
    return this.#string(this.readInt16()) ?? this.#refuseNull()
  }

  readNullableString(): string | null {
    return this.#string(this.readInt16())
  }

  readCompactString(): string {
    return this.#string(this.readUnsignedVarint() - 1) ?? this.#refuseNull()
  }

  readCompactNullableString(): string | null {
    return this.#string(this.readUnsignedVarint() - 1)
  }

  /** A view of the input, not a copy; so are the others below. */
  readBytes(): Uint8Array {
    return this.#view(this.readInt32()) ?? this.#refuseNull()
  }

  readNullableBytes(): Uint8Array | null {
    return this.#view(this.readInt32())
  }

  readCompactBytes(): Uint8Array {
    return this.#view(this.readUnsignedVarint() - 1) ?? this.#refuseNull()
  }

  readCompactNullableBytes(): Uint8Array | null {
    return this.#view(this.readUnsignedVarint() - 1)
  }

  /** A count of elements that take `elementBytes` or more each; -1 for null. */
  readCount(isCompact: boolean, isNullable: boolean, elementBytes: number): number {
    const count = isCompact ? this.readUnsignedVarint() - 1 : this.readInt32()
    if (count === -1 && isNullable) return -1
    if (count < 0 || count * Math.max(1, elementBytes) > this.remaining) throw this.malformed(`an array of ${count} elements`)
    return count
  }

  skip(length: number): void {
    this.#take(length)
  }

  expectEnd(): void {
    if (this.position !== this.limit) throw this.malformed(`${this.remaining} bytes behind its end`)
  }

  /** The error for what was found at the reader's position. */
  malformed(found: string): MillraceError {
    const verdict = this.#code === 'INVALID_REQUEST' ? 'it does not follow the protocol' : 'the record is damaged'
    return new MillraceError(this.#code, `${this.subject}: found ${found} at byte ${this.position}: ${verdict}`)
  }

  #take(length: number): number {
    const at = this.position
    if (length > this.limit - at) throw this.#short(length)
    this.position = at + length
    return at
  }

  #short(length: number): MillraceError {
    return this.malformed(`${this.remaining} bytes where ${length} are needed`)
  }

  #refuseNull(): never {
    throw this.malformed('a null where none may be')
  }

  #string(length: number): string | null {
    if (length <= 0) return length === 0 ? '' : this.#nullLength(length)
    if (length > STRING_BYTES_MAX) throw this.malformed(`a string of ${length} bytes`)
    const at = this.#take(length)
    // A character of two bytes makes two bytes of each.
    this.charge(STRING_OBJECT_BYTES + 2 * length)
    this.#text ??= Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
    return this.#text.toString('utf8', at, at + length)
  }

  #view(length: number): Uint8Array | null {
    if (length < 0) return this.#nullLength(length)
    const at = this.#take(length)
    this.charge(VIEW_OBJECT_BYTES)
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, length)
  }

  #nullLength(length: number): null {
    if (length !== -1) throw this.malformed(`a length of ${length}`)
    return null
  }
}
