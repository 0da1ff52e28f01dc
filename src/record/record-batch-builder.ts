// hot path 2/8: encodes records into the open batch of a partition (Kafka: MemoryRecordsBuilder).
// Runs on the producer's thread, in memory private to it: writing record by record
// into shared memory takes twice the time, so a full batch leaves in one bulk copy.
// The bytes are drawn in record-batch-layout.ts.
//
// Holds: `append` allocates nothing; when it returns false, or throws, the batch is
// what it was. A refused append may leave bytes behind `sizeInBytes`; nobody looks there.

import { assert } from '../assert.ts'
import { MillraceError } from '../errors.ts'
import { stampBatch, stampProducer, writeCrc, writeInt16, writeInt32, writeInt64 } from './record-batch.ts'
import {
  ATTRIBUTE_COMPRESSION_MASK,
  ATTRIBUTES,
  BASE_TIMESTAMP,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH,
  BATCH_LENGTH_OVERHEAD_BYTES,
  CRC,
  LAST_OFFSET_DELTA,
  MAGIC,
  MAGIC_V2,
  MAX_TIMESTAMP,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  RECORD_COUNT,
  RECORD_OVERHEAD_BYTES_MAX,
} from './record-batch-layout.ts'
import type { RecordHeader } from './record.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts'

/** A key or value: bytes, a text that is written as UTF-8, or null. */
export type RecordBytes = Uint8Array | string | null

export interface SealOptions {
  /** False leaves the CRC field 0: whoever takes the batch out of the process fills it in. */
  readonly withCrc: boolean
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  /** Attribute bits, of ATTRIBUTE_TRANSACTIONAL and its like. */
  readonly attributes?: number
}

/** Room behind the batch, so that a text cut off at the end of memory shows by its length. */
const SLACK_BYTES = 8
/** Up to here a loop beats the fixed cost of a native copy (about 12 ns). */
const LOOP_BYTES_MAX = 16
const LOOP_CHARACTERS_MAX = 12

// What `#times` holds: doubles in a typed array, because a double in a field or an
// argument may be boxed, which would be an allocation a record.
const LAST_MS = 0
const BASE_MS = 1
const MAX_MS = 2
const NEXT_MS = 3

/** Zig-zag deltas up to here are kept as a small integer. */
const SMALL_DELTA_MAX = 0x0fff_ffff
const LARGE_DELTA = -1

export class RecordBatchBuilder {
  /** The batch: header and records are in [0, sizeInBytes) once it is sealed. Its length is the capacity. */
  readonly bytes: Uint8Array
  /** The same memory and the slack behind it, as Node writes text. */
  readonly #room: Buffer
  readonly #times = new Float64Array(4)
  #position = BATCH_HEADER_BYTES
  #recordCount = 0
  /** The record count when the timestamp last changed: behind it all have the last timestamp. */
  #countAtTurn = 0
  /** The current timestamp's delta, zig-zag; LARGE_DELTA when it must be taken from `#times`. */
  #timestampDelta = 0
  #timestampDeltaBytes = 1

  /** Bytes of a batch that holds this record alone: no more than this, whatever its timestamp. */
  static sizeUpperBound(key: RecordBytes, value: RecordBytes, headers: readonly RecordHeader[] | null): number {
    return BATCH_HEADER_BYTES + RECORD_OVERHEAD_BYTES_MAX + sizeOfField(byteLength(key)) + sizeOfField(byteLength(value)) + sizeOfHeaders(headers)
  }

