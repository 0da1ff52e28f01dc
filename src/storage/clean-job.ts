// One compaction of one partition, as it goes to a worker thread and comes back: plain data.
// What the worker is to do stands in here whole, so it needs nothing of the thread that asks.

import type { CompactionConfig, SegmentToClean } from './cleanable-segments.ts'
import type { LogSegment } from './log-segment.ts'

/** What a partition knows of a producer. */
export interface CleanedProducer {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of its last data batch, -1 without one. */
  readonly lastOffset: number
}

export interface CleanJob {
  /** The path of the partition's directory. */
  readonly directory: string
  /** The oldest segments of the log, those below `to`; never the one that is appended to. */
  readonly segments: readonly SegmentToClean[]
  /** Keys of records in [from, to) count. */
  readonly from: number
  readonly to: number
  readonly config: CompactionConfig
  /** Now, for horizons. */
  readonly nowMs: number
  /** All below is committed: what a producer wrote at or above it may yet be cut. */
  readonly stableEndOffset: number
  /** Those that are not yet forgotten. */
  readonly producers: readonly CleanedProducer[]
  /** Memory for keys; more of them take another compaction. */
  readonly dedupeBufferBytes: number
}

/** A new segment, whose files are named `.cleaned` and synced, names too. */
export interface CleanedSegment {
  readonly segment: LogSegment
  /** The neighbours whose place it takes; it begins where the first does. */
  readonly replaces: readonly { readonly baseOffset: number; readonly sizeInBytes: number }[]
  readonly hasTransactionIndex: boolean
  /** Of aborted transactions; 0: the index is there only to take the place of another. */
  readonly abortedTransactions: number
}

export interface CleanResult {
  /** By offset. To be put in place in this order: what a later one lacks may be in the old ones of an earlier. */
  readonly cleaned: readonly CleanedSegment[]
  /** All below is compacted once `cleaned` is in place; undefined when it ended before, and `failure` says why. */
  readonly cleanedOffset: number | undefined
  readonly failure: string | undefined
  readonly readBytes: number
  readonly writtenBytes: number
}
