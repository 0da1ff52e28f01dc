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
import { removeSegment } from './segment-repair.ts'
import { headerFault } from './segment-scan.ts'
import { HEADERS_WINDOW_BYTES, SegmentSource } from './segment-source.ts'

/** Clears up; the base offsets of the segments that are there then, rising, and the offsets of the snapshots. */
export function endInterruptedWork(directory: PartitionDirectory): { segments: number[]; snapshots: readonly number[] } {
  const listing = list(directory)
  const { leftovers, others } = listing
  for (const name of others) if (name.endsWith('.tmp')) directory.remove(name)
  const cleaned = leftovers.filter(({ state }) => state === 'cleaned')
  const lowestCleaned = Math.min(...cleaned.map(({ baseOffset }) => baseOffset))
  const swaps = leftovers.filter(({ state }) => state === 'swap')
  const unready = swaps.filter(({ baseOffset }) => baseOffset >= lowestCleaned)
  for (const { name } of unready) directory.remove(name)
  // Before what says that they are worthless goes.
  if (unready.length > 0) directory.syncNames()
  for (const { name, state } of leftovers) if (state !== 'swap') directory.remove(name)
  const ready = swaps.filter(({ baseOffset }) => baseOffset < lowestCleaned)
  if (ready.length > 0) endSwap(directory, ready)
  const { segments, snapshotOffsets, orphans } = leftovers.length === 0 ? listing : list(directory)
  for (const name of orphans) directory.remove(name)
  return { segments: segments.map(({ baseOffset }) => baseOffset), snapshots: snapshotOffsets }
}

// What swapSegments began (segment-swap.ts).
function endSwap(directory: PartitionDirectory, swaps: readonly LeftoverFile[]): void {
  // Who was killed may not have come to sync that they are all `.swap`.
  directory.disk.syncDirectory(directory.path)
  for (const first of new Set(swaps.map(({ baseOffset }) => baseOffset))) {
    const swapped = logFileName(first, 'log', 'swap')
    const name = directory.exists(swapped) ? swapped : logFileName(first, 'log')
    if (!directory.exists(name)) continue
    // Old segments that begin behind it and below its end are in it.
    const end = endOf(directory, name, first)
    for (const { baseOffset } of list(directory).segments) {
      if (baseOffset > first && baseOffset < end) removeSegment(directory, baseOffset)
    }
  }
  // Before a .swap that tells of them loses its name.
  directory.syncNames()
  for (const { name, kind, baseOffset } of swaps) directory.rename(name, logFileName(baseOffset, kind))
  directory.syncNames()
}

function list(directory: PartitionDirectory): LogDirectoryListing {
  return parseLogDirectory(directory.path, directory.disk.list(directory.path))
}

function endOf(directory: PartitionDirectory, name: string, first: number): number {
  let end = first
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
  return end
}