  constructor(capacityBytes: number) {
    assert(Number.isSafeInteger(capacityBytes) && capacityBytes >= BATCH_HEADER_BYTES, `a batch takes ${BATCH_HEADER_BYTES} bytes or more`)
    this.#room = Buffer.allocUnsafeSlow(capacityBytes + SLACK_BYTES)
    this.bytes = new Uint8Array(this.#room.buffer, 0, capacityBytes)
    this.reset()
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Bytes of the batch, header included: 61 when empty. */
  get sizeInBytes(): number {
    return this.#position
  }

  /** Forgets all records. */
  reset(): void {
    this.#position = BATCH_HEADER_BYTES
    this.#recordCount = 0
    this.#countAtTurn = 0
    // No timestamp equals NaN, so the first append sets it.
    this.#times[LAST_MS] = Number.NaN
    this.#times[MAX_MS] = Number.NaN
  }

  /**
   * Adds a record. False: there is no room for it, and it was not added.
   * Throws INVALID_TIMESTAMP unless the timestamp is a whole number from -1 on.
   */
  append(timestampMs: number, key: RecordBytes, value: RecordBytes, headers: readonly RecordHeader[] | null): boolean {
    // This much is short enough to be inlined into the caller, so that a timestamp is never boxed.
    if (timestampMs !== this.#times[LAST_MS]) {
      this.#times[NEXT_MS] = timestampMs
      this.#turnTimestamp()
    }
    if (headers === null && typeof key !== 'string' && typeof value !== 'string') return this.#appendBytes(key, value)
    return this.#appendAny(key, value, headers)
  }

  /** The common record: key and value are bytes or null, and there are no headers. */
  #appendBytes(key: Uint8Array | null, value: Uint8Array | null): boolean {
    const bytes = this.bytes
    const count = this.#recordCount
    const delta = this.#timestampDelta
    const keyBytes = key === null ? -1 : key.length
    const valueBytes = value === null ? -1 : value.length
    const size = 2 + this.#timestampDeltaBytes + sizeOfLength(count) + sizeOfField(keyBytes) + sizeOfField(valueBytes)
    let at = this.#position
    if (at + sizeOfLength(size) + size > bytes.length) return false
    at = writeLength(bytes, at, size)
    bytes[at++] = 0
    if (delta >= 0 && delta < 0x80) bytes[at++] = delta
    else at = this.#writeTimestampDelta(at)
    at = writeLength(bytes, at, count)
    if (key === null) bytes[at++] = 1
    else {
      at = writeLength(bytes, at, keyBytes)
      copyBytes(bytes, at, key, keyBytes)
      at += keyBytes
    }
    if (value === null) bytes[at++] = 1
    else {
      at = writeLength(bytes, at, valueBytes)
      copyBytes(bytes, at, value, valueBytes)
      at += valueBytes
    }
    bytes[at++] = 0
    this.#position = at
    this.#recordCount = count + 1
    return true
  }

  /** Any record. Texts are taken for ASCII first, whose length in bytes needs no look at the text. */
  #appendAny(key: RecordBytes, value: RecordBytes, headers: readonly RecordHeader[] | null): boolean {
    const headersBytes = sizeOfHeaders(headers)
    const keyBytes = key === null ? -1 : typeof key === 'string' ? key.length : key.length
    const valueBytes = value === null ? -1 : typeof value === 'string' ? value.length : value.length
    const size = 1 + this.#timestampDeltaBytes + sizeOfLength(this.#recordCount) + headersBytes
    const taken = this.#encode(size + sizeOfField(keyBytes) + sizeOfField(valueBytes), key, keyBytes, value, valueBytes, headers)
    if (taken !== TEXT_IS_WIDE) return taken === TAKEN
    const wideKeyBytes = byteLength(key)
    const wideValueBytes = byteLength(value)
    const wideSize = size + sizeOfField(wideKeyBytes) + sizeOfField(wideValueBytes)
    return this.#encode(wideSize, key, wideKeyBytes, value, wideValueBytes, headers) === TAKEN
  }

