// The entries of a segment's two indexes, as its batches come: all of them when an index is
// made again, only those not yet in the files when batches are appended. Any thread.
//
// Holds: both indexes get their entries at the same batches (Kafka: LogSegment.append).
// A batch allocates nothing, but for the doubling of the memory.

import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexAppender } from './offset-index.ts'
import { TIME_INDEX_ENTRY_BYTES, TimeIndexAppender } from './time-index.ts'

const ENTRIES_FIRST = 64

/** Where an index that is there already ends. */
export interface IndexState {
  readonly bytesSinceLastEntry: number
  readonly lastTimestampMs: number
  readonly lastTimestampOffset: number
}

export class SegmentIndexes {
  /** Entries of the offset index are in [0, offsetBytesUsed). */
  offsetBytes = new Uint8Array(ENTRIES_FIRST * OFFSET_INDEX_ENTRY_BYTES)
  offsetBytesUsed = 0
  timeBytes = new Uint8Array(ENTRIES_FIRST * TIME_INDEX_ENTRY_BYTES)
  timeBytesUsed = 0
  readonly #offsets: OffsetIndexAppender
  readonly #times: TimeIndexAppender

  constructor(baseOffset: number, indexIntervalBytes: number, state?: IndexState) {
    this.#offsets = new OffsetIndexAppender(baseOffset, indexIntervalBytes, state?.bytesSinceLastEntry)
    this.#times = new TimeIndexAppender(baseOffset, state?.lastTimestampMs, state?.lastTimestampOffset)
  }

  /** The largest timestamp so far in ms, -1 when no record has one. */
  get maxTimestampMs(): number {
    return this.#times.maxTimestampMs
  }

  /** How the indexes go on, after `noteTime`. */
  get state(): IndexState {
    const { maxTimestampMs, offsetOfMaxTimestamp } = this.#times
    const { bytesSinceLastEntry } = this.#offsets
    return { bytesSinceLastEntry, lastTimestampMs: maxTimestampMs, lastTimestampOffset: offsetOfMaxTimestamp }
  }

  /** A batch that begins at `position` of the .log. */
  note(lastOffset: number, position: number, sizeInBytes: number, maxTimestampMs: number): void {
    this.#times.observe(maxTimestampMs, lastOffset)
    if (this.offsetBytesUsed + OFFSET_INDEX_ENTRY_BYTES > this.offsetBytes.length) this.offsetBytes = doubled(this.offsetBytes)
    const wrote = this.#offsets.append(lastOffset, position, sizeInBytes, this.offsetBytes, this.offsetBytesUsed)
    if (wrote === 0) return
    this.offsetBytesUsed += wrote
    this.noteTime()
  }

  /** The largest timestamp so far, unless the last entry says it: also when the segment is full or closed. */
  noteTime(): void {
    if (this.timeBytesUsed + TIME_INDEX_ENTRY_BYTES > this.timeBytes.length) this.timeBytes = doubled(this.timeBytes)
    this.timeBytesUsed += this.#times.append(this.timeBytes, this.timeBytesUsed)
  }

  /** The entries are in the files. */
  clear(): void {
    this.offsetBytesUsed = 0
    this.timeBytesUsed = 0
  }
}

function doubled(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2)
  larger.set(bytes)
  return larger
}
