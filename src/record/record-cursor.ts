// Walks the records of batches in place (Kafka: DefaultRecordBatch.iterator), without an
// object or an allocation a record. Runs on the reader's thread, over memory private to it.
//
// Holds: nothing is read outside [start, end), whatever the bytes say: a length, count or
// offset that lies is CORRUPT_MESSAGE. Offsets rise, and stay below the next batch's if the
// headers do. Control batches and records below `fromOffset` are passed over. Once `next`
// has thrown it throws until the next `reset`.
// The common record (short varints) takes one path with a bound checked
// once; everything else takes the careful one, which checks each byte.

import { corruptBatch, unsupportedCompression } from './batch-errors.ts'
import {
  baseOffset,
  baseTimestamp,
  batchSizeInBytes,
  compressionType,
  isControlBatch,
  isLogAppendTime,
  lastOffsetDelta,
  maxTimestamp,
  recordCount,
} from './record-batch.ts'
import { BATCH_HEADER_BYTES, MAGIC, MAGIC_V2, RECORD_BYTES_MIN } from './record-batch-layout.ts'
import { VarintReader } from './varint.ts'

const EMPTY = new Uint8Array(0)
/** So many bytes hold the fixed part of a common record: its varints may be read without a look at the end. */
const COMMON_BYTES = 16

/**
 * Walks records where they lie: `next()`, then `offset`, `timestamp` (ms since the epoch), and
 * the key and value as positions in `bytes`. `batch.cursor()` gives one, borrowed until the
 * next batch. `next` throws CORRUPT_MESSAGE for bytes that are no record.
 */
export class RecordCursor {
  /** The memory that all positions are in. */
  bytes: Uint8Array = EMPTY
  /** Where the key lies; both -1 when it is null. */
  keyStart = -1
  keyEnd = -1
  /** Where the value lies; both -1 when it is null. */
  valueStart = -1
  valueEnd = -1
  /** Where the headers lie, for `readHeaders`. */
  headersStart = 0
  headersEnd = 0
  headerCount = 0
  /** Where the batch of this record begins. */
  batchStart = 0
  readonly #reader = new VarintReader()
  readonly #withControl: boolean
  #fromOffset = 0
  #end = 0
  // The batch that is walked.
  #batchEnd = 0
  #left = 0
  #at = 0
  #baseOffset = 0
  #lastOffsetDelta = 0
  #baseTimestamp = 0
  #isLogAppendTime = false
  /** Records with a lower offset delta are passed over. */
  #skipBelow = 0
  // The record that is stood on.
  #offsetDelta = 0
  #timestampDelta = 0

  /** With control it gives the records of control batches too. */
  constructor(withControl = false) {
    this.#withControl = withControl
  }

  /** Starts before the first record at or above `fromOffset` of the whole batches that fill bytes[start, end). */
  reset(bytes: Uint8Array, start: number, end: number, fromOffset: number): void {
    this.bytes = bytes
    this.#batchEnd = start
    this.#end = end
    this.#fromOffset = fromOffset
    this.#left = 0
    this.#at = start
  }

  get offset(): number {
    return this.#baseOffset + this.#offsetDelta
  }

  /** Milliseconds since the epoch. */
  get timestamp(): number {
    return this.#isLogAppendTime ? this.#baseTimestamp : this.#baseTimestamp + this.#timestampDelta
  }