  #encode(
    size: number,
    key: RecordBytes,
    keyBytes: number,
    value: RecordBytes,
    valueBytes: number,
    headers: readonly RecordHeader[] | null,
  ): number {
    const bytes = this.bytes
    let at = this.#position
    if (at + sizeOfLength(size) + size > bytes.length) return NO_ROOM
    at = writeLength(bytes, at, size)
    bytes[at++] = 0
    at = this.#writeTimestampDelta(at)
    at = writeLength(bytes, at, this.#recordCount)
    at = this.#writeField(at, key, keyBytes)
    if (at < 0) return TEXT_IS_WIDE
    at = this.#writeField(at, value, valueBytes)
    if (at < 0) return TEXT_IS_WIDE
    this.#position = headers === null ? writeLength(bytes, at, 0) : this.#writeHeaders(at, headers)
    this.#recordCount++
    return TAKEN
  }

  /** Writes a length and as many bytes; -1 when a text has another length as UTF-8. */
  #writeField(at: number, field: RecordBytes, fieldBytes: number): number {
    const bytes = this.bytes
    if (field === null) {
      bytes[at] = 1
      return at + 1
    }
    at = writeLength(bytes, at, fieldBytes)
    if (typeof field !== 'string') copyBytes(bytes, at, field, fieldBytes)
    else if (fieldBytes <= LOOP_CHARACTERS_MAX && fieldBytes === field.length) {
      if (!copyAscii(bytes, at, field)) return -1
    } else if (this.#room.write(field, at) !== fieldBytes) return -1
    return at + fieldBytes
  }

  #writeHeaders(at: number, headers: readonly RecordHeader[]): number {
    at = writeLength(this.bytes, at, headers.length)
    for (const { key, value } of headers) {
      at = this.#writeField(at, key, byteLength(key))
      at = this.#writeField(at, value, byteLength(value))
    }
    return at
  }

  #writeTimestampDelta(at: number): number {
    const delta = this.#timestampDelta
    if (delta === LARGE_DELTA) return writeVarlong(this.bytes, at, this.#times[LAST_MS]! - this.#times[BASE_MS]!)
    return writeLength(this.bytes, at, delta >>> 1)
  }

  /** Makes `#times[NEXT_MS]` the current timestamp. */
  #turnTimestamp(): void {
    const times = this.#times
    const nextMs = times[NEXT_MS]!
    if (!Number.isSafeInteger(nextMs) || nextMs < -1) {
      throw new MillraceError('INVALID_TIMESTAMP', `a record's timestamp is a whole number of milliseconds since 1970, not ${nextMs}`)
    }
    this.#countLastTimestamp()
    if (this.#recordCount === 0) times[BASE_MS] = nextMs
    times[LAST_MS] = nextMs
    const delta = nextMs - times[BASE_MS]!
    const zigzag = delta < 0 ? -2 * delta - 1 : 2 * delta
    this.#timestampDelta = zigzag <= SMALL_DELTA_MAX ? zigzag : LARGE_DELTA
    this.#timestampDeltaBytes = sizeOfVarlong(delta)
  }

  /** Takes the last timestamp into the maximum, if a record has it. */
  #countLastTimestamp(): void {
    const times = this.#times
    if (this.#recordCount > this.#countAtTurn && !(times[LAST_MS]! <= times[MAX_MS]!)) times[MAX_MS] = times[LAST_MS]!
    this.#countAtTurn = this.#recordCount
  }

  /**
   * Finishes the header; returns the size of the batch. It may be sealed again,
   * with another producer epoch and sequence, or after more records.
   */
  seal(options: SealOptions): number {
    assert(this.#recordCount > 0, 'a batch that is sealed has a record')
    const bytes = this.bytes
    const attributes = options.attributes ?? 0
    assert((attributes & ATTRIBUTE_COMPRESSION_MASK) === 0, 'the records of this batch are not compressed')
    this.#countLastTimestamp()
    stampBatch(bytes, 0, 0, NO_LEADER_EPOCH)
    writeInt32(bytes, BATCH_LENGTH, this.#position - BATCH_LENGTH_OVERHEAD_BYTES)
    bytes[MAGIC] = MAGIC_V2
    writeInt16(bytes, ATTRIBUTES, attributes)
    writeInt32(bytes, LAST_OFFSET_DELTA, this.#recordCount - 1)
    writeInt64(bytes, BASE_TIMESTAMP, this.#times[BASE_MS]!)
    writeInt64(bytes, MAX_TIMESTAMP, this.#times[MAX_MS]!)
    stampProducer(
      bytes,
      0,
      options.producerId ?? NO_PRODUCER_ID,
      options.producerEpoch ?? NO_PRODUCER_EPOCH,
      options.baseSequence ?? NO_SEQUENCE,
    )
    writeInt32(bytes, RECORD_COUNT, this.#recordCount)
    if (options.withCrc) writeCrc(bytes, 0, this.#position)
    else writeInt32(bytes, CRC, 0)
    return this.#position
  }
}

// What #encode may come to.
const TAKEN = 1
const NO_ROOM = 0
const TEXT_IS_WIDE = -1

/** Bytes of the varint of a number that is not negative. */
function sizeOfLength(length: number): number {
  return length < 0x40 ? 1 : length < 0x2000 ? 2 : sizeOfVarint(length)
}

/** Bytes of a key or value with its length before it; -1 is null. */
function sizeOfField(length: number): number {
  return length < 0 ? 1 : sizeOfLength(length) + length
}

function sizeOfHeaders(headers: readonly RecordHeader[] | null): number {
  if (headers === null) return 1
  let size = sizeOfLength(headers.length)
  for (const { key, value } of headers) size += sizeOfField(byteLength(key)) + sizeOfField(byteLength(value))
  return size
}

function byteLength(field: RecordBytes): number {
  if (field === null) return -1
  return typeof field === 'string' ? Buffer.byteLength(field) : field.length
}

/** Writes the varint of a number that is not negative; the position behind it. */
function writeLength(bytes: Uint8Array, at: number, length: number): number {
  if (length < 0x40) {
    bytes[at] = length << 1
    return at + 1
  }
  if (length < 0x2000) {
    bytes[at] = (length << 1) | 0x80
    bytes[at + 1] = length >> 6
    return at + 2
  }
  return writeVarint(bytes, at, length)
}

function copyBytes(bytes: Uint8Array, at: number, source: Uint8Array, length: number): void {
  if (length > LOOP_BYTES_MAX) bytes.set(source, at)
  else for (let i = 0; i < length; i++) bytes[at + i] = source[i]!
}

function copyAscii(bytes: Uint8Array, at: number, text: string): boolean {
  let seen = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i)
    seen |= character
    bytes[at + i] = character
  }
  return seen < 0x80
}
