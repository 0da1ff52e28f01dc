// The segment that a partition appends to: its .log, and the entries of its indexes, which wait
// in memory and are written many at once (Kafka: LogSegment.append).
// Runs on the thread that has the partition's files.
//
//   noteBatch … noteBatch   batches of a run, one behind the other in memory
//   writeRun                all of them with one write; their index entries later
//
// Holds: only the .log stays open, and that only until `closeFiles`. An index never names a
// batch that is not written. The index of a segment that was not sealed may lack entries:
// recovery makes it anew from the .log.

import { assert } from '../assert.ts'
import type { DiskFile } from '../disk/disk.ts'
import { logFileName } from './log-file-names.ts'
import { emptySegment } from './log-segment.ts'
import type { LogSegment } from './log-segment.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'
import { readLastBatch } from './resume-point.ts'
import type { ResumePoint } from './resume-point.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, writeAbortedTransaction } from './transaction-index.ts'
import type { AbortedTransaction } from './transaction-index.ts'

const INT32_MAX = 0x7fff_ffff
/** So many bytes of offset index entries are written together. */
const INDEX_WRITE_BYTES = 4 * 1024

export class SegmentWriter {
  readonly segment: LogSegment
  /** When it was begun, on the partition's clock: segments of batches without timestamps roll by it. */
  readonly createdMs: number
  /** What chance takes off `segment.ms`. */
  readonly jitterMs: number
  readonly #directory: PartitionDirectory
  readonly #indexes: SegmentIndexes
  readonly #logName: string
  #log: DiskFile | undefined
  /** Bytes of the .log that are written; the segment's size counts noted batches too. */
  #writtenBytes: number
  #isLogUnsynced = false
  /** Writes to the .log so far. */
  #runs = 0
  /** Of the last batch that was noted; -1: none was since the last checkpoint. */
  #lastBatchPosition = -1
  /** Entries that are in the files. */
  #offsetEntriesWritten: number
  #timeEntriesWritten: number
  readonly #aborted: AbortedTransaction[] = []

  /** A new segment: its files are made, empty. */
  static create(
    directory: PartitionDirectory,
    baseOffset: number,
    config: PartitionFilesConfig,
    createdMs: number,
    jitterMs: number,
  ): SegmentWriter {
    createEmpty(directory, logFileName(baseOffset, 'index')).close()
    createEmpty(directory, logFileName(baseOffset, 'timeindex')).close()
    // Last: files beside no .log are removed when the partition is opened.
    const log = createEmpty(directory, logFileName(baseOffset, 'log'))
    const indexes = new SegmentIndexes(baseOffset, config.indexIntervalBytes)
    const writer = new SegmentWriter(directory, emptySegment(baseOffset), indexes, createdMs, jitterMs)
    writer.#log = log
    return writer
  }

  /** A segment that is there; its entries are in the files. */
  constructor(directory: PartitionDirectory, segment: LogSegment, indexes: SegmentIndexes, createdMs: number, jitterMs: number) {
    this.#directory = directory
    this.segment = segment
    this.#indexes = indexes
    this.createdMs = createdMs
    this.jitterMs = jitterMs
    this.#logName = logFileName(segment.baseOffset, 'log')
    this.#writtenBytes = segment.sizeInBytes
    this.#offsetEntriesWritten = segment.offsetEntries
    this.#timeEntriesWritten = segment.timeEntries
  }

  /** Bytes that were noted and wait for `writeRun`. */
  get pendingBytes(): number {
    return this.segment.sizeInBytes - this.#writtenBytes
  }

