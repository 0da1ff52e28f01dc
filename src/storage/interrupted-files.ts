// What a crash left of work on whole files, brought to an end or undone when a partition is opened
// (Kafka: LogLoader.removeTempFilesAndCollectSwapFiles). Runs on the thread that opens it.
//
//   .tmp       a file that was to replace another      removed
//   .deleted   a segment that was deleted              removed
//   .cleaned   a compaction that was still writing     removed, and .swap files at or above the lowest
//              of them: only a part of its segments was ready
//   .swap      a compaction that was ready             its segments take the place of those whose
//              offsets they hold
//   an index beside no .log                            removed
//
// Holds: done again after another crash, it gives the same.

import { looseInt64, looseLastOffset } from '../log/batch-walk.ts'
import { BATCH_HEADER_BYTES } from '../record/record-batch-layout.ts'
import { batchSizeInBytes } from '../record/record-batch.ts'
import { logFileName, parseLogDirectory } from './log-file-names.ts'
import type { LeftoverFile, LogDirectoryListing } from './log-file-names.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { headerFault } from './segment-scan.ts'
import { HEADERS_WINDOW_BYTES, SegmentSource } from './segment-source.ts'

/** Clears up; the base offsets of the segments that are there then, rising, and the offsets of the snapshots. */
export function endInterruptedWork(directory: PartitionDirectory): { segments: number[]; snapshots: readonly number[] } {
  const { leftovers, others } = list(directory)
  for (const name of others) if (name.endsWith('.tmp')) directory.remove(name)
  let lowestCleaned = Number.POSITIVE_INFINITY
  for (const { name, baseOffset, state } of leftovers) {
    if (state === 'cleaned') lowestCleaned = Math.min(lowestCleaned, baseOffset)
    if (state !== 'swap') directory.remove(name)
  }
  const swaps = leftovers.filter(({ state }) => state === 'swap')
  for (const { name, baseOffset } of swaps) if (baseOffset >= lowestCleaned) directory.remove(name)
  const ready = swaps.filter(({ baseOffset }) => baseOffset < lowestCleaned)
  if (ready.length > 0) endSwap(directory, ready)
  const { segments, snapshotOffsets, orphans } = list(directory)
  for (const name of orphans) directory.remove(name)
  return { segments: segments.map(({ baseOffset }) => baseOffset), snapshots: snapshotOffsets }
}

function endSwap(directory: PartitionDirectory, swaps: readonly LeftoverFile[]): void {
  // Of each new segment the offsets that it holds: old segments that begin in there are in it.
  const ranges = swaps.filter(({ kind }) => kind === 'log').map(({ name, baseOffset }) => offsetsIn(directory, name, baseOffset))
  for (const { baseOffset } of list(directory).segments) {
    if (!ranges.some(({ first, end }) => baseOffset >= first && baseOffset < end)) continue
    for (const kind of INDEXES_AND_LOG) directory.removeIfThere(logFileName(baseOffset, kind))
  }
  // The .log last: until then the next try finds it as it is here, and its indexes may be in their place already.
  for (const kind of INDEXES_AND_LOG) {
    for (const { name, baseOffset } of swaps.filter((file) => file.kind === kind)) directory.rename(name, logFileName(baseOffset, kind))
  }
  directory.syncNames()
}

/** A snapshot stays: what it says of the producers is not less true. */
const INDEXES_AND_LOG = ['index', 'timeindex', 'txnindex', 'log'] as const

function list(directory: PartitionDirectory): LogDirectoryListing {
  return parseLogDirectory(directory.path, directory.disk.list(directory.path))
}

function offsetsIn(directory: PartitionDirectory, name: string, first: number): { first: number; end: number } {
  let end = first + 1
  const log = directory.read(name)
  try {
    const file = new SegmentSource(log, HEADERS_WINDOW_BYTES)
    for (let position = 0; position < file.sizeInBytes; ) {
      const at = file.at(position, BATCH_HEADER_BYTES)
      if (headerFault(file, at, position) !== undefined || looseInt64(file.bytes, at) < first) break
      end = looseLastOffset(file.bytes, at) + 1
      position += batchSizeInBytes(file.bytes, at)
    }
  } finally {
    log.close()
  }
  return { first, end }
}
