// Looks a time up in a partition's segment files, on the thread that asks (Kafka:
// UnifiedLog.fetchOffsetByTimestamp, KIP-79).
//
//   .timeindex  the last entry below the time: all records up to its offset are older
//   .index      where the batch of that offset is
//   .log        headers, and the records of the first batch that is new enough
//
// Holds: what is found is a user's record, at or above the log start and below the end of
// what is in files. A segment is passed over as too old only if it is not the last, for
// the index of the last has no entry yet for what came since; an index that is missing or
// not in order, or of which the entry that counts does not say what its batch does, is
// not believed: then all of its segment is read.

import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { ReadTarget } from '../log/shared-log-reader.ts'
import { appendDecompressed } from '../record/batch-compression.ts'
import { batchSizeInBytes, compressionType, isControlBatch, leaderEpoch, maxTimestamp } from '../record/record-batch.ts'
import { RecordCursor } from '../record/record-cursor.ts'
import { isGone } from './segment-errors.ts'
import type { SegmentFiles } from './segment-files.ts'
import { findSegment, listedBaseOffsets, segmentPath } from './segment-listing.ts'
import { SegmentReader } from './segment-reader.ts'
import { checkTimeIndex, findTimeIndexEntry, timeIndexRelativeOffset, timeIndexTimestamp } from './time-index.ts'

export interface SegmentSearch {
  readonly files: SegmentFiles
  readonly clock: Clock
  /** Where the partition's files are now. */
  readonly directory: () => string | undefined
  /** The log start. */
  readonly startOffset: () => number
  /** Behind what is in files: where memory begins. */
  readonly endOffset: number
}

/** A record that was found by time. */
export interface FoundOffset {
  readonly offset: number
  readonly timestampMs: number
  /** Under which it was appended. */
  readonly leaderEpoch: number
}

const CHUNK_BYTES = 256 * 1024
/** A longer index is not read: its segment is. */
const TIME_INDEX_BYTES_MAX = 16 * 1024 * 1024

/**
 * The first record in the files that is not older than the time; null: there is none. Rejects as
 * `SegmentReader.read`, and with RECORD_LIST_TOO_LARGE.
 */
export async function findOffsetByTimestamp(search: SegmentSearch, timestampMs: number): Promise<FoundOffset | null> {
  const reader = new SegmentReader(search)
  try {
    return await new TimestampSearch(search, reader, timestampMs).find()
  } finally {
    await reader.close()
  }
}

/** The record with the latest time in the files, the first of equals; null: there is none. Reads all of them. Rejects likewise. */
export async function findOffsetOfMaxTimestamp(search: SegmentSearch): Promise<FoundOffset | null> {
  const reader = new SegmentReader(search)
  try {
    return await new TimestampSearch(search, reader, 0).findLatest()
  } finally {
    await reader.close()
  }
}

class TimestampSearch {
  readonly #search: SegmentSearch
  readonly #reader: SegmentReader
  #timestampMs: number
  readonly #target: ReadTarget = { bytes: new Uint8Array(0), length: 0 }
  /** A batch without its compression. */
  readonly #plain: ReadTarget = { bytes: new Uint8Array(0), length: 0 }
  readonly #cursor = new RecordCursor()

  constructor(search: SegmentSearch, reader: SegmentReader, timestampMs: number) {
    this.#search = search
    this.#reader = reader
    this.#timestampMs = timestampMs
  }

  async find(): Promise<FoundOffset | null> {
    const { endOffset, startOffset } = this.#search
    let next = startOffset()
    while (next < endOffset) {
      const { from, to } = await this.#nextRange(next)
      const found = await this.#read(from, Math.min(to, endOffset))
      if (found !== null) return found
      next = Math.max(to, startOffset())
    }
    return null
  }

  async findLatest(): Promise<FoundOffset | null> {
    const { endOffset, startOffset } = this.#search
    let latest: FoundOffset | null = null
    for (let next = startOffset(); next < endOffset; ) {
      const behind = await this.#reader.read(next, endOffset, this.#target, CHUNK_BYTES)
      if (behind === next) return latest
      for (;;) {
        // Each is later than the one before: none is found twice.
        const found = this.#findInChunk(Math.max(next, startOffset(), (latest?.offset ?? -1) + 1))
        if (found === null) break
        latest = found
        this.#timestampMs = found.timestampMs + 1
      }
      next = behind
    }
    return latest
  }

