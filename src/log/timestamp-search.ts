// Finding batches by their timestamps, by the extents' maxima, their sparse index and the
// headers (Kafka: TimeIndex, LogSegment.findOffsetByTimestamp). Runs on the thread of the
// broker that leads the log: nobody changes the chain meanwhile.

import {
  batchSizeWithin,
  extentStart,
  indexMaxTimestamp,
  indexPosition,
  looseInt64,
  looseLastOffset,
  looseMaxTimestamp,
} from './batch-walk.ts'
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