  /** Whether a batch must go to a new segment (Kafka: LogSegment.shouldRoll). */
  isFullFor(lastOffset: number, sizeInBytes: number, maxTimestampMs: number, config: PartitionFilesConfig, nowMs: () => number): boolean {
    const { segment } = this
    // An empty one takes any batch: another would begin at the same offset.
    if (segment.sizeInBytes === 0) return false
    if (segment.sizeInBytes > config.segmentBytes - sizeInBytes) return true
    if (lastOffset - segment.baseOffset > INT32_MAX || segment.sizeInBytes + sizeInBytes > INT32_MAX) return true
    if (segment.offsetEntries >= Math.floor(config.segmentIndexBytes / OFFSET_INDEX_ENTRY_BYTES)) return true
    // One entry is left for the last.
    if (segment.timeEntries >= Math.floor(config.segmentIndexBytes / TIME_INDEX_ENTRY_BYTES) - 1) return true
    const waitedMs = segment.firstTimestampMs >= 0 ? maxTimestampMs - segment.firstTimestampMs : nowMs() - this.createdMs
    return waitedMs > config.segmentMs - this.jitterMs
  }

  /** The next batch of the run. */
  noteBatch(lastOffset: number, sizeInBytes: number, maxTimestampMs: number): void {
    const { segment } = this
    assert(lastOffset - segment.baseOffset <= INT32_MAX, 'a batch is too far from the base offset of its segment')
    if (segment.sizeInBytes === 0) segment.firstTimestampMs = maxTimestampMs
    this.#lastBatchPosition = segment.sizeInBytes
    this.#indexes.note(lastOffset, segment.sizeInBytes, sizeInBytes, maxTimestampMs)
    segment.sizeInBytes += sizeInBytes
    segment.endOffset = lastOffset + 1
    segment.maxTimestampMs = this.#indexes.maxTimestampMs
    this.#countEntries()
  }

  noteAborted(transaction: AbortedTransaction): void {
    this.#aborted.push(transaction)
  }

