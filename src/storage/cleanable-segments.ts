// What of a partition's segments a compaction would work on, and whether it is due (Kafka:
// LogCleanerManager.cleanableOffsets, LogToClean; Cleaner.groupSegmentsBySize). Pure; any thread.
//
//   segment │ segment │ segment │ segment │ segment │ active segment
//   ──── clean ───▶ from ── dirty, cleanable ──▶ to ── not yet ──▶ log end
//                                                │
//             below the last stable offset, and older than min.compaction.lag.ms

import type { BrokerConfig } from '../config/broker-config.ts'
import { logConfigOf } from '../log/log-config.ts'
import type { ConfigText, LogConfig } from '../log/log-config.ts'
import type { LogSegment } from './log-segment.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import { partitionFilesConfigOf } from './partition-files-config.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'

const INT32_MAX = 0x7fff_ffff

/** What compaction takes from a topic's configs. */
export type CompactionConfig = Pick<
  LogConfig,
  'isCompacted' | 'deleteRetentionMs' | 'minCompactionLagMs' | 'maxCompactionLagMs' | 'minCleanableDirtyRatio'
> &
  Pick<PartitionFilesConfig, 'segmentBytes' | 'segmentIndexBytes' | 'indexIntervalBytes'>

export function compactionConfigOf(text: ConfigText, broker: Readonly<Partial<BrokerConfig>> = {}): CompactionConfig {
  const log = logConfigOf(text, broker)
  const files = partitionFilesConfigOf(text, broker)
  return {
    isCompacted: log.isCompacted,
    deleteRetentionMs: log.deleteRetentionMs,
    minCompactionLagMs: log.minCompactionLagMs,
    maxCompactionLagMs: log.maxCompactionLagMs,
    minCleanableDirtyRatio: log.minCleanableDirtyRatio,
    segmentBytes: files.segmentBytes,
    segmentIndexBytes: files.segmentIndexBytes,
    indexIntervalBytes: files.indexIntervalBytes,
  }
}

/** What the log says of its offsets. */
export interface CleanableState {
  readonly startOffset: number
  readonly endOffset: number
  /** All below was compacted, as the cleaner's checkpoint says. */
  readonly cleanedOffset: number
  /** All below is committed, and each transaction that began there has ended. */
  readonly stableEndOffset: number
}

export interface CleanableRange {
  /** Keys of records in [from, to) count; all records before `to` are looked at. */
  readonly from: number
  readonly to: number
  /** So many of the segments, from the first on, end at or below `to`. */
  readonly segments: number
  readonly dirtyBytes: number
  /** Of the bytes below `to`, 0 to 1. */
  readonly dirtyRatio: number
  /** More is dirty than `min.cleanable.dirty.ratio`, or dirty for longer than `max.compaction.lag.ms`. */
  readonly isDue: boolean
  /** Milliseconds until time alone may make it due; Infinity when it cannot. */
  readonly dueInMs: number
}

export function cleanableRange(
  segments: readonly LogSegment[],
  state: CleanableState,
  config: CompactionConfig,
  nowMs: number,
): CleanableRange {
  const { startOffset, endOffset, cleanedOffset, stableEndOffset } = state
  // A checkpoint behind the end is of another life of the log.
  const from = cleanedOffset < startOffset || cleanedOffset > endOffset ? startOffset : cleanedOffset
  let to = from
  let count = 0
  let cleanBytes = 0
  let dirtyBytes = 0
  let earliestMs = Number.POSITIVE_INFINITY
  let dueInMs = Number.POSITIVE_INFINITY
  for (let i = 0; i + 1 < segments.length; i++) {
    const segment = segments[i]!
    const end = segments[i + 1]!.baseOffset
    if (end > stableEndOffset) break
    if (end <= from) cleanBytes += segment.sizeInBytes
    else {
      const lagsForMs = segment.maxTimestampMs + config.minCompactionLagMs - nowMs
      if (config.minCompactionLagMs > 0 && lagsForMs > 0) {
        dueInMs = lagsForMs
        break
      }
      if (segment.firstTimestampMs > 0) earliestMs = Math.min(earliestMs, segment.firstTimestampMs)
      dirtyBytes += segment.sizeInBytes
      to = end
    }
    count++
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes)
  const lagLeftMs = earliestMs + config.maxCompactionLagMs - nowMs
  const isDue = dirtyBytes > 0 && (lagLeftMs < 0 || dirtyRatio > config.minCleanableDirtyRatio)
  if (dirtyBytes > 0) dueInMs = Math.min(dueInMs, Math.max(0, lagLeftMs + 1))
  return { from, to, segments: count, dirtyBytes, dirtyRatio, isDue, dueInMs }
}

/** One of the segments of a log that are cleaned. */
export interface SegmentToClean {
  readonly baseOffset: number
  /** Where the segment behind it begins. */
  readonly nextBaseOffset: number
  /** One past its last batch. */
  readonly endOffset: number
  readonly sizeInBytes: number
  readonly offsetEntries: number
  readonly timeEntries: number
}

/** Runs of neighbours, each of which is to become one segment, not fuller than the configs let a segment be. */
export function segmentGroups(
  segments: readonly SegmentToClean[],
  { segmentBytes, segmentIndexBytes }: Pick<CompactionConfig, 'segmentBytes' | 'segmentIndexBytes'>,
): SegmentToClean[][] {
  const groups: SegmentToClean[][] = []
  let bytes = 0
  let offsetEntries = 0
  let timeEntries = 0
  for (const segment of segments) {
    const group = groups.at(-1)
    bytes += segment.sizeInBytes
    offsetEntries += segment.offsetEntries
    timeEntries += segment.timeEntries
    const fits =
      group !== undefined &&
      bytes <= Math.min(segmentBytes, INT32_MAX) &&
      offsetEntries * OFFSET_INDEX_ENTRY_BYTES <= segmentIndexBytes &&
      timeEntries * TIME_INDEX_ENTRY_BYTES <= segmentIndexBytes &&
      segment.nextBaseOffset - 1 - group[0]!.baseOffset <= INT32_MAX
    if (fits) group.push(segment)
    else {
      groups.push([segment])
      bytes = segment.sizeInBytes
      offsetEntries = segment.offsetEntries
      timeEntries = segment.timeEntries
    }
  }
  return groups
}
