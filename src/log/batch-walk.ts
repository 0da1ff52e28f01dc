// Walking the batches of an extent by their headers, and its sparse offset index
// (Kafka: OffsetIndex, FileRecords.searchForOffset). Any thread.
//
// Holds: every position is checked against bounds given by the caller before it is
// read, and every step goes forward, so garbage costs a bounded walk and a wrong
// answer, never more: a reader finds by the generation that the answer is void.
// Nothing here throws or allocates.

import { BATCH_HEADER_BYTES, MAX_TIMESTAMP } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, lastOffsetDelta, readInt32 } from '../record/record-batch.ts'
import type { LogMemory } from './log-memory.ts'
import { GRANULE_BYTES, INDEX_ENTRY_BYTES } from './log-memory-layout.ts'

const TWO_POW_32 = 0x1_0000_0000

/** A 64-bit field as a number, whatever it holds. */
export function looseInt64(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at) * TWO_POW_32 + (readInt32(bytes, at + 4) >>> 0)
}

/** Whole bytes of the batch at `at`, or -1 when no batch that ends by `end` can start there. */
export function batchSizeWithin(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < BATCH_HEADER_BYTES) return -1
  const size = batchSizeInBytes(bytes, at)
  return size >= BATCH_HEADER_BYTES && size <= end - at ? size : -1
}

/** The last offset of the batch at `at`. */
export function looseLastOffset(bytes: Uint8Array, at: number): number {
  return looseInt64(bytes, at) + lastOffsetDelta(bytes, at)
}

export function looseMaxTimestamp(bytes: Uint8Array, at: number): number {
  return looseInt64(bytes, at + MAX_TIMESTAMP)
}

export function extentStart(granule: number): number {
  // A product, not a shift: the arena may be larger than 2 GiB.
  return granule * GRANULE_BYTES
}

function indexEntryAt(granule: number, order: number, entry: number): number {
  return extentStart(granule) + (GRANULE_BYTES << order) - (entry + 1) * INDEX_ENTRY_BYTES
}

export function writeIndexEntry(
  memory: LogMemory,
  granule: number,
  order: number,
  entry: number,
  relativeOffset: number,
  position: number,
  maxTimestampMs: number,
): void {
  const at = indexEntryAt(granule, order, entry)
  memory.arenaWords[at / 4] = relativeOffset
  memory.arenaWords[at / 4 + 1] = position
  memory.arenaFloats[at / 8 + 1] = maxTimestampMs
}

export function indexOffset(memory: LogMemory, granule: number, order: number, entry: number): number {
  return memory.arenaWords[indexEntryAt(granule, order, entry) / 4]!
}

export function indexPosition(memory: LogMemory, granule: number, order: number, entry: number): number {
  return memory.arenaWords[indexEntryAt(granule, order, entry) / 4 + 1]!
}

export function indexMaxTimestamp(memory: LogMemory, granule: number, order: number, entry: number): number {
  return memory.arenaFloats[indexEntryAt(granule, order, entry) / 8 + 1]!
}

/** The last index entry whose offset is not above `relativeOffset`, -1 when there is none. */
export function findIndexEntry(memory: LogMemory, granule: number, order: number, relativeOffset: number): number {
  let low = 0
  let high = Math.min(memory.extents.indexCount(granule), (GRANULE_BYTES << order) / INDEX_ENTRY_BYTES) - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (indexOffset(memory, granule, order, middle) <= relativeOffset) low = middle + 1
    else high = middle - 1
  }
  return high
}

/**
 * The position, in the extent, of the batch that holds `offset`: the first whose last
 * offset is not below it. `end` when all are below, -1 when what is there is no batch.
 */
export function findBatch(memory: LogMemory, granule: number, order: number, baseOffset: number, offset: number, end: number): number {
  const start = extentStart(granule)
  const entry = findIndexEntry(memory, granule, order, Math.min(offset - baseOffset, 0x7fff_ffff))
  let position = entry < 0 ? 0 : indexPosition(memory, granule, order, entry)
  // Written so that what is no number at all is refused too.
  if (!(position >= 0 && position <= end)) return -1
  while (position < end) {
    const size = batchSizeWithin(memory.arena, start + position, start + end)
    if (size < 0) return -1
    if (looseLastOffset(memory.arena, start + position) >= offset) break
    position += size
  }
  return position
}