  /** Goes to the next record; false after the last. Throws CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE. */
  next(): boolean {
    for (;;) {
      if (this.#left === 0 && !this.#enterBatch()) return false
      if (!this.#readCommon()) this.#readCareful()
      if (this.#left === 1 && (this.#at !== this.#batchEnd || this.#offsetDelta > this.#lastOffsetDelta)) this.#refuseEnd()
      // Only now, so that a record that was refused is refused again.
      this.#left--
      if (this.#offsetDelta >= this.#skipBelow) return true
    }
  }

  /**
   * Reads a record of short varints; false, with nothing changed, for any other. A byte that says
   * that more follow leaves its top bit in the number, so one comparison tells whether to go on.
   */
  #readCommon(): boolean {
    const bytes = this.bytes
    const batchEnd = this.#batchEnd
    let at = this.#at
    if (batchEnd - at < COMMON_BYTES) return false
    let length = bytes[at++]!
    if (length >= 0x80 && (length = (length & 0x7f) | (bytes[at++]! << 7)) >= 0x4000) return false
    const end = at + (length >>> 1)
    // The attributes byte has no bits in use.
    let time = bytes[++at]!
    at++
    // Two bytes are 8 seconds, three 17 minutes, four 37 hours: event times of a file span that.
    if (time >= 0x80 && (time = (time & 0x7f) | (bytes[at++]! << 7)) >= 0x4000) {
      time = (time & 0x3fff) | (bytes[at++]! << 14)
      if (time >= 0x20_0000 && (time = (time & 0x1f_ffff) | (bytes[at++]! << 21)) >= 0x1000_0000) return false
    }
    let delta = bytes[at++]!
    if (delta >= 0x80 && (delta = (delta & 0x7f) | (bytes[at++]! << 7)) >= 0x4000) {
      delta = (delta & 0x3fff) | (bytes[at++]! << 14)
      if (delta >= 0x20_0000) return false
    }
    let keyLength = bytes[at++]!
    let keyStart = -1
    let keyEnd = -1
    if (keyLength !== 1) {
      if (keyLength >= 0x80 && (keyLength = (keyLength & 0x7f) | (bytes[at++]! << 7)) >= 0x4000) return false
      if ((keyLength & 1) !== 0) return false
      keyStart = at
      keyEnd = at + (keyLength >>> 1)
      at = keyEnd
      // A key moves what follows: look at the end anew.
      if (batchEnd - at < 3) return false
    }
    let valueLength = bytes[at++]!
    let valueStart = -1
    let valueEnd = -1
    if (valueLength !== 1) {
      if (valueLength >= 0x80 && (valueLength = (valueLength & 0x7f) | (bytes[at++]! << 7)) >= 0x4000) return false
      if ((valueLength & 1) !== 0) return false
      valueStart = at
      valueEnd = at + (valueLength >>> 1)
      at = valueEnd
    }
    if (at >= end || end > batchEnd || ((length | delta) & 1) !== 0 || delta >>> 1 <= this.#offsetDelta) return false
    const headerCount = bytes[at++]!
    // More than 63 headers, or a lie; and without headers their count is the record's last byte.
    if ((headerCount & 0x81) !== 0 || (headerCount === 0 && at !== end)) return false
    this.#timestampDelta = (time >>> 1) ^ -(time & 1)
    this.#offsetDelta = delta >>> 1
    this.keyStart = keyStart
    this.keyEnd = keyEnd
    this.valueStart = valueStart
    this.valueEnd = valueEnd
    this.headersStart = at
    this.headersEnd = end
    this.headerCount = headerCount >>> 1
    this.#at = end
    return true
  }

  /** Reads any record, and checks every length. */
  #readCareful(): void {
    const reader = this.#reader
    reader.reset(this.bytes, this.#at, this.#batchEnd)
    const length = reader.readLength(false)
    const end = reader.position + length
    reader.limit = end
    reader.readByte()
    this.#timestampDelta = reader.readVarlong()
    const offsetDelta = reader.readVarint()
    // It is -1 before the first record.
    if (offsetDelta <= this.#offsetDelta) {
      throw corruptBatch(`an offset delta of ${offsetDelta} behind one of ${this.#offsetDelta}`, reader.position)
    }
    this.#offsetDelta = offsetDelta
    const keyLength = reader.readLength(true)
    this.keyStart = keyLength < 0 ? -1 : reader.position
    this.keyEnd = keyLength < 0 ? -1 : reader.position + keyLength
    if (keyLength > 0) reader.position += keyLength
    const valueLength = reader.readLength(true)
    this.valueStart = valueLength < 0 ? -1 : reader.position
    this.valueEnd = valueLength < 0 ? -1 : reader.position + valueLength
    if (valueLength > 0) reader.position += valueLength
    const headerCount = reader.readVarint()
    if (headerCount < 0 || (headerCount === 0 && reader.position !== end)) throw corruptBatch(`${headerCount} headers`, reader.position)
    this.headerCount = headerCount
    this.headersStart = reader.position
    this.headersEnd = end
    this.#at = end
  }

  /** Goes to the next batch that has records to give; false when there is none. */
  #enterBatch(): boolean {
    const bytes = this.bytes
    for (;;) {
      const start = this.#batchEnd
      const rest = this.#end - start
      if (rest === 0) return false
      if (rest < BATCH_HEADER_BYTES) throw corruptBatch('the end of the bytes inside a batch header', start)
      const size = batchSizeInBytes(bytes, start)
      if (size < BATCH_HEADER_BYTES || size > rest) throw corruptBatch(`a batch of ${size} bytes where ${rest} are left`, start)
      if (bytes[start + MAGIC] !== MAGIC_V2) throw corruptBatch(`magic ${bytes[start + MAGIC]}`, start)
      const count = recordCount(bytes, start)
      // Compaction leaves batches that lack some of their records, or all.
      if ((isControlBatch(bytes, start) && !this.#withControl) || (count === 0 && size === BATCH_HEADER_BYTES)) {
        this.#batchEnd = start + size
        continue
      }
      const compression = compressionType(bytes, start)
      if (compression !== 0) throw unsupportedCompression(compression)
      if (count < 1 || count > (size - BATCH_HEADER_BYTES) / RECORD_BYTES_MIN)
        throw corruptBatch(`${count} records in ${size} bytes`, start)
      const offset = baseOffset(bytes, start)
      const lastDelta = lastOffsetDelta(bytes, start)
      if (offset < 0 || lastDelta < count - 1 || lastDelta > Number.MAX_SAFE_INTEGER - offset) {
        throw corruptBatch(`${count} records in ${lastDelta + 1} offsets from ${offset} on`, start)
      }
      this.#isLogAppendTime = isLogAppendTime(bytes, start)
      this.#baseTimestamp = this.#isLogAppendTime ? maxTimestamp(bytes, start) : baseTimestamp(bytes, start)
      this.#baseOffset = offset
      this.#lastOffsetDelta = lastDelta
      this.#skipBelow = Math.max(0, this.#fromOffset - offset)
      this.#offsetDelta = -1
      this.batchStart = start
      this.#batchEnd = start + size
      this.#left = count
      this.#at = start + BATCH_HEADER_BYTES
      return true
    }
  }

  #refuseEnd(): never {
    const at = this.#at
    // No record fits here, so the next call finds none either.
    this.#at = this.#batchEnd
    if (at !== this.#batchEnd) throw corruptBatch('bytes behind the last record', at)
    throw corruptBatch(`an offset delta of ${this.#offsetDelta} where the last is ${this.#lastOffsetDelta}`, at)
  }
}
