// Puts a new segment in the place of those that compaction made it of (Kafka:
// LocalLog.replaceSegments). Runs on the thread that has the partition's files.
//
//   1  .cleaned ─▶ .swap, names synced      before: the old ones count. From here on: the new one
//   2  .log.swap ─▶ .log                    over the first of the old ones
//   3  the other old ones ─▶ .deleted       and names synced
//   4  the indexes' .swap ─▶ their names    .index last, and names synced
//
// Holds: whoever finds segments by name finds each offset in the last segment that begins at or
// below it, at every instant: old and new ones lie one over the other for a while, no offset lies
// in none. An index may then be of another .log than the one beside it, which readers notice.
// What a crash leaves is brought to one side or the other by interrupted-files.ts: a `.swap` that
// is left, of an index or a .log, says that old segments below the end of its .log may be there.

import type { CleanedSegment } from './clean-job.ts'
import type { DeletedFiles } from './deleted-files.ts'
import { logFileName } from './log-file-names.ts'
import type { SegmentFileKind } from './log-file-names.ts'
import type { PartitionDirectory } from './partition-directory.ts'

/** Whether all files of it are there: a job that was overtaken may have lost them. */
export function isCleanedThere(directory: PartitionDirectory, cleaned: CleanedSegment): boolean {
  const { baseOffset } = cleaned.segment
  return [...indexesOf(cleaned), 'log' as const].every((kind) => directory.exists(logFileName(baseOffset, kind, 'cleaned')))
}

export function swapSegments(directory: PartitionDirectory, cleaned: CleanedSegment, deleted: DeletedFiles, dueMs: number): void {
  const { baseOffset } = cleaned.segment
  const indexes = indexesOf(cleaned)
  for (const kind of [...indexes, 'log' as const]) {
    directory.rename(logFileName(baseOffset, kind, 'cleaned'), logFileName(baseOffset, kind, 'swap'))
  }
  directory.syncNames()
  const put = (kind: SegmentFileKind): void => directory.rename(logFileName(baseOffset, kind, 'swap'), logFileName(baseOffset, kind))
  put('log')
  for (const old of cleaned.replaces.slice(1)) deleted.add(old.baseOffset, dueMs)
  directory.syncNames()
  for (const kind of indexes) put(kind)
  directory.syncNames()
  if (cleaned.hasTransactionIndex && cleaned.abortedTransactions === 0) directory.remove(logFileName(baseOffset, 'txnindex'))
}

/** Removes a new segment that is not to be put in place. */
export function discardCleaned(directory: PartitionDirectory, cleaned: CleanedSegment): void {
  for (const kind of [...indexesOf(cleaned), 'log' as const]) {
    directory.removeIfThere(logFileName(cleaned.segment.baseOffset, kind, 'cleaned'))
  }
}

function indexesOf({ hasTransactionIndex }: CleanedSegment): SegmentFileKind[] {
  return hasTransactionIndex ? ['txnindex', 'timeindex', 'index'] : ['timeindex', 'index']
}
