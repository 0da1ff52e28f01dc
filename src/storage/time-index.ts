// The time index of a segment, `<base offset>.timeindex`: up to which offset no record
// is newer than a timestamp.
// Pure; any thread. Looking up and appending allocate nothing.
//
//   entries of 12 bytes end to end, big-endian
//   +0  int64  timestamp       the largest max timestamp of all batches so far, in ms
//   +8  int32  relativeOffset  last offset of the first batch that has it, less the segment's base offset
//   then zeros to any size, as in the offset index
//
// Holds: timestamps rise, offsets too. An entry is written together with one of the
// offset index, and once more when the segment is full or closed; not when no newer
// timestamp came since the one before.
// An entry of zeros ends the index. A real one would be the first batch of a segment, of
// one record at time 0: a look-up then answers the base offset, which is the same.

import { assert } from '../assert.ts'
import { NO_TIMESTAMP } from '../record/record-batch-layout.ts'
import { readInt32, writeInt32, writeInt64 } from '../record/record-batch.ts'
import { damagedFile } from './file-errors.ts'
import { readSafeInt64 } from './safe-int64.ts'

export const TIME_INDEX_ENTRY_BYTES = 12

const RELATIVE_OFFSET = 8
const INT32_MAX = 0x7fff_ffff
const REMEDY = 'Delete it while the log is closed: it is made again from the .log beside it.'

