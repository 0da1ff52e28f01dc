// hot path 2/8: encodes records into the open batch of a partition (Kafka: MemoryRecordsBuilder).
// Runs on the producer's thread, in memory private to it: writing record by record
// into shared memory takes twice the time, so a full batch leaves in one bulk copy.
// The bytes are drawn in record-batch-layout.ts.
//
// Holds: `append` allocates nothing; when it returns false, or throws, the batch is
// what it was. A refused append may leave bytes behind `sizeInBytes`; nobody looks there.

import { assert } from '../assert.ts'
import { MillraceError } from '../errors.ts'
import type { EncodedHeaders } from './encoded-headers.ts'
import { copyField, isLong, LOOP_BYTES_MAX, LOOP_CHARACTERS_MAX, SMALL_FIELD, sizeOfField, utf8Bytes } from './record-fields.ts'
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
import type { RecordBytes } from './record.ts'
import type { TextKey } from './text-key.ts'
import { sizeOfVarint, sizeOfVarlong, writeSmallVarint, writeVarint, writeVarlong } from './varint.ts'

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

// What `#times` holds: doubles in a typed array, because a double in a field or an
// argument may be boxed, which would be an allocation a record.
const LAST_MS = 0
const BASE_MS = 1
const MAX_MS = 2
const NEXT_MS = 3

/** Two timestamps from -1 to this are a safe integer apart. */
const TIMESTAMP_MS_MAX = Number.MAX_SAFE_INTEGER - 1

/** Zig-zag deltas from here on are kept as this, and taken from `#times`. */
const LARGE_DELTA = 0x4000
/** A number from here on takes more than two bytes. */
const SMALL = 0x2000
/** An offset delta from here on takes more than three bytes. */
const COUNT_MAX = 0x10_0000
/** The varint of -1: the length of a null key or value. */
const NULL_LENGTH = 1

export class RecordBatchBuilder {
  /** The batch: header and records are in [0, sizeInBytes) once it is sealed. Its length is the capacity. */
  bytes: Uint8Array
  /** The same memory and the slack behind it, as Node writes text. */
  #room: Buffer
  readonly #times = new Float64Array(4)
  #position = BATCH_HEADER_BYTES
  #recordCount = 0
  /** The record count when the timestamp last changed: behind it all have the last timestamp. */
  #countAtTurn = 0
  /** The current timestamp's delta, zig-zag, or LARGE_DELTA. */
  #timestampDelta = 0
  #timestampDeltaBytes = 1

