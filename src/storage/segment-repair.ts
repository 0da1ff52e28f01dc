// What is done to the files of a whole segment. Runs on the thread that has the partition's files.

import { assert } from '../assert.ts'
import { SEGMENT_FILE_KINDS, logFileName } from './log-file-names.ts'
import type { LogSegment } from './log-segment.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import type { SegmentScan } from './segment-scan.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, writeAbortedTransaction } from './transaction-index.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** Its .log first: files beside none are removed when the partition is opened. */
export function removeSegment(directory: PartitionDirectory, baseOffset: number): void {
  for (const kind of SEGMENT_FILE_KINDS) directory.removeIfThere(logFileName(baseOffset, kind))
}

/** Cuts a .log; that is synced at once, for what is appended next must not stand before what was cut. */
export function truncateLog(directory: PartitionDirectory, baseOffset: number, sizeInBytes: number): void {
  const name = logFileName(baseOffset, 'log')
  const file = directory.disk.open(directory.pathOf(name), 'write')
  try {
    file.truncate(sizeInBytes)
    file.sync()
  } finally {
    file.close()
  }
  directory.markSynced(name)
}

export interface IndexPurpose {
  /** Nothing is appended any more: its indexes are synced with the next sync. */
  readonly isSealed: boolean
  /** What recovery will not look at again: it must never be there by half. */
  readonly isDurable: boolean
  /** Entries that stand in the files, and stay: those of the scan come behind them. None when left out. */
  readonly kept?: { readonly offsetEntries: number; readonly timeEntries: number }
}

/** Makes the indexes of a scanned segment what its .log says, and gives what is known of it; entries in memory are let go. */
export function writeIndexes(
  directory: PartitionDirectory,
  baseOffset: number,
  scan: SegmentScan,
  aborted: readonly AbortedTransaction[],
  { isSealed, isDurable, kept = { offsetEntries: 0, timeEntries: 0 } }: IndexPurpose,
): LogSegment {
  const { indexes } = scan
  const offsetsAt = kept.offsetEntries * OFFSET_INDEX_ENTRY_BYTES
  const timesAt = kept.timeEntries * TIME_INDEX_ENTRY_BYTES
  // Also where batches will follow: a segment may yet become the last one, and is the same then.
  indexes.noteTime()
  const segment: LogSegment = {
    baseOffset,
    endOffset: Math.max(baseOffset, scan.endOffset),
    sizeInBytes: scan.endPosition,
    firstTimestampMs: scan.firstTimestampMs,
    maxTimestampMs: scan.maxTimestampMs,
    offsetEntries: (offsetsAt + indexes.offsetBytesUsed) / OFFSET_INDEX_ENTRY_BYTES,
    timeEntries: (timesAt + indexes.timeBytesUsed) / TIME_INDEX_ENTRY_BYTES,
  }
  const transactions = new Uint8Array(aborted.length * TRANSACTION_INDEX_ENTRY_BYTES)
  for (const [i, transaction] of aborted.entries()) writeAbortedTransaction(transactions, i * TRANSACTION_INDEX_ENTRY_BYTES, transaction)
  const write = (kind: 'index' | 'timeindex' | 'txnindex', bytes: Uint8Array, at = 0): void => {
    const name = logFileName(baseOffset, kind)
    if (!holds(directory, name, bytes, at)) {
      assert(!isDurable || at === 0, 'what recovery will not look at again is written whole')
      if (isDurable) directory.replaceDurably(name, bytes)
      else overwrite(directory, name, bytes, at)
    }
    if (!isDurable && (isSealed || kind === 'txnindex')) directory.markUnsynced(name)
  }
  write('index', indexes.offsetBytes.subarray(0, indexes.offsetBytesUsed), offsetsAt)
  write('timeindex', indexes.timeBytes.subarray(0, indexes.timeBytesUsed), timesAt)
  if (aborted.length > 0) write('txnindex', transactions)
  else directory.removeIfThere(logFileName(baseOffset, 'txnindex'))
  indexes.clear()
  return segment
}

/** Whether a file ends with these bytes, at `at`. */
function holds(directory: PartitionDirectory, name: string, bytes: Uint8Array, at: number): boolean {
  if (!directory.exists(name) || directory.disk.stat(directory.pathOf(name)).sizeInBytes !== at + bytes.length) return false
  const file = directory.read(name)
  try {
    const there = new Uint8Array(bytes.length)
    return file.read(there, 0, there.length, at) === there.length && Buffer.compare(there, bytes) === 0
  } finally {
    file.close()
  }
}

function overwrite(directory: PartitionDirectory, name: string, bytes: Uint8Array, at: number): void {
  const file = directory.openOrCreate(name)
  try {
    file.truncate(at + bytes.length)
    file.write(bytes, 0, bytes.length, at)
  } finally {
    file.close()
  }
}
