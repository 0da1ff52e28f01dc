// Finding batches by their timestamps, by the extents' maxima, their sparse index and the
// headers (Kafka: TimeIndex, LogSegment.findOffsetByTimestamp). Runs on the thread of the
// broker that leads the log: nobody changes the chain meanwhile.
//
// Holds: a header's maximum says that some record may be as late, not that one is left:
// compaction and deleted records take records out of a batch. Whoever asks looks inside.

import {
  batchSizeWithin,
  extentStart,
  indexMaxTimestamp,
  indexPosition,
  looseInt64,
  looseLastOffset,
  looseMaxTimestamp,
} from './batch-walk.ts'
import { isControlBatch } from '../record/record-batch.ts'
import type { ControlBlock } from './control-block.ts'
import type { LogMemory } from './log-memory.ts'

/** Base offset of the oldest batch that reaches to `fromOffset` and holds a timestamp of at least `timestampMs`, -1 when none does. */
export function findOffsetByTimestamp(memory: LogMemory, control: ControlBlock, timestampMs: number, fromOffset: number): number {
  const { extents } = memory
  for (let granule = control.firstExtent; granule >= 0; granule = extents.next(granule)) {
    if (extents.maxTimestamp(granule) < timestampMs) continue
    const found = findInExtent(memory, granule, timestampMs, fromOffset)
    if (found >= 0) return found
  }
  return -1
}

/**
 * Base offset of the batch with the latest timestamp, the oldest of equals, of those with users' records that begin in
 * [fromOffset, toOffset); -1 when there is none.
 */
export function findOffsetOfMaxTimestamp(memory: LogMemory, control: ControlBlock, fromOffset: number, toOffset: number): number {
  const { arena, extents } = memory
  let foundMs = -1
  let found = -1
  for (let granule = control.firstExtent; granule >= 0; granule = extents.next(granule)) {
    if (extents.maxTimestamp(granule) <= foundMs || extents.baseOffset(granule) >= toOffset) continue
    const end = extentStart(granule) + extents.end(granule)
    for (let at = extentStart(granule); at < end; ) {
      const size = batchSizeWithin(arena, at, end)
      if (size < 0) break
      const baseOffset = looseInt64(arena, at)
      const timestampMs = looseMaxTimestamp(arena, at)
      if (timestampMs > foundMs && baseOffset >= fromOffset && baseOffset < toOffset && !isControlBatch(arena, at)) {
        foundMs = timestampMs
        found = baseOffset
      }
      at += size
    }
  }
  return found
}

function findInExtent(memory: LogMemory, granule: number, timestampMs: number, fromOffset: number): number {
  const { arena, extents } = memory
  const order = extents.order(granule)
  const start = extentStart(granule)
  const end = start + extents.end(granule)
  let entry = extents.indexCount(granule) - 1
  while (entry >= 0 && indexMaxTimestamp(memory, granule, order, entry) >= timestampMs) entry--
  let at = start + (entry < 0 ? 0 : indexPosition(memory, granule, order, entry))
  while (at < end) {
    if (looseMaxTimestamp(arena, at) >= timestampMs && looseLastOffset(arena, at) >= fromOffset) return looseInt64(arena, at)
    const size = batchSizeWithin(arena, at, end)
    if (size < 0) break
    at += size
  }
  return -1
}
