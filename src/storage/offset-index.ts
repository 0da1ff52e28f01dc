// The offset index of a segment, `<base offset>.index`: where in the .log the batch of
// an offset is to be looked for. Sparse: about one entry for each `index.interval.bytes`.
// Pure; any thread. Looking up and appending allocate nothing.
//
//   entries of 8 bytes end to end, big-endian
//   +0  int32  relativeOffset  last offset of the batch that begins at `position`, less the segment's base offset
//   +4  int32  position        of that batch in the .log, in bytes
//   then zeros to any size: Kafka allocates `segment.index.bytes` ahead, and cuts the file when the segment is full or closed
//
// Holds: offsets and positions both rise. No entry is all zeros, for the batch at
// position 0 has none: so readers stop at the first that is.

import { assert } from '../assert.ts'
import { BATCH_HEADER_BYTES } from '../record/record-batch-layout.ts'
import { readInt32, writeInt32 } from '../record/record-batch.ts'
import { damagedFile } from './file-errors.ts'

export const OFFSET_INDEX_ENTRY_BYTES = 8
/** Kafka's default of `index.interval.bytes`. */
export const INDEX_INTERVAL_BYTES = 4_096

const POSITION = 4
const INT32_MAX = 0x7fff_ffff
const REMEDY = 'Delete it while the log is closed: it is made again from the .log beside it.'

/** Entries before the first that is all zeros; a rest of less than an entry is left out. */
export function offsetIndexEntryCount(bytes: Uint8Array): number {
  let low = 0
  let high = Math.floor(bytes.length / OFFSET_INDEX_ENTRY_BYTES)
  // A full file is the rule: it takes one look.
  if (high > 0 && !isZero(bytes, high - 1)) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isZero(bytes, middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** The offset, counted from the segment's base offset, of entry `entry`. */
export function offsetIndexRelativeOffset(bytes: Uint8Array, entry: number): number {
  return readInt32(bytes, entry * OFFSET_INDEX_ENTRY_BYTES)
}

/** The position in the .log, in bytes, of entry `entry`. */
export function offsetIndexPosition(bytes: Uint8Array, entry: number): number {
  return readInt32(bytes, entry * OFFSET_INDEX_ENTRY_BYTES + POSITION)
}

/** The last of the first `entries` entries whose offset is not above `offset`; -1 when there is none. */
export function findOffsetIndexEntry(bytes: Uint8Array, entries: number, baseOffset: number, offset: number): number {
  const relativeOffset = offset - baseOffset
  let low = 0
  let high = entries - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (offsetIndexRelativeOffset(bytes, middle) <= relativeOffset) low = middle + 1
    else high = middle - 1
  }
  return high
}

/** Where in the .log to look for `offset` from: no batch before holds it. 0 when no entry is so low. */
export function lookUpPosition(bytes: Uint8Array, entries: number, baseOffset: number, offset: number): number {
  const entry = findOffsetIndexEntry(bytes, entries, baseOffset, offset)
  return entry < 0 ? 0 : offsetIndexPosition(bytes, entry)
}

/**
 * Reads the whole index and gives its number of entries. Throws KAFKA_STORAGE_ERROR when
 * they do not rise, when one lies outside a .log of `logSizeInBytes`, or when anything
 * but zeros stands behind the last. That an entry points at a batch is not looked at.
 */
export function checkOffsetIndex(path: string, bytes: Uint8Array, logSizeInBytes: number): number {
  if (bytes.length % OFFSET_INDEX_ENTRY_BYTES !== 0) {
    throw damagedFile(path, `${bytes.length} bytes, no multiple of ${OFFSET_INDEX_ENTRY_BYTES}`, REMEDY)
  }
  const all = bytes.length / OFFSET_INDEX_ENTRY_BYTES
  let entries = 0
  let lastOffset = 0
  let lastPosition = 0
  for (; entries < all && !isZero(bytes, entries); entries++) {
    const offset = offsetIndexRelativeOffset(bytes, entries)
    const position = offsetIndexPosition(bytes, entries)
    if (offset <= lastOffset || position <= lastPosition) {
      throw damaged(path, entries, `relative offset ${offset} at position ${position}, behind ${lastOffset} at ${lastPosition}`)
    }
    if (position + BATCH_HEADER_BYTES > logSizeInBytes) {
      throw damaged(path, entries, `position ${position}, where a .log of ${logSizeInBytes} bytes holds no batch`)
    }
    lastOffset = offset
    lastPosition = position
  }
  for (let behind = entries + 1; behind < all; behind++) {
    if (!isZero(bytes, behind)) throw damaged(path, behind, `an entry behind ${behind - entries} empty ones`)
  }
  return entries
}

/**
 * Says when a segment's next entry is due, and writes it. It is told of every batch that
 * is appended to the .log, in order.
 */
export class OffsetIndexAppender {
  readonly #baseOffset: number
  readonly #indexIntervalBytes: number
  #bytesSinceLastEntry: number

  /** `bytesSinceLastEntry` for a segment that is opened again; Kafka counts from 0 then. */
  constructor(baseOffset: number, indexIntervalBytes: number = INDEX_INTERVAL_BYTES, bytesSinceLastEntry = 0) {
    this.#baseOffset = baseOffset
    this.#indexIntervalBytes = indexIntervalBytes
    this.#bytesSinceLastEntry = bytesSinceLastEntry
  }

  get bytesSinceLastEntry(): number {
    return this.#bytesSinceLastEntry
  }

  /** Whether the next batch will have an entry: more bytes than the interval came since the last one. */
  get isDue(): boolean {
    return this.#bytesSinceLastEntry > this.#indexIntervalBytes
  }

  /**
   * Takes note of a batch that begins at `position` of the .log. Where an entry was due
   * it is put into into[at, at + 8). Gives the bytes that it wrote: 8, or 0.
   */
  append(lastOffset: number, position: number, sizeInBytes: number, into: Uint8Array, at: number): number {
    const isDue = this.isDue
    if (isDue) {
      writeOffsetIndexEntry(into, at, this.#baseOffset, lastOffset, position)
      this.#bytesSinceLastEntry = 0
    }
    this.#bytesSinceLastEntry += sizeInBytes
    return isDue ? OFFSET_INDEX_ENTRY_BYTES : 0
  }
}

/** Writes one entry into into[at, at + 8): the batch at `position` ends with `lastOffset`. */
export function writeOffsetIndexEntry(into: Uint8Array, at: number, baseOffset: number, lastOffset: number, position: number): void {
  const relativeOffset = lastOffset - baseOffset
  assert(relativeOffset > 0 && relativeOffset <= INT32_MAX, 'an offset is too far from the base offset for an index entry')
  assert(position > 0 && position <= INT32_MAX, 'a position is none for an index entry')
  assert(at + OFFSET_INDEX_ENTRY_BYTES <= into.length, 'an index has no room for an entry')
  writeInt32(into, at, relativeOffset)
  writeInt32(into, at + POSITION, position)
}

function isZero(bytes: Uint8Array, entry: number): boolean {
  return offsetIndexRelativeOffset(bytes, entry) === 0 && offsetIndexPosition(bytes, entry) === 0
}

function damaged(path: string, entry: number, found: string): Error {
  return damagedFile(path, `${found}, in entry ${entry} at byte ${entry * OFFSET_INDEX_ENTRY_BYTES}`, REMEDY)
}