  /** Writes the noted batches, which stand in bytes[start, end). */
  writeRun(bytes: Uint8Array, start: number, end: number): void {
    assert(end - start === this.pendingBytes, 'a run is not what was noted of it')
    this.#log ??= this.#directory.disk.open(this.#directory.pathOf(this.#logName), 'write')
    this.#isLogUnsynced = true
    this.#runs++
    this.#log.write(bytes, start, end, this.#writtenBytes)
    this.#writtenBytes += end - start
    if (this.#indexes.offsetBytesUsed >= INDEX_WRITE_BYTES) this.flushIndexes()
    if (this.#aborted.length > 0) this.#writeAborted()
  }

  /** The entries that wait are written. */
  flushIndexes(): void {
    const { baseOffset } = this.segment
    const { offsetBytes, offsetBytesUsed, timeBytes, timeBytesUsed } = this.#indexes
    this.#writeEntries(
      logFileName(baseOffset, 'index'),
      offsetBytes,
      offsetBytesUsed,
      this.#offsetEntriesWritten * OFFSET_INDEX_ENTRY_BYTES,
    )
    this.#writeEntries(logFileName(baseOffset, 'timeindex'), timeBytes, timeBytesUsed, this.#timeEntriesWritten * TIME_INDEX_ENTRY_BYTES)
    this.#offsetEntriesWritten += offsetBytesUsed / OFFSET_INDEX_ENTRY_BYTES
    this.#timeEntriesWritten += timeBytesUsed / TIME_INDEX_ENTRY_BYTES
    this.#indexes.clear()
  }

  /**
   * All entries so far are written, also the one that a full segment would have; what is known then. Undefined: nothing
   * was appended since the last time.
   */
  checkpoint(): Omit<ResumePoint, 'producers'> | undefined {
    assert(this.pendingBytes === 0, 'a segment is checkpointed while a run is not written')
    if (this.#lastBatchPosition < 0) return undefined
    this.#indexes.noteTime()
    this.#countEntries()
    this.flushIndexes()
    const { baseOffset, endOffset, sizeInBytes: position, firstTimestampMs, offsetEntries, timeEntries } = this.segment
    const at = { baseOffset, endOffset, position, lastBatchPosition: this.#lastBatchPosition }
    const last = readLastBatch(this.#directory, at)
    assert(last !== undefined, 'the last batch is not where it was written')
    const entries = { offsetEntries, timeEntries, transactionEntries: transactionEntries(this.#directory, baseOffset) }
    const { crc: lastBatchCrc, leaderEpoch } = last
    this.#lastBatchPosition = -1
    return { ...at, ...entries, ...this.#indexes.state, firstTimestampMs, lastBatchCrc, leaderEpoch }
  }

  /** Nothing is appended any more: the last entry of the time index, and all files to be synced. */
  seal(): void {
    this.#indexes.noteTime()
    this.#countEntries()
    this.flushIndexes()
    this.#directory.markUnsynced(logFileName(this.segment.baseOffset, 'index'))
    this.#directory.markUnsynced(logFileName(this.segment.baseOffset, 'timeindex'))
    this.closeFiles()
  }

  /** The .log is synced; its indexes are not. */
  syncLog(): void {
    if (!this.#isLogUnsynced) return
    // Closed meanwhile: the directory knows that it is not synced.
    if (this.#log === undefined) return
    this.#log.sync()
    this.#isLogUnsynced = false
    this.#directory.markSynced(this.#logName)
  }

  /** Starts a sync of the .log as it is; false, and nothing is called, where it needs none. */
  startSyncLog(onEnd: (failure: unknown) => void): boolean {
    if (!this.#isLogUnsynced || this.#log === undefined) return false
    const runs = this.#runs
    const log = this.#log
    log.startSync((failure) => {
      // What was written meanwhile, or the file that was closed as not synced, waits for the next one.
      if (failure === undefined && runs === this.#runs && this.#log === log) {
        this.#isLogUnsynced = false
        this.#directory.markSynced(this.#logName)
      }
      onEnd(failure)
    })
    return true
  }

  /** Lets go of the descriptor; the next append opens the file again. */
  closeFiles(): void {
    const log = this.#log
    if (log === undefined) return
    this.#log = undefined
    if (this.#isLogUnsynced) this.#directory.markUnsynced(this.#logName)
    this.#isLogUnsynced = false
    log.close()
  }

  #countEntries(): void {
    this.segment.offsetEntries = this.#offsetEntriesWritten + this.#indexes.offsetBytesUsed / OFFSET_INDEX_ENTRY_BYTES
    this.segment.timeEntries = this.#timeEntriesWritten + this.#indexes.timeBytesUsed / TIME_INDEX_ENTRY_BYTES
  }

  #writeEntries(name: string, bytes: Uint8Array, length: number, position: number): void {
    if (length === 0) return
    const file = this.#directory.disk.open(this.#directory.pathOf(name), 'write')
    try {
      file.write(bytes, 0, length, position)
    } finally {
      file.close()
    }
  }

  #writeAborted(): void {
    const bytes = new Uint8Array(this.#aborted.length * TRANSACTION_INDEX_ENTRY_BYTES)
    for (const [i, transaction] of this.#aborted.entries()) writeAbortedTransaction(bytes, i * TRANSACTION_INDEX_ENTRY_BYTES, transaction)
    this.#aborted.length = 0
    const name = logFileName(this.segment.baseOffset, 'txnindex')
    const file = this.#directory.openOrCreate(name)
    try {
      file.write(bytes, 0, bytes.length, file.sizeInBytes())
    } finally {
      file.close()
    }
    this.#directory.markUnsynced(name)
  }
}

function transactionEntries(directory: PartitionDirectory, baseOffset: number): number {
  const name = logFileName(baseOffset, 'txnindex')
  return directory.exists(name) ? Math.floor(directory.disk.stat(directory.pathOf(name)).sizeInBytes / TRANSACTION_INDEX_ENTRY_BYTES) : 0
}

// Of an empty file only the name needs a sync.
function createEmpty(directory: PartitionDirectory, name: string): DiskFile {
  const file = directory.create(name)
  directory.markSynced(name)
  return file
}
