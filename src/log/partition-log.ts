// The log of one replica, as its leader or follower sees it (Kafka: UnifiedLog). A log
// in memory and a log in files keep the same contract; test/contract holds it.
// Runs on the thread of the broker that has the replica. Readers on other threads
// never come here: they read shared words and shared memory themselves.
// Holds: offsets go up by what each batch says, and never back; what is below the
// published log end survives the death of the thread.

import { MillraceError } from '../errors.ts'
import type { LogConfig } from './log-config.ts'

/** No extent can be had now: retention is at work, try the same batch again later. */
export const APPEND_NO_MEMORY = -1
/** Larger than any extent. */
export const APPEND_TOO_LARGE = -2
/** The topics that keep everything (retention.bytes -1) hold half the arena. */
export const APPEND_PINNED_FULL = -3
/** Not one whole batch with a sound header; nothing was appended. */
export const APPEND_CORRUPT = -4
/** The batch would reach beyond offset 2^53 - 1. */
export const APPEND_NO_OFFSETS = -5

export interface PartitionLog {
  readonly slot: number
  /** Whether it is written to files too: `trimOldest` then takes nothing but memory, and its files have retention of their own. */
  readonly hasFiles: boolean
  readonly config: LogConfig
  /** The oldest offset that may be read. */
  readonly startOffset: number
  /** One past the newest appended offset, published or not. */
  readonly endOffset: number
  /** One past the newest offset that is as durable as the topic asks. */
  readonly durableEndOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  /** Bytes of the batches that are held. */
  readonly sizeInBytes: number
  /** Memory that is held, in granules of 16 KiB. */
  readonly heldGranules: number
  /** Records that memory retention took. */
  readonly trimmedRecords: number
  /** Records that retention by age and by size took. */
  readonly expiredRecords: number
  /** When the last segment is to be closed because of its age, on the monotonic clock; Infinity when there is none. */
  readonly rollDueMs: number
  /** Called when a segment was begun. */
  onRoll: (() => void) | undefined

  /** The topic's configs are these from now on. */
  reconfigure(config: LogConfig): void

  /**
   * Appends the one batch in source[start, end): stamps its base offset and leader epoch
   * and copies it once. Its base offset, or an APPEND_ code below 0, with nothing changed.
   * `source` may be a lane's shared memory and is free again when this returns.
   */
  append(source: Uint8Array, start: number, end: number): number
  /** Makes the ends of what was appended known: log end and durable end. */
  publishEnds(): void
  /** Lets readers see everything below `offset`. */
  publishHighWatermark(offset: number): void
  /** Publishes the ends, and moves the watermark to the durable end: for a single replica. */
  advance(): void
  /** Gives up the oldest extent, if it is committed; the records that went, 0 when none could. */
  trimOldest(): number
  /** Gives up oldest segments while what stays is at least `retentionBytes` (Kafka: retention.bytes); the records that went. */
  trimToBytes(retentionBytes: number): number
  /**
   * Of a log with files: moves the log start to where the retention of its files lets it begin; the records that went.
   * What the files hold compacted goes from memory.
   */
  applyRetention(): number
  /**
   * Milliseconds until the oldest segment may go because of its age, 0 when it may now, Infinity when none ever may:
   * when its latest record is older than `retention.ms`, by the epoch's milliseconds, and it was begun five minutes
   * ago (Kafka: log.retention.check.interval.ms), or as long ago as `retention.ms` says if that is less. So records
   * that come with timestamps of long ago stay as long as they stay in Kafka.
   */
  expiresInMs(nowMs: number, monotonicMs: number): number
  /** Gives up the oldest segments as long as they may go because of their age, `segmentsMax` of them at most; the records that went. */
  trimExpired(nowMs: number, monotonicMs: number, segmentsMax: number): number
  /** Closes the last segment, full or not: the next batch begins another. */
  roll(): void
  /**
   * Forgets records below `offset`, or below the high watermark with -1 (Kafka: DeleteRecords); the start offset
   * then. It may lie inside a batch: readers pass over what is below. Throws OFFSET_OUT_OF_RANGE above the high
   * watermark, POLICY_VIOLATION where the topic is only compacted.
   */
  deleteRecordsBefore(offset: number): number
  /** Visits every batch that is held, oldest first, by its header at bytes[at]: for a leader that starts. */
  walkBatches(visit: (bytes: Uint8Array, at: number) => void): void
  /** Base offset of the oldest batch that holds a timestamp of at least `timestampMs` and reaches to `fromOffset`, -1 when none does. */
  findOffsetByTimestamp(timestampMs: number, fromOffset?: number): number
  /**
   * Base offset of the batch with the latest timestamp, the oldest of equals, of those with users' records that begin
   * in [fromOffset, toOffset); -1 when there is none.
   */
  findOffsetOfMaxTimestamp(fromOffset: number, toOffset: number): number
  /** The replica is gone from this broker: frees everything. Readers learn that it was deleted. */
  delete(): void
  /** The broker leads it no longer; memory stays for whoever does. */
  close(): void
}

/** The log start that Kafka's DeleteRecords asks for with `offset`; errors as `deleteRecordsBefore`. */
export function startAfterDeleting(offset: number, highWatermark: number, config: LogConfig): number {
  const start = offset === -1 ? highWatermark : offset
  if (start < 0 || start > highWatermark) {
    const range = `records can be deleted up to the high watermark, which is ${highWatermark}, or -1 for that`
    throw new MillraceError('OFFSET_OUT_OF_RANGE', `offset ${offset} is out of range: ${range}`)
  }
  if (config.isDeleted) return start
  const remedy = "add 'delete' to its cleanup.policy, or send tombstones"
  throw new MillraceError('POLICY_VIOLATION', `records of a topic that is only compacted are not deleted by offset: ${remedy}`)
}
