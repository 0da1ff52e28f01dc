// What a new leader makes of the chain that the leader before it left in log memory,
// wherever that one died (Kafka: LogLoader, for segments on disk). Runs on the new
// leader's thread, once, before it appends.
//
//   died between                                  and so
//   allocating and linking an extent              the extent is an orphan: extent-orphans.ts frees it
//   linking it and the control block              the chain is right, `last` lags: set from the chain
//   copying a batch and its end, or its end       what lies beyond the published log end is cut off:
//     and the published log end                     it was never acknowledged, its producer sends it again
//   publishing the log start and unlinking        extents wholly below the log start are unlinked now
//   unlinking and freeing                         an orphan too
//   compaction: writing extents and linking       orphans too; the chain is the old one
//   linking them and freeing those before         the chain is the new one; the old are orphans
//
// Holds: after this the chain holds exactly what lies between log start and the
// published log end; doing it again changes nothing, so a death in here is harmless.

import { MillraceError } from '../errors.ts'
import { killPoint } from '../kill-points.ts'
import {
  batchSizeWithin,
  extentStart,
  findIndexEntry,
  indexMaxTimestamp,
  indexPosition,
  looseInt64,
  looseMaxTimestamp,
} from './batch-walk.ts'
import type { ControlBlock } from './control-block.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import type { LogMemory } from './log-memory.ts'

export interface RecoveredTail {
  /** The last extent, -1 when the log holds none. */
  granule: number
  bytesSinceIndex: number
  sizeInBytes: number
  heldGranules: number
}

export function recoverChain(control: ControlBlock, memory: LogMemory, allocator: ExtentAllocator): RecoveredTail {
  const kept = cutUnpublished(control, memory, allocator)
  // Behind the cut: what is last now ends at the log end, which may be the log start.
  dropTrimmed(control, memory, allocator)
  const last = control.firstExtent < 0 ? -1 : kept
  control.setLastExtent(last)
  const tail: RecoveredTail = { granule: last, bytesSinceIndex: 0, sizeInBytes: 0, heldGranules: 0 }
  if (last >= 0) tail.bytesSinceIndex = cutBatches(control, memory, last)
  for (let granule = control.firstExtent; granule >= 0; granule = memory.extents.next(granule)) {
    tail.sizeInBytes += memory.extents.end(granule)
    tail.heldGranules += 1 << memory.extents.order(granule)
  }
  const first = control.firstExtent
  control.publishMemoryStart(first < 0 ? control.logEndOffset : memory.extents.baseOffset(first))
  control.setHeldGranules(tail.heldGranules)
  return tail
}

/** Ends the trim that the leader before had begun. */
function dropTrimmed(control: ControlBlock, memory: LogMemory, allocator: ExtentAllocator): void {
  const logStart = control.logStartOffset
  for (;;) {
    const oldest = control.firstExtent
    if (oldest < 0) return
    const next = memory.extents.next(oldest)
    const extentEnd = next < 0 ? control.logEndOffset : memory.extents.baseOffset(next)
    if (extentEnd > logStart) return
    control.setFirstExtent(next)
    allocator.giveBack(oldest)
  }
}

/** Cuts off extents that begin at or beyond the published end; the extent that is last then. */
function cutUnpublished(control: ControlBlock, memory: LogMemory, allocator: ExtentAllocator): number {
  const logEnd = control.logEndOffset
  let kept = -1
  let granule = control.firstExtent
  while (granule >= 0 && memory.extents.baseOffset(granule) < logEnd) {
    kept = granule
    granule = memory.extents.next(granule)
  }
  if (granule < 0) return kept
  if (kept < 0) control.setFirstExtent(-1)
  else memory.extents.linkNext(kept, -1)
  killPoint('log.adopt.cut')
  while (granule >= 0) {
    const next = memory.extents.next(granule)
    allocator.giveBack(granule)
    granule = next
  }
  return kept
}

/** Cuts the last extent at the published end; the bytes behind its last index entry. */
function cutBatches(control: ControlBlock, memory: LogMemory, granule: number): number {
  const { extents, arena } = memory
  const logEnd = control.logEndOffset
  const order = extents.order(granule)
  const start = extentStart(granule)
  const end = start + extents.end(granule)
  const entry = findIndexEntry(memory, granule, order, logEnd - 1 - extents.baseOffset(granule))
  const from = entry < 0 ? 0 : indexPosition(memory, granule, order, entry)
  let maxTimestampMs = entry < 0 ? -1 : indexMaxTimestamp(memory, granule, order, entry)
  let at = start + from
  while (at < end && looseInt64(arena, at) < logEnd) {
    const size = batchSizeWithin(arena, at, end)
    if (size < 0) {
      throw new MillraceError(
        'CORRUPT_MESSAGE',
        `the log of slot ${control.slot} is damaged below its published end ${logEnd}, at byte ${at - start}`,
      )
    }
    maxTimestampMs = Math.max(maxTimestampMs, looseMaxTimestamp(arena, at))
    at += size
  }
  extents.setEnd(granule, at - start)
  extents.setIndexCount(granule, entry + 1)
  extents.setMaxTimestamp(granule, maxTimestampMs)
  return at - start - from
}
