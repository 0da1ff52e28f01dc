// One segment of a partition: what is known of it without its files open (Kafka: LogSegment).
// Any thread.

import { NO_TIMESTAMP } from '../record/record-batch-layout.ts'

export interface LogSegment {
  readonly baseOffset: number
  /** One past its last batch. */
  endOffset: number
  /** Of its .log. */
  sizeInBytes: number
  /** The max timestamp of its first batch, -1 without one. */
  firstTimestampMs: number
  /** The largest timestamp of its batches, -1 without one. */
  maxTimestampMs: number
  /** Entries of its .index and its .timeindex, those that wait to be written too. */
  offsetEntries: number
  timeEntries: number
}

export function emptySegment(baseOffset: number): LogSegment {
  return {
    baseOffset,
    endOffset: baseOffset,
    sizeInBytes: 0,
    firstTimestampMs: NO_TIMESTAMP,
    maxTimestampMs: NO_TIMESTAMP,
    offsetEntries: 0,
    timeEntries: 0,
  }
}

/** The index of the segment that holds `offset`: the last that begins at or below it; -1 when all begin above. */
export function segmentIndexOf(segments: readonly LogSegment[], offset: number): number {
  let low = 0
  let high = segments.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (segments[middle]!.baseOffset <= offset) low = middle + 1
    else high = middle - 1
  }
  return high
}
