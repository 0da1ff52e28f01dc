// How far the files of a partition are known, so that recovery need not read what lies before: made
// after a sync, on the I/O thread; believed by the next process, or the next I/O thread, on whatever
// thread recovers.
//
//   .log        ══════════════════════╪═══════════▶      batches below were synced, and are summed up here
//   .index      ─────────────┤ offsetEntries             entries that are in the files; what comes
//   .timeindex  ────────┤ timeEntries                    behind them is made again
//   .txnindex   ─────┤ transactionEntries
//
// Holds: without a new start of the machine files hold all that was written to them, so what is said
// here is true, unless a file was cut or exchanged since: `isTrue` looks at the ends of them. After
// a new start of the machine nobody asks for it, for the indexes were not synced.

import { assert } from '../assert.ts'
import { looseLastOffset } from '../log/batch-walk.ts'
import { BATCH_HEADER_BYTES } from '../record/record-batch-layout.ts'
import { batchCrc, batchSizeInBytes, leaderEpoch, readInt32 } from '../record/record-batch.ts'
import { logFileName } from './log-file-names.ts'
import type { SegmentFileKind } from './log-file-names.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { readSafeInt64 } from './safe-int64.ts'
import type { IndexState } from './segment-indexes.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, readTransactionIndex } from './transaction-index.ts'
import type { AbortedTransaction } from './transaction-index.ts'

export interface ResumePoint extends IndexState {
  /** Of the segment that was the last. */
  readonly baseOffset: number
  /** One past the last batch, which ends at `position` of the .log. */
  readonly endOffset: number
  readonly position: number
  /** Of the last batch: it is the mark by which the .log is known again. */
  readonly lastBatchPosition: number
  readonly lastBatchCrc: number
  readonly leaderEpoch: number
  /** The max timestamp of the segment's first batch. */
  readonly firstTimestampMs: number
  readonly offsetEntries: number
  readonly timeEntries: number
  readonly transactionEntries: number
  /** What producers wrote below `endOffset`, in the bytes of Kafka's snapshot. */
  readonly producers: Uint8Array
}

/** What the header of the last batch says, read from the .log; undefined when there is no such batch. */
export function readLastBatch(
  directory: PartitionDirectory,
  at: Pick<ResumePoint, 'baseOffset' | 'endOffset' | 'position' | 'lastBatchPosition'>,
): { crc: number; leaderEpoch: number } | undefined {
  const header = readPart(directory, at.baseOffset, 'log', at.lastBatchPosition, BATCH_HEADER_BYTES, at.position)
  if (header === undefined) return undefined
  const isIt = at.lastBatchPosition + batchSizeInBytes(header, 0) === at.position && looseLastOffset(header, 0) === at.endOffset - 1
  return isIt ? { crc: batchCrc(header, 0), leaderEpoch: leaderEpoch(header, 0) } : undefined
}

/** Whether the files are those that it was made of, or go on from them. */
export function isTrue(directory: PartitionDirectory, point: ResumePoint): boolean {
  const { baseOffset, position, offsetEntries, timeEntries } = point
  const last = readLastBatch(directory, point)
  if (last?.crc !== point.lastBatchCrc || last.leaderEpoch !== point.leaderEpoch) return false
  const index = readLastEntry(directory, baseOffset, 'index', offsetEntries, OFFSET_INDEX_ENTRY_BYTES)
  const times = readLastEntry(directory, baseOffset, 'timeindex', timeEntries, TIME_INDEX_ENTRY_BYTES)
  if (index === undefined || times === undefined) return false
  const transactions = readLastEntry(directory, baseOffset, 'txnindex', point.transactionEntries, TRANSACTION_INDEX_ENTRY_BYTES)
  if (transactions === undefined) return false
  const isIndex = offsetEntries === 0 || readInt32(index, 4) === position - point.bytesSinceLastEntry
  const isTimes =
    timeEntries === 0 ||
    (readSafeInt64(times, 0) === point.lastTimestampMs && baseOffset + readInt32(times, 8) === point.lastTimestampOffset)
  return isIndex && isTimes
}

/** The aborted transactions below the point: so many entries of its file, which must be there. */
export function readAbortedBelow(directory: PartitionDirectory, point: ResumePoint): AbortedTransaction[] {
  const { baseOffset, endOffset, transactionEntries } = point
  const length = transactionEntries * TRANSACTION_INDEX_ENTRY_BYTES
  if (length === 0) return []
  const bytes = readPart(directory, baseOffset, 'txnindex', 0, length, length)
  assert(bytes !== undefined, 'a resume point that is not true is used')
  return readTransactionIndex(directory.pathOf(logFileName(baseOffset, 'txnindex')), bytes, baseOffset, endOffset)
}

/** The last of so many entries; no bytes where there are none, undefined where the file is too short. */
function readLastEntry(
  directory: PartitionDirectory,
  baseOffset: number,
  kind: SegmentFileKind,
  entries: number,
  entryBytes: number,
): Uint8Array | undefined {
  if (entries === 0) return new Uint8Array(0)
  return readPart(directory, baseOffset, kind, (entries - 1) * entryBytes, entryBytes, entries * entryBytes)
}

/** Bytes of a file that is `sizeMin` long at least; undefined where it is not. */
function readPart(
  directory: PartitionDirectory,
  baseOffset: number,
  kind: SegmentFileKind,
  position: number,
  length: number,
  sizeMin: number,
): Uint8Array | undefined {
  const name = logFileName(baseOffset, kind)
  if (!directory.exists(name)) return undefined
  const file = directory.read(name)
  try {
    if (file.sizeInBytes() < sizeMin) return undefined
    const bytes = new Uint8Array(length)
    return file.read(bytes, 0, length, position) === length ? bytes : undefined
  } finally {
    file.close()
  }
}
