// A quick look at a segment that needs no scan: do its indexes fit its .log, and where does it
// end (Kafka: AbstractIndex.sanityCheck, LogSegment.readNextOffset)? Reads the last entry of each
// index and the headers behind it. Runs on the thread that has the partition's files.

import { looseInt64, looseLastOffset, looseMaxTimestamp } from '../log/batch-walk.ts'
import { BATCH_HEADER_BYTES, NO_LEADER_EPOCH, NO_TIMESTAMP } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, leaderEpoch, readInt32 } from '../record/record-batch.ts'
import { logFileName } from './log-file-names.ts'
import type { LogSegment } from './log-segment.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { readSafeInt64 } from './safe-int64.ts'
import type { IndexState } from './segment-indexes.ts'
import { headerFault } from './segment-scan.ts'
import { HEADERS_WINDOW_BYTES, SegmentSource } from './segment-source.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'

/** An index that lacks entries for so many times its interval is made again. */
const INDEX_GAP_MAX = 16

export interface SegmentTail {
  readonly segment: LogSegment
  /** How its indexes go on. */
  readonly indexState: IndexState
  /** Of its last batch, -1 in an empty segment. */
  readonly leaderEpoch: number
}

/** undefined when anything is not as it should be: then a scan says what. */
export function readSegmentTail(directory: PartitionDirectory, baseOffset: number, indexIntervalBytes: number): SegmentTail | undefined {
  const index = lastEntry(directory, logFileName(baseOffset, 'index'), OFFSET_INDEX_ENTRY_BYTES)
  const times = lastEntry(directory, logFileName(baseOffset, 'timeindex'), TIME_INDEX_ENTRY_BYTES)
  if (index === undefined || times === undefined) return undefined
  const file = directory.read(logFileName(baseOffset, 'log'))
  try {
    return walkTail(new SegmentSource(file, HEADERS_WINDOW_BYTES), baseOffset, index, times, indexIntervalBytes)
  } finally {
    file.close()
  }
}

interface LastEntry {
  readonly bytes: Uint8Array
  /** 0: `bytes` is empty. */
  readonly count: number
}

function walkTail(
  file: SegmentSource,
  baseOffset: number,
  index: LastEntry,
  times: LastEntry,
  indexIntervalBytes: number,
): SegmentTail | undefined {
  const indexedOffset = index.count === 0 ? -1 : baseOffset + readInt32(index.bytes, 0)
  const indexedPosition = index.count === 0 ? 0 : readInt32(index.bytes, 4)
  let maxTimestampMs = times.count === 0 ? NO_TIMESTAMP : readSafeInt64(times.bytes, 0)
  const timeOffset = times.count === 0 ? baseOffset : baseOffset + readInt32(times.bytes, 8)
  // All zeros: allocated ahead, and not cut.
  if (index.count > 0 && indexedPosition <= 0) return undefined
  if (times.count > 0 && maxTimestampMs === 0 && timeOffset === baseOffset) return undefined
  if (file.sizeInBytes === 0) return index.count + times.count === 0 ? emptyTail(baseOffset) : undefined
  const firstAt = file.at(0, BATCH_HEADER_BYTES)
  if (headerFault(file, firstAt, 0) !== undefined || looseInt64(file.bytes, firstAt) < baseOffset) return undefined
  const firstTimestampMs = looseMaxTimestamp(file.bytes, firstAt)
  let endOffset = -1
  let epoch = NO_LEADER_EPOCH
  for (let position = indexedPosition; position < file.sizeInBytes; ) {
    const at = file.at(position, BATCH_HEADER_BYTES)
    if (headerFault(file, at, position) !== undefined) return undefined
    const { bytes } = file
    const lastOffset = looseLastOffset(bytes, at)
    const isIndexed = position === indexedPosition && index.count > 0
    if (looseInt64(bytes, at) < Math.max(endOffset, baseOffset) || (isIndexed && lastOffset !== indexedOffset)) return undefined
    const size = batchSizeInBytes(bytes, at)
    if (position - indexedPosition > INDEX_GAP_MAX * indexIntervalBytes + size) return undefined
    endOffset = lastOffset + 1
    epoch = leaderEpoch(bytes, at)
    maxTimestampMs = Math.max(maxTimestampMs, looseMaxTimestamp(bytes, at))
    position += size
  }
  // What is not an offset of the segment fails too; with the entry outside the .log nothing was walked.
  if (!(timeOffset < endOffset)) return undefined
  const lastTimestampMs = times.count === 0 ? NO_TIMESTAMP : readSafeInt64(times.bytes, 0)
  // A segment that is full or was closed has the largest in its last entry.
  if (maxTimestampMs > lastTimestampMs) return undefined
  const segment: LogSegment = {
    baseOffset,
    endOffset,
    sizeInBytes: file.sizeInBytes,
    firstTimestampMs,
    maxTimestampMs,
    offsetEntries: index.count,
    timeEntries: times.count,
  }
  const bytesSinceLastEntry = file.sizeInBytes - indexedPosition
  return { segment, indexState: { bytesSinceLastEntry, lastTimestampMs, lastTimestampOffset: timeOffset }, leaderEpoch: epoch }
}

function emptyTail(baseOffset: number): SegmentTail {
  const segment: LogSegment = {
    baseOffset,
    endOffset: baseOffset,
    sizeInBytes: 0,
    firstTimestampMs: NO_TIMESTAMP,
    maxTimestampMs: NO_TIMESTAMP,
    offsetEntries: 0,
    timeEntries: 0,
  }
  const indexState = { bytesSinceLastEntry: 0, lastTimestampMs: NO_TIMESTAMP, lastTimestampOffset: baseOffset }
  return { segment, indexState, leaderEpoch: NO_LEADER_EPOCH }
}

function lastEntry(directory: PartitionDirectory, name: string, entryBytes: number): LastEntry | undefined {
  if (!directory.exists(name)) return undefined
  const file = directory.read(name)
  try {
    const size = file.sizeInBytes()
    if (size % entryBytes !== 0) return undefined
    const bytes = new Uint8Array(size === 0 ? 0 : entryBytes)
    file.read(bytes, 0, bytes.length, size - bytes.length)
    return { bytes, count: size / entryBytes }
  } finally {
    file.close()
  }
}