/** Entries before the first that is all zeros; a rest of less than an entry is left out. */
export function timeIndexEntryCount(bytes: Uint8Array): number {
  let low = 0
  let high = Math.floor(bytes.length / TIME_INDEX_ENTRY_BYTES)
  if (high > 0 && !isZero(bytes, high - 1)) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isZero(bytes, middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** The timestamp of entry `entry`, in ms; NaN in a damaged index. */
export function timeIndexTimestamp(bytes: Uint8Array, entry: number): number {
  return readSafeInt64(bytes, entry * TIME_INDEX_ENTRY_BYTES)
}

/** The offset, counted from the segment's base offset, of entry `entry`. */
export function timeIndexRelativeOffset(bytes: Uint8Array, entry: number): number {
  return readInt32(bytes, entry * TIME_INDEX_ENTRY_BYTES + RELATIVE_OFFSET)
}

/** The last of the first `entries` entries whose timestamp is not above `timestampMs`; -1 when there is none. */
export function findTimeIndexEntry(bytes: Uint8Array, entries: number, timestampMs: number): number {
  let low = 0
  let high = entries - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (timeIndexTimestamp(bytes, middle) <= timestampMs) low = middle + 1
    else high = middle - 1
  }
  return high
}

/**
 * The offset to look from for the first record that is not older than `timestampMs`: in
 * the batches that end before it all are older. The base offset when no entry is so low.
 */
export function lookUpOffset(bytes: Uint8Array, entries: number, baseOffset: number, timestampMs: number): number {
  const entry = findTimeIndexEntry(bytes, entries, timestampMs)
  return entry < 0 ? baseOffset : baseOffset + timeIndexRelativeOffset(bytes, entry)
}

/**
 * Reads the whole index and gives its number of entries. Throws KAFKA_STORAGE_ERROR when
 * they do not rise, when one is at or above `endOffset`, the offset behind the segment's
 * last, or when anything but zeros stands behind the last.
 */
export function checkTimeIndex(path: string, bytes: Uint8Array, baseOffset: number, endOffset: number): number {
  if (bytes.length % TIME_INDEX_ENTRY_BYTES !== 0) {
    throw damagedFile(path, `${bytes.length} bytes, no multiple of ${TIME_INDEX_ENTRY_BYTES}`, REMEDY)
  }
  const all = bytes.length / TIME_INDEX_ENTRY_BYTES
  let entries = 0
  let lastTimestampMs = NO_TIMESTAMP
  let lastOffset = -1
  for (; entries < all && !isZero(bytes, entries); entries++) {
    const timestampMs = timeIndexTimestamp(bytes, entries)
    const offset = timeIndexRelativeOffset(bytes, entries)
    // Written so that NaN is refused too.
    if (!(timestampMs > lastTimestampMs) || offset <= lastOffset) {
      throw damaged(path, entries, `timestamp ${timestampMs} at relative offset ${offset}, behind ${lastTimestampMs} at ${lastOffset}`)
    }
    if (baseOffset + offset >= endOffset) {
      throw damaged(path, entries, `offset ${baseOffset + offset}, in a segment that ends before ${endOffset}`)
    }
    lastTimestampMs = timestampMs
    lastOffset = offset
  }
  for (let behind = entries + 1; behind < all; behind++) {
    if (!isZero(bytes, behind)) throw damaged(path, behind, `an entry behind ${behind - entries} empty ones`)
  }
  return entries
}

/** Keeps the largest timestamp of a segment, and writes the entries that are due. */
export class TimeIndexAppender {
  readonly #baseOffset: number
  #maxTimestampMs: number
  #offsetOfMaxTimestamp: number
  #writtenTimestampMs: number

  /** For a segment that is opened again: the timestamp and the offset of the index's last entry. */
  constructor(baseOffset: number, lastTimestampMs: number = NO_TIMESTAMP, lastOffset: number = baseOffset) {
    this.#baseOffset = baseOffset
    this.#maxTimestampMs = lastTimestampMs
    this.#offsetOfMaxTimestamp = lastOffset
    this.#writtenTimestampMs = lastTimestampMs
  }

  /** The largest timestamp of the segment's records so far, in ms; -1 when none has one. */
  get maxTimestampMs(): number {
    return this.#maxTimestampMs
  }

  /** The last offset of the first batch that holds `maxTimestampMs`. */
  get offsetOfMaxTimestamp(): number {
    return this.#offsetOfMaxTimestamp
  }

  /** Takes note of a batch: before the entry that is written for it. */
  observe(maxTimestampMs: number, lastOffset: number): void {
    if (maxTimestampMs <= this.#maxTimestampMs) return
    this.#maxTimestampMs = maxTimestampMs
    this.#offsetOfMaxTimestamp = lastOffset
  }

  /**
   * To be called when the offset index gets an entry, and when the segment is full or
   * closed: writes an entry into into[at, at + 12), unless the last one says the same.
   * Gives the bytes that it wrote: 12, or 0.
   */
  append(into: Uint8Array, at: number): number {
    if (this.#maxTimestampMs <= this.#writtenTimestampMs) return 0
    writeTimeIndexEntry(into, at, this.#baseOffset, this.#maxTimestampMs, this.#offsetOfMaxTimestamp)
    this.#writtenTimestampMs = this.#maxTimestampMs
    return TIME_INDEX_ENTRY_BYTES
  }
}

/** Writes one entry into into[at, at + 12). */
export function writeTimeIndexEntry(into: Uint8Array, at: number, baseOffset: number, timestampMs: number, offset: number): void {
  const relativeOffset = offset - baseOffset
  assert(relativeOffset >= 0 && relativeOffset <= INT32_MAX, 'an offset is too far from the base offset for an index entry')
  assert(at + TIME_INDEX_ENTRY_BYTES <= into.length, 'an index has no room for an entry')
  writeInt64(into, at, timestampMs)
  writeInt32(into, at + RELATIVE_OFFSET, relativeOffset)
}

function isZero(bytes: Uint8Array, entry: number): boolean {
  const at = entry * TIME_INDEX_ENTRY_BYTES
  return (readInt32(bytes, at) | readInt32(bytes, at + 4) | readInt32(bytes, at + RELATIVE_OFFSET)) === 0
}

function damaged(path: string, entry: number, found: string): Error {
  return damagedFile(path, `${found}, in entry ${entry} at byte ${entry * TIME_INDEX_ENTRY_BYTES}`, REMEDY)
}
