// Looking offsets up in the log of one partition by time (Kafka: ListOffsets, KIP-79 and
// KIP-734). Runs on the thread of the broker that leads it, in a control call; batches
// are found by their headers, then the record in a copy of the one batch.
//
// Holds: what is found is a user's record that may be read: not below the log start, not at
// or above the bound, and not of a control batch.

import { DecompressedBatch } from '../log/decompressed-batch.ts'
import { ControlBlock } from '../log/control-block.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { READ_OK, SharedLogReader } from '../log/shared-log-reader.ts'
import type { ReadTarget } from '../log/shared-log-reader.ts'
import { leaderEpoch } from '../record/record-batch.ts'
import { RecordCursor } from '../record/record-cursor.ts'

/** What is wanted of a partition (Kafka: OffsetSpec): an end, the record with the latest timestamp, or the first at or after a time. */
export type OffsetSpec = 'earliest' | 'latest' | 'maxTimestamp' | { readonly timestampMs: number }

/** The specs that only the log itself can answer; the ends stand in the control block. */
export type TimeSpec = Exclude<OffsetSpec, 'earliest' | 'latest'>

/** Up to where a reader may see a partition. */
export type FetchBound = 'highWatermark' | 'lastStableOffset'

export interface ListedOffset {
  readonly offset: number
  /** Of the record; -1 for an end of the partition. */
  readonly timestampMs: number
  /** Under which the record was appended; for an end of the partition, that of its leader now. */
  readonly leaderEpoch: number
}

/** Null: there is no such record. Throws CORRUPT_MESSAGE, RECORD_LIST_TOO_LARGE. */
export function findOffset(log: PartitionLog, memory: LogMemory, spec: TimeSpec, bound: FetchBound): ListedOffset | null {
  const search = new OffsetSearch(log, memory, bound)
  return spec === 'maxTimestamp' ? search.latestTimestamp() : search.firstAtOrAfter(spec.timestampMs)
}

class OffsetSearch {
  readonly #log: PartitionLog
  readonly #reader: SharedLogReader
  /** Of what memory holds. */
  readonly #startOffset: number
  readonly #endOffset: number
  readonly #batch: ReadTarget = { bytes: new Uint8Array(0), length: 0 }
  readonly #decompressed = new DecompressedBatch()
  readonly #cursor = new RecordCursor()

  constructor(log: PartitionLog, memory: LogMemory, bound: FetchBound) {
    this.#log = log
    this.#reader = new SharedLogReader(memory, log.slot, bound)
    this.#startOffset = log.hasFiles ? Math.max(log.startOffset, new ControlBlock(memory, log.slot).memoryStartOffset) : log.startOffset
    this.#endOffset = bound === 'highWatermark' ? log.highWatermark : log.lastStableOffset
  }

  firstAtOrAfter(timestampMs: number): ListedOffset | null {
    let fromOffset = this.#startOffset
    for (;;) {
      const baseOffset = this.#log.findOffsetByTimestamp(timestampMs, fromOffset)
      if (baseOffset < 0 || !this.#enterBatch(baseOffset)) return null
      while (this.#cursor.next()) if (this.#cursor.timestamp >= timestampMs) return this.#found()
      // The record that was so late is gone from the batch: the next one may have another.
      fromOffset = this.#reader.position
    }
  }

  latestTimestamp(): ListedOffset | null {
    // Of the first batch the latest record may be deleted; all others are whole.
    if (!this.#enterBatch(this.#startOffset)) return null
    const first = this.#latestOfBatch(null)
    const baseOffset = this.#log.findOffsetOfMaxTimestamp(this.#reader.position, this.#endOffset)
    return baseOffset >= 0 && this.#enterBatch(baseOffset) ? this.#latestOfBatch(first) : first
  }

  /** The record of the batch with the latest timestamp, the first of equals, if it is later than `best`. */
  #latestOfBatch(best: ListedOffset | null): ListedOffset | null {
    let latest = best
    while (this.#cursor.next()) if (this.#cursor.timestamp > (latest?.timestampMs ?? -1)) latest = this.#found()
    return latest
  }

  /** Copies the batch that holds the offset, or the one behind it; false when none may be read. */
  #enterBatch(offset: number): boolean {
    const startOffset = this.#startOffset
    this.#reader.seek(Math.max(offset, startOffset))
    if (this.#reader.read(this.#batch, 1) !== READ_OK) return false
    const { bytes, length } = this.#batch
    if (this.#reader.hasCompressed) {
      this.#decompressed.take(bytes, 0, length)
      this.#cursor.reset(this.#decompressed.bytes, 0, this.#decompressed.length, startOffset)
    } else {
      this.#cursor.reset(bytes, 0, length, startOffset)
    }
    return true
  }

  #found(): ListedOffset {
    const { bytes, offset, timestamp: timestampMs, batchStart } = this.#cursor
    return { offset, timestampMs, leaderEpoch: leaderEpoch(bytes, batchStart) }
  }
}
