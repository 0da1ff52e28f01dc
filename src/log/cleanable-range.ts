// What of a log a compaction would work on, and whether it is due (Kafka: LogToClean,
// LogCleanerManager.cleanableOffsets). Runs on the thread of the broker that leads the log.
//
//   start ──── clean ────▶ cleaned offset ──── dirty, cleanable ────▶ to ──── not yet ────▶ log end
//                          from                                       │
//             below the last stable offset, not the last extent, and older than min.compaction.lag.ms

import { extentStart, looseMaxTimestamp } from './batch-walk.ts'
import type { LogMemory } from './log-memory.ts'
import type { MemoryLog } from './memory-log.ts'

export interface CleanableRange {
  /** Keys of records in [from, to) count; all records before `to` are looked at. */
  readonly from: number
  readonly to: number
  readonly dirtyBytes: number
  /** More of the log is dirty than `min.cleanable.dirty.ratio`, or dirty for longer than `max.compaction.lag.ms`. */
  readonly isDue: boolean
  /** Milliseconds until time alone may make it due; Infinity when it cannot. */
  readonly dueInMs: number
}

export function cleanableRange(log: MemoryLog, memory: LogMemory, nowMs: number): CleanableRange {
  const { extents, arena } = memory
  const { minCompactionLagMs, maxCompactionLagMs, minCleanableDirtyRatio } = log.config
  const from = Math.max(log.cleanedOffset, log.startOffset)
  let to = from
  let cleanBytes = 0
  let dirtyBytes = 0
  let earliestMs = Number.POSITIVE_INFINITY
  let dueInMs = Number.POSITIVE_INFINITY
  for (let granule = log.chain.first; granule >= 0; ) {
    const next = extents.next(granule)
    const end = next < 0 ? -1 : extents.baseOffset(next)
    if (end < 0 || end > log.lastStableOffset) break
    if (end <= from) {
      cleanBytes += extents.end(granule)
    } else {
      const lagsForMs = extents.maxTimestamp(granule) + minCompactionLagMs - nowMs
      if (minCompactionLagMs > 0 && lagsForMs > 0) {
        dueInMs = lagsForMs
        break
      }
      if (extents.end(granule) > 0) earliestMs = Math.min(earliestMs, looseMaxTimestamp(arena, extentStart(granule)))
      dirtyBytes += extents.end(granule)
      to = end
    }
    granule = next
  }
  const lagLeftMs = earliestMs + maxCompactionLagMs - nowMs
  const isDue = dirtyBytes > 0 && (lagLeftMs < 0 || dirtyBytes / (cleanBytes + dirtyBytes) > minCleanableDirtyRatio)
  if (dirtyBytes > 0) dueInMs = Math.min(dueInMs, Math.max(0, lagLeftMs + 1))
  return { from, to, dirtyBytes, isDue, dueInMs }
}