  /** Bytes of a batch that holds this record alone: no more than this, whatever its timestamp. */
  static sizeUpperBound(key: RecordBytes, value: RecordBytes, headers: EncodedHeaders | null): number {
    return (
      BATCH_HEADER_BYTES +
      RECORD_OVERHEAD_BYTES_MAX +
      sizeOfField(utf8Bytes(key)) +
      sizeOfField(utf8Bytes(value)) +
      (headers === null ? 1 : headers.sizeInBytes)
    )
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

  /** Goes on in the memory of another builder, which gets this one's and forgets its records: so a batch grows. */
  exchangeMemory(other: RecordBatchBuilder): void {
    assert(other.bytes.length >= this.#position, 'what is in the batch fits into its next memory')
    this.#room.copy(other.#room, BATCH_HEADER_BYTES, BATCH_HEADER_BYTES, this.#position)
    ;[this.bytes, this.#room, other.bytes, other.#room] = [other.bytes, other.#room, this.bytes, this.#room]
    other.reset()
  }

  /**
   * Adds a record. False: there is no room for it, and it was not added.
   * Throws INVALID_TIMESTAMP unless the timestamp is a whole number from -1 on.
   */
  append(timestampMs: number, key: RecordBytes, value: RecordBytes, headers: EncodedHeaders | null): boolean {
    // V8 takes a function this short into its caller, where the timestamp is a double in a
    // register; passed to a call it would be boxed, an allocation a record.
    const times = this.#times
    if (timestampMs !== times[LAST_MS]) {
      times[NEXT_MS] = timestampMs
      this.#turnTimestamp()
    }
    if (headers === null && key === null && value !== null && typeof value !== 'string') return this.#appendValue(value)
    return this.#appendSmall(key, value, headers)
  }

  /** The same as `append(timestampMs, text, value, headers)`, for a text whose bytes are at hand. */
  appendKeyed(timestampMs: number, text: string, key: TextKey, value: Uint8Array, headers: EncodedHeaders | null): boolean {
    const times = this.#times
    if (timestampMs !== times[LAST_MS]) {
      times[NEXT_MS] = timestampMs
      this.#turnTimestamp()
    }
    return this.#appendKeyedValue(text, key, value, headers)
  }

  /**
   * The commonest record: bytes without a key. Everything is written out here, so that no
   * call but the copy is left, and so that the whole is too long (460 bytes of bytecode)
   * to be taken into `append`, which then would be too long for its own caller.
   * `| 0` spares V8 the check of a sum, and has it take a length for an integer, not a double.
   */
  #appendValue(value: Uint8Array): boolean {
    const bytes = this.bytes
    const count = this.#recordCount
    const delta = this.#timestampDelta
    let at = this.#position
    if (delta >= 0x80 || count >= COUNT_MAX || value.length >= SMALL_FIELD) return this.#appendSmall(null, value, null)
    const valueBytes = value.length | 0
    const size = valueBytes + (count < 0x40 ? 6 : count < SMALL ? 7 : 8) + (valueBytes < 0x40 ? 0 : 1)
    if (at + size + 2 > bytes.length) return this.#appendSmall(null, value, null)
    if (size < 0x40) {
      bytes[at] = size << 1
      at = (at + 1) | 0
    } else {
      bytes[at] = (size << 1) | 0x80
      bytes[at + 1] = size >> 6
      at = (at + 2) | 0
    }
    bytes[at] = 0
    bytes[at + 1] = delta
    at = (at + 2) | 0
    if (count < 0x40) {
      bytes[at] = count << 1
      at = (at + 1) | 0
    } else if (count < SMALL) {
      bytes[at] = (count << 1) | 0x80
      bytes[at + 1] = count >> 6
      at = (at + 2) | 0
    } else {
      bytes[at] = (count << 1) | 0x80
      bytes[at + 1] = (count >> 6) | 0x80
      bytes[at + 2] = count >> 13
      at = (at + 3) | 0
    }
    bytes[at] = NULL_LENGTH
    at = (at + 1) | 0
    if (valueBytes < 0x40) {
      bytes[at] = valueBytes << 1
      at = (at + 1) | 0
    } else {
      bytes[at] = (valueBytes << 1) | 0x80
      bytes[at + 1] = valueBytes >> 6
      at = (at + 2) | 0
    }
    if (valueBytes > LOOP_BYTES_MAX) bytes.set(value, at)
    else for (let i = 0; i < valueBytes; i++) bytes[(at + i) | 0] = value[i]!
    at = (at + valueBytes) | 0
    bytes[at] = 0
    this.#position = (at + 1) | 0
    this.#recordCount = (count + 1) | 0
    return true
  }

  /** The commonest record with a key: a text, and bytes. */
  #appendKeyedValue(text: string, key: TextKey, value: Uint8Array, headers: EncodedHeaders | null): boolean {
    const bytes = this.bytes
    const count = this.#recordCount
    const delta = this.#timestampDelta
    let at = this.#position
    const keyBytes = key.length | 0
    const valueBytes = value.length | 0
    const headersBytes = headers === null ? 0 : headers.length | 0
    const fields = keyBytes + valueBytes + headersBytes
    if (delta >= 0x80 || count >= SMALL || fields >= SMALL_FIELD || (headers !== null && headers.count >= 0x40)) {
      return this.#appendSmall(text, value, headers)
    }
    const size = fields + (count < 0x40 ? 6 : 7) + (keyBytes < 0x40 ? 0 : 1) + (valueBytes < 0x40 ? 0 : 1)
    if (at + size + 2 > bytes.length) return this.#appendSmall(text, value, headers)
    at = writeSmallVarint(bytes, at, size)
    bytes[at] = 0
    bytes[at + 1] = delta
    at = writeSmallVarint(bytes, (at + 2) | 0, count)
    at = writeSmallVarint(bytes, at, keyBytes)
    key.copyTo(bytes, at)
    at = writeSmallVarint(bytes, (at + keyBytes) | 0, valueBytes)
    copyField(bytes, at, value, valueBytes)
    at = (at + valueBytes) | 0
    if (headers === null) bytes[at] = 0
    else {
      bytes[at] = headers.count << 1
      headers.copyTo(bytes, (at + 1) | 0)
    }
    this.#position = (at + 1 + headersBytes) | 0
    this.#recordCount = (count + 1) | 0
    return true
  }

  /**
   * A record whose numbers are short. Texts are taken for ASCII, whose
   * length needs no look at the text; others go the long way.
   */
  #appendSmall(key: RecordBytes, value: RecordBytes, headers: EncodedHeaders | null): boolean {
    const bytes = this.bytes
    const count = this.#recordCount
    const delta = this.#timestampDelta
    if (headers !== null || count >= COUNT_MAX || delta >= LARGE_DELTA || isLong(key) || isLong(value)) {
      return this.#appendAny(key, value, headers)
    }
    const keyBytes = key === null ? 0 : typeof key === 'string' ? key.length : key.length | 0
    const valueBytes = value === null ? 0 : typeof value === 'string' ? value.length : value.length | 0
    const numbers =
      (delta < 0x80 ? 5 : 6) + (count < 0x40 ? 1 : count < SMALL ? 2 : 3) + (keyBytes < 0x40 ? 0 : 1) + (valueBytes < 0x40 ? 0 : 1)
    const size = numbers + keyBytes + valueBytes
    let at = this.#position
    if (at + size + (size < 0x40 ? 1 : 2) > bytes.length) return false
    at = writeSmallVarint(bytes, at, size)
    bytes[at] = 0
    bytes[at + 1] = delta
    at = (at + 2) | 0
    if (delta >= 0x80) {
      bytes[at - 1] = delta | 0x80
      bytes[at] = delta >> 7
      at = (at + 1) | 0
    }
    at = count < SMALL ? writeSmallVarint(bytes, at, count) : writeVarint(bytes, at, count)
    if (key === null) bytes[at++] = NULL_LENGTH
    else {
      at = writeSmallVarint(bytes, at, keyBytes)
      if (typeof key !== 'string') copyField(bytes, at, key, keyBytes)
      else if (!this.#copyAscii(at, key, keyBytes)) return this.#appendAny(key, value, null)
      at = (at + keyBytes) | 0
    }
    if (value === null) bytes[at++] = NULL_LENGTH
    else {
      at = writeSmallVarint(bytes, at, valueBytes)
      if (typeof value !== 'string') copyField(bytes, at, value, valueBytes)
      else if (!this.#copyAscii(at, value, valueBytes)) return this.#appendAny(key, value, null)
      at = (at + valueBytes) | 0
    }
    bytes[at] = 0
    this.#position = (at + 1) | 0
    this.#recordCount = (count + 1) | 0
    return true
  }

  /** Any record, of any size. */
  #appendAny(key: RecordBytes, value: RecordBytes, headers: EncodedHeaders | null): boolean {
    const bytes = this.bytes
    const keyBytes = utf8Bytes(key)
    const valueBytes = utf8Bytes(value)
    const numbers = 1 + this.#timestampDeltaBytes + sizeOfVarint(this.#recordCount)
    const size = numbers + sizeOfField(keyBytes) + sizeOfField(valueBytes) + (headers === null ? 1 : headers.sizeInBytes)
    let at = this.#position
    if (at + sizeOfVarint(size) + size > bytes.length) return false
    at = writeVarint(bytes, at, size)
    bytes[at++] = 0
    at = this.#writeTimestampDelta(at)
    at = writeVarint(bytes, at, this.#recordCount)
    at = this.#writeField(at, key, keyBytes)
    at = this.#writeField(at, value, valueBytes)
    if (headers === null) bytes[at++] = 0
    else {
      at = writeVarint(bytes, at, headers.count)
      headers.copyTo(bytes, at)
      at += headers.length
    }
    this.#position = at
    this.#recordCount++
    return true
  }

  #writeField(at: number, field: RecordBytes, fieldBytes: number): number {
    const bytes = this.bytes
    at = writeVarint(bytes, at, fieldBytes)
    if (field === null) return at
    if (typeof field !== 'string') copyField(bytes, at, field, fieldBytes)
    else if (fieldBytes !== field.length || !this.#copyAscii(at, field, fieldBytes)) this.#room.write(field, at)
    return at + fieldBytes
  }

  /** Copies a text that is ASCII; false when it turned out not to be. */
  #copyAscii(at: number, text: string, length: number): boolean {
    // As UTF-8 a text is longer than it has characters unless all are ASCII, and the slack
    // behind the batch leaves room for that to show.
    if (length > LOOP_CHARACTERS_MAX) return this.#room.write(text, at) === length
    const bytes = this.bytes
    let seen = 0
    for (let i = 0; i < length; i++) {
      const character = text.charCodeAt(i)
      seen |= character
      bytes[at + i] = character
    }
    return seen < 0x80
  }

  #writeTimestampDelta(at: number): number {
    return writeVarlong(this.bytes, at, this.#times[LAST_MS]! - this.#times[BASE_MS]!)
  }

  /** Makes `#times[NEXT_MS]` the current timestamp. */
  #turnTimestamp(): void {
    const times = this.#times
    const nextMs = times[NEXT_MS]!
    if (!Number.isInteger(nextMs) || nextMs < -1 || nextMs > TIMESTAMP_MS_MAX) {
      throw new MillraceError('INVALID_TIMESTAMP', `a record's timestamp is a whole number of milliseconds since 1970, not ${nextMs}`)
    }
    this.#countLastTimestamp()
    if (this.#recordCount === 0) times[BASE_MS] = nextMs
    times[LAST_MS] = nextMs
    const delta = nextMs - times[BASE_MS]!
    const zigzag = delta < 0 ? -2 * delta - 1 : 2 * delta
    this.#timestampDelta = zigzag < LARGE_DELTA ? zigzag | 0 : LARGE_DELTA
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