  /** Of the segment that holds `offset`, what may hold such a record. No segment is known now: all that is left. */
  async #nextRange(offset: number): Promise<{ from: number; to: number }> {
    const { files, directory, endOffset } = this.#search
    const path = directory()
    try {
      const baseOffsets = path === undefined ? [] : listedBaseOffsets(await files.list(path))
      const at = findSegment(baseOffsets, offset)
      const baseOffset = baseOffsets[at]
      if (path === undefined || baseOffset === undefined) return { from: offset, to: endOffset }
      const nextBase = baseOffsets[at + 1]
      const to = nextBase ?? endOffset
      const from = await this.#lookUp(segmentPath(path, baseOffset, 'timeindex'), baseOffset, nextBase)
      return { from: Math.max(offset, Math.min(from, to)), to }
    } catch (error) {
      if (!isGone(error)) throw error
      return { from: offset, to: endOffset }
    }
  }

  /** The offset to look from; behind the segment where all of it is older. */
  async #lookUp(path: string, baseOffset: number, nextBase: number | undefined): Promise<number> {
    const index = await this.#readIndex(path)
    const entries = index === undefined ? 0 : usableEntries(path, index, baseOffset, nextBase ?? Number.MAX_SAFE_INTEGER)
    if (index === undefined || entries === 0) return baseOffset
    // Strictly older: the batch of an entry of that very time may begin with such records.
    const entry = findTimeIndexEntry(index, entries, this.#timestampMs - 1)
    if (entry < 0) return baseOffset
    const offset = baseOffset + timeIndexRelativeOffset(index, entry)
    if (!(await this.#isTrue(offset, timeIndexTimestamp(index, entry)))) return baseOffset
    return nextBase !== undefined && entry === entries - 1 ? nextBase : offset + 1
  }

  /** Whether a batch ends with the offset that has this for its largest time; of an index nothing else can be proved. */
  async #isTrue(offset: number, timestampMs: number): Promise<boolean> {
    const { startOffset, endOffset } = this.#search
    // What lies below the log start may be gone.
    if (offset < startOffset() || offset >= endOffset) return false
    try {
      const next = await this.#reader.read(offset, endOffset, this.#target, 1)
      return next === offset + 1 && this.#target.length > 0 && maxTimestamp(this.#target.bytes, 0) === timestampMs
    } catch (error) {
      // Whoever comes to read it is told.
      if (!(error instanceof MillraceError)) throw error
      return false
    }
  }

  async #readIndex(path: string): Promise<Uint8Array | undefined> {
    try {
      const file = await this.#search.files.open(path)
      try {
        const size = await file.sizeInBytes()
        if (size > TIME_INDEX_BYTES_MAX) return undefined
        const bytes = new Uint8Array(size)
        return bytes.subarray(0, await file.read(bytes, 0, size, 0))
      } finally {
        await file.close()
      }
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  async #read(from: number, endOffset: number): Promise<FoundOffset | null> {
    for (let next = from; next < endOffset; ) {
      const behind = await this.#reader.read(next, endOffset, this.#target, CHUNK_BYTES)
      // The log start is above it.
      if (behind === next) return null
      const found = this.#findInChunk(Math.max(next, this.#search.startOffset()))
      if (found !== null) return found
      next = behind
    }
    return null
  }

  #findInChunk(from: number): FoundOffset | null {
    const { bytes, length } = this.#target
    for (let at = 0; at < length; at += batchSizeInBytes(bytes, at)) {
      if (isControlBatch(bytes, at) || maxTimestamp(bytes, at) < this.#timestampMs) continue
      this.#enterBatch(at, from)
      while (this.#cursor.next()) {
        const { offset, timestamp } = this.#cursor
        // One that reaches over the end of the files belongs to memory from there on.
        if (offset >= this.#search.endOffset) return null
        if (timestamp >= this.#timestampMs) return { offset, timestampMs: timestamp, leaderEpoch: leaderEpoch(bytes, at) }
      }
    }
    return null
  }

  #enterBatch(at: number, from: number): void {
    const { bytes } = this.#target
    const end = at + batchSizeInBytes(bytes, at)
    if (compressionType(bytes, at) === 0) return this.#cursor.reset(bytes, at, end, from)
    this.#plain.length = 0
    appendDecompressed(bytes, at, end, this.#plain)
    this.#cursor.reset(this.#plain.bytes, 0, this.#plain.length, from)
  }
}

/** How many entries of an index are to be believed: all, or none. */
function usableEntries(path: string, index: Uint8Array, baseOffset: number, endOffset: number): number {
  try {
    return checkTimeIndex(path, index, baseOffset, endOffset)
  } catch {
    return 0
  }
}
