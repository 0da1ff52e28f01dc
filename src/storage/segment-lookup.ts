// Finding a batch in the files of a segment by its sparse indexes (Kafka: LogSegment.translateOffset,
// findOffsetByTimestamp). Reads a few entries and one stretch of headers, whatever the size.
// Runs on the thread that has the partition's files.

import { looseInt64, looseLastOffset, looseMaxTimestamp } from '../log/batch-walk.ts'
import { BATCH_HEADER_BYTES } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, readInt32 } from '../record/record-batch.ts'
import type { DiskFile } from '../disk/disk.ts'
import { logFileName } from './log-file-names.ts'
import type { LogSegment } from './log-segment.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { readSafeInt64 } from './safe-int64.ts'
import { headerFault } from './segment-scan.ts'
import { HEADERS_WINDOW_BYTES, SegmentSource } from './segment-source.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'

export interface BatchPlace {
  /** The base offset of its segment. */
  readonly segment: number
  /** In the segment's .log, in bytes. */
  readonly position: number
  readonly baseOffset: number
  readonly lastOffset: number
}

/** The batch that holds `offset`, or the first behind it; undefined when the segment ends before. */
export function findBatchByOffset(directory: PartitionDirectory, segment: LogSegment, offset: number): BatchPlace | undefined {
  const position = positionBefore(directory, segment, offset)
  return firstBatch(directory, segment, position, (bytes, at) => looseLastOffset(bytes, at) >= offset)
}

/** The first batch that does not end below `startOffset` and whose max timestamp is not below `timestampMs`. */
export function findBatchByTimestamp(
  directory: PartitionDirectory,
  segment: LogSegment,
  timestampMs: number,
  startOffset: number,
): BatchPlace | undefined {
  const entry = new Uint8Array(TIME_INDEX_ENTRY_BYTES)
  const count = segment.timeEntries
  let offset = segment.baseOffset
  if (count > 0) {
    withFile(directory, logFileName(segment.baseOffset, 'timeindex'), (file) => {
      // In the batches up to the last entry that is older, all are older.
      const found = lastEntry(file, entry, count, () => readSafeInt64(entry, 0) < timestampMs)
      if (found) offset += readInt32(entry, 8)
    })
  }
  const position = positionBefore(directory, segment, offset)
  const isFound = (bytes: Uint8Array, at: number): boolean =>
    looseMaxTimestamp(bytes, at) >= timestampMs && looseLastOffset(bytes, at) >= startOffset
  return firstBatch(directory, segment, position, isFound)
}

/** The position that the offset index gives: no batch before it holds `offset`. */
function positionBefore(directory: PartitionDirectory, segment: LogSegment, offset: number): number {
  if (segment.offsetEntries === 0) return 0
  const entry = new Uint8Array(OFFSET_INDEX_ENTRY_BYTES)
  return withFile(directory, logFileName(segment.baseOffset, 'index'), (file) => {
    const found = lastEntry(file, entry, segment.offsetEntries, () => readInt32(entry, 0) <= offset - segment.baseOffset)
    return found ? readInt32(entry, 4) : 0
  })
}

/** Reads into `entry` the last of the entries for which `isBefore` holds; false when it holds for none. */
function lastEntry(file: DiskFile, entry: Uint8Array, count: number, isBefore: () => boolean): boolean {
  let low = 0
  let high = count - 1
  const read = (index: number): void => void file.read(entry, 0, entry.length, index * entry.length)
  while (low <= high) {
    const middle = (low + high) >>> 1
    read(middle)
    if (isBefore()) low = middle + 1
    else high = middle - 1
  }
  if (high < 0) return false
  read(high)
  return true
}

function firstBatch(
  directory: PartitionDirectory,
  segment: LogSegment,
  from: number,
  isFound: (bytes: Uint8Array, at: number) => boolean,
): BatchPlace | undefined {
  return withFile(directory, logFileName(segment.baseOffset, 'log'), (file) => {
    const source = new SegmentSource(file, HEADERS_WINDOW_BYTES)
    for (let position = from; position < segment.sizeInBytes; ) {
      const at = source.at(position, BATCH_HEADER_BYTES)
      if (headerFault(source, at, position) !== undefined) return undefined
      const { bytes } = source
      if (isFound(bytes, at)) {
        return { segment: segment.baseOffset, position, baseOffset: looseInt64(bytes, at), lastOffset: looseLastOffset(bytes, at) }
      }
      position += batchSizeInBytes(bytes, at)
    }
    return undefined
  })
}

function withFile<Result>(directory: PartitionDirectory, name: string, use: (file: DiskFile) => Result): Result {
  const file = directory.read(name)
  try {
    return use(file)
  } finally {
    file.close()
  }
}
