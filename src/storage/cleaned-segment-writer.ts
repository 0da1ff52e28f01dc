// Writes what compaction leaves of a group of segments into the files of a new one (Kafka: the
// segment of `.cleaned` files). Runs on the thread that cleans.
//
//   <base offset>.log.cleaned .index.cleaned .timeindex.cleaned, .txnindex.cleaned where need be
//
// Holds: until `finish` has returned they are worthless; then all of them are synced, but not yet
// their names. What waits in memory is 1 MiB of batches and the entries of the indexes.

import { assert } from '../assert.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'
import { looseLastOffset, looseMaxTimestamp } from '../log/batch-walk.ts'
import { copyBytes } from '../log/copy-bytes.ts'
import { NO_TIMESTAMP } from '../record/record-batch-layout.ts'
import { logFileName } from './log-file-names.ts'
import type { SegmentFileKind } from './log-file-names.ts'
import type { LogSegment } from './log-segment.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, writeAbortedTransaction } from './transaction-index.ts'
import type { AbortedTransaction } from './transaction-index.ts'

const BUFFER_BYTES = 1024 * 1024

export class CleanedSegmentWriter {
  readonly #disk: Disk
  readonly #directory: string
  readonly #baseOffset: number
  readonly #indexes: SegmentIndexes
  readonly #log: DiskFile
  readonly #buffer: Uint8Array
  readonly #made: string[] = []
  #buffered = 0
  #writtenBytes = 0
  #endOffset: number
  #firstTimestampMs: number = NO_TIMESTAMP

  /** `buffer`: memory to gather batches in, from one writer to the next. */
  constructor(disk: Disk, directory: string, baseOffset: number, indexIntervalBytes: number, buffer: Uint8Array) {
    this.#disk = disk
    this.#directory = directory
    this.#baseOffset = baseOffset
    this.#endOffset = baseOffset
    this.#indexes = new SegmentIndexes(baseOffset, indexIntervalBytes)
    this.#buffer = buffer
    this.#log = this.#create('log')
  }

  static buffer(): Uint8Array {
    return new Uint8Array(BUFFER_BYTES)
  }

  get sizeInBytes(): number {
    return this.#writtenBytes + this.#buffered
  }

  /** The batch in bytes[at, at + size) is the next. */
  add(bytes: Uint8Array, at: number, size: number): void {
    const maxTimestampMs = looseMaxTimestamp(bytes, at)
    const lastOffset = looseLastOffset(bytes, at)
    assert(lastOffset >= this.#endOffset, 'what is left of a compaction is in order')
    if (this.sizeInBytes === 0) this.#firstTimestampMs = maxTimestampMs
    this.#indexes.note(lastOffset, this.sizeInBytes, size, maxTimestampMs)
    this.#endOffset = lastOffset + 1
    if (this.#buffered + size > this.#buffer.length) this.#flush()
    if (size > this.#buffer.length) {
      this.#writtenBytes += this.#log.write(bytes, at, at + size, this.#writtenBytes)
      return
    }
    copyBytes(this.#buffer, this.#buffered, bytes, at, at + size)
    this.#buffered += size
  }

  /** Writes the indexes and syncs all; what is then known of the segment. */
  finish(aborted: readonly AbortedTransaction[], hasTransactionIndex: boolean): LogSegment {
    this.#flush()
    this.#log.sync()
    this.#log.close()
    this.#indexes.noteTime()
    const { offsetBytes, offsetBytesUsed, timeBytes, timeBytesUsed, maxTimestampMs } = this.#indexes
    this.#writeIndex('index', offsetBytes, offsetBytesUsed)
    this.#writeIndex('timeindex', timeBytes, timeBytesUsed)
    if (hasTransactionIndex) {
      const bytes = new Uint8Array(aborted.length * TRANSACTION_INDEX_ENTRY_BYTES)
      for (const [i, transaction] of aborted.entries()) writeAbortedTransaction(bytes, i * TRANSACTION_INDEX_ENTRY_BYTES, transaction)
      this.#writeIndex('txnindex', bytes, bytes.length)
    }
    return {
      baseOffset: this.#baseOffset,
      endOffset: this.#endOffset,
      sizeInBytes: this.#writtenBytes,
      firstTimestampMs: this.#firstTimestampMs,
      maxTimestampMs,
      offsetEntries: offsetBytesUsed / OFFSET_INDEX_ENTRY_BYTES,
      timeEntries: timeBytesUsed / TIME_INDEX_ENTRY_BYTES,
    }
  }

  /** Removes what was made, as far as the disk lets it. */
  discard(): void {
    try {
      this.#log.close()
      for (const path of this.#made) if (this.#disk.exists(path)) this.#disk.remove(path)
    } catch {
      // The next compaction removes it, or the next opening of the log.
    }
  }

  #flush(): void {
    if (this.#buffered === 0) return
    this.#writtenBytes += this.#log.write(this.#buffer, 0, this.#buffered, this.#writtenBytes)
    this.#buffered = 0
  }

  #create(kind: SegmentFileKind): DiskFile {
    const path = `${this.#directory}/${logFileName(this.#baseOffset, kind, 'cleaned')}`
    const file = this.#disk.open(path, 'create')
    this.#made.push(path)
    return file
  }

  #writeIndex(kind: SegmentFileKind, bytes: Uint8Array, length: number): void {
    const file = this.#create(kind)
    try {
      file.write(bytes, 0, length, 0)
      file.sync()
    } finally {
      file.close()
    }
  }
}
