// hot path 5/8 · The log of one replica in log memory: one bulk copy a batch, and the
// twelve bytes that a leader stamps (Kafka: UnifiedLog and LogSegment; a segment is an
// extent here). Runs on the thread of the broker that leads the replica.
//
//   first extent ──next──▶ extent ──next──▶ last extent
//   oldest, trimmed first                   appended to, and left when a batch does not fit
//
// An append is: choose room, copy, stamp, index entry if one is due, publish the end.
// Holds: a batch never spans extents; an extent never changes below its `end`; it is
// linked before anything is appended to it, and unlinked before it is freed, so at
// every instant the chain from `first` holds all that is published; see
// memory-log-recovery.ts for what a successor makes of a death between two steps.

import { assert } from '../assert.ts'
import { killPoint } from '../kill-points.ts'
import { BATCH_HEADER_BYTES, LAST_OFFSET_DELTA, MAGIC, MAGIC_V2 } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, readInt32, stampBatch } from '../record/record-batch.ts'
import {
  batchSizeWithin,
  extentStart,
  indexMaxTimestamp,
  indexPosition,
  looseInt64,
  looseMaxTimestamp,
  writeIndexEntry,
} from './batch-walk.ts'
import type { ControlBlock } from './control-block.ts'
import { copyToShared } from './copy-bytes.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import type { LogMemory } from './log-memory.ts'
import {
  EXTENT_BYTES_MAX,
  INDEX_ENTRY_BYTES,
  INDEX_INTERVAL_BYTES,
  ORDER_MAX,
  RETENTION_PINNED,
  extentBytes,
  orderForBytes,
} from './log-memory-layout.ts'
import { recoverChain } from './memory-log-recovery.ts'
import { APPEND_CORRUPT, APPEND_NO_MEMORY, APPEND_NO_OFFSETS, APPEND_PINNED_FULL, APPEND_TOO_LARGE } from './partition-log.ts'
import type { PartitionLog } from './partition-log.ts'

const RELATIVE_OFFSET_MAX = 0x7fff_ffff

export class MemoryLog implements PartitionLog {
  readonly slot: number
  readonly #memory: LogMemory
  readonly #control: ControlBlock
  readonly #allocator: ExtentAllocator
  readonly #leaderEpoch: number

  // The last extent, -1 for none, and where it stands.
  #granule = -1
  #order = 0
  #extentStart = 0
  #extentBytes = 0
  #extentBaseOffset = 0
  #position = 0
  #indexCount = 0
  #bytesSinceIndex = 0
  #maxTimestampMs = -1

  #startOffset: number
  #endOffset: number
  #durableEndOffset: number
  #highWatermark: number
  #sizeInBytes: number
  #heldGranules: number
  #isClosed = false

  /** Opens the log for a leader: an empty one, or what a leader before left, up to its published end. */
  static open(control: ControlBlock, memory: LogMemory, allocator: ExtentAllocator, leaderEpoch: number): MemoryLog {
    return new MemoryLog(control, memory, allocator, leaderEpoch)
  }

  private constructor(control: ControlBlock, memory: LogMemory, allocator: ExtentAllocator, leaderEpoch: number) {
    this.slot = control.slot
    this.#control = control
    this.#memory = memory
    this.#allocator = allocator
    this.#leaderEpoch = leaderEpoch
    const tail = recoverChain(control, memory, allocator)
    this.#startOffset = control.logStartOffset
    this.#endOffset = control.logEndOffset
    this.#durableEndOffset = this.#endOffset
    this.#highWatermark = control.highWatermark
    this.#sizeInBytes = tail.sizeInBytes
    this.#heldGranules = tail.heldGranules
    if (tail.granule < 0) return
    this.#enter(tail.granule, memory.extents.order(tail.granule), memory.extents.baseOffset(tail.granule))
    this.#position = memory.extents.end(tail.granule)
    this.#indexCount = memory.extents.indexCount(tail.granule)
    this.#bytesSinceIndex = tail.bytesSinceIndex
    this.#maxTimestampMs = memory.extents.maxTimestamp(tail.granule)
  }

  get startOffset(): number {
    return this.#startOffset
  }

  get endOffset(): number {
    return this.#endOffset
  }

  get durableEndOffset(): number {
    return this.#durableEndOffset
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Equal to the watermark until there are transactions. */
  get lastStableOffset(): number {
    return this.#highWatermark
  }

  get sizeInBytes(): number {
    return this.#sizeInBytes
  }

  get heldGranules(): number {
    return this.#heldGranules
  }

  get trimmedRecords(): number {
    return this.#control.trimmedRecords
  }

  append(source: Uint8Array, start: number, end: number): number {
    const size = end - start
    if (size < BATCH_HEADER_BYTES || batchSizeInBytes(source, start) !== size) return APPEND_CORRUPT
    const lastOffsetDelta = readInt32(source, start + LAST_OFFSET_DELTA)
    if (lastOffsetDelta < 0) return APPEND_CORRUPT
    const baseOffset = this.#endOffset
    if (baseOffset + lastOffsetDelta >= Number.MAX_SAFE_INTEGER) return APPEND_NO_OFFSETS
    const room = this.#extentBytes - this.#indexCount * INDEX_ENTRY_BYTES - this.#position
    const isIndexDue = this.#bytesSinceIndex >= INDEX_INTERVAL_BYTES
    if (size + (isIndexDue ? INDEX_ENTRY_BYTES : 0) > room || baseOffset - this.#extentBaseOffset + lastOffsetDelta > RELATIVE_OFFSET_MAX) {
      const refused = this.#roll(size)
      if (refused !== 0) return refused
    }
    killPoint('log.append.claimed')
    const { arena } = this.#memory
    const at = this.#extentStart + this.#position
    copyToShared(arena, at, source, start, end)
    // From here on only the copy counts: the source may be memory that others can write.
    if (batchSizeInBytes(arena, at) !== size || readInt32(arena, at + LAST_OFFSET_DELTA) !== lastOffsetDelta) return APPEND_CORRUPT
    const timestampMs = looseMaxTimestamp(arena, at)
    if (arena[at + MAGIC] !== MAGIC_V2 || !Number.isSafeInteger(timestampMs)) return APPEND_CORRUPT
    stampBatch(arena, at, baseOffset, this.#leaderEpoch)
    killPoint('log.append.copied')
    this.#publishBatch(baseOffset, size, timestampMs)
    this.#endOffset = baseOffset + lastOffsetDelta + 1
    killPoint('log.append.ended')
    return baseOffset
  }

  publishEnds(): void {
    this.#control.publishLogEnd(this.#endOffset)
    // In memory a batch is as durable as it gets once it is published.
    this.#durableEndOffset = this.#endOffset
    this.#control.publishDurableEnd(this.#endOffset)
  }

  publishHighWatermark(offset: number): void {
    if (offset <= this.#highWatermark) return
    this.#highWatermark = Math.min(offset, this.#endOffset)
    this.#control.publishHighWatermark(this.#highWatermark)
    this.#control.publishLastStable(this.#highWatermark)
    killPoint('log.append.published')
  }

  advance(): void {
    this.publishEnds()
    this.publishHighWatermark(this.#durableEndOffset)
  }

  trimOldest(): number {
    const oldest = this.#control.firstExtent
    if (oldest < 0) return 0
    const next = this.#memory.extents.next(oldest)
    const newStart = next < 0 ? this.#endOffset : this.#memory.extents.baseOffset(next)
    // What is not committed must stay: its records may yet be acknowledged.
    if (newStart > this.#highWatermark) return 0
    const trimmed = Math.max(0, newStart - this.#startOffset)
    if (trimmed > 0) {
      this.#control.addTrimmedRecords(trimmed)
      this.#startOffset = newStart
      this.#control.publishLogStart(newStart)
    }
    killPoint('log.trim.started')
    this.#unlinkOldest(oldest, next)
    return trimmed
  }

  trimToBytes(retentionBytes: number): number {
    let trimmed = 0
    for (;;) {
      const oldest = this.#control.firstExtent
      if (oldest < 0 || this.#sizeInBytes - this.#memory.extents.end(oldest) < retentionBytes) return trimmed
      const held = this.#heldGranules
      trimmed += this.trimOldest()
      if (this.#heldGranules === held) return trimmed
    }
  }

  deleteRecordsBefore(offset: number): number {
    const newStart = Math.min(offset, this.#highWatermark)
    if (newStart <= this.#startOffset) return this.#startOffset
    this.#startOffset = newStart
    this.#control.publishLogStart(newStart)
    for (;;) {
      const oldest = this.#control.firstExtent
      if (oldest < 0) break
      const next = this.#memory.extents.next(oldest)
      const extentEnd = next < 0 ? this.#endOffset : this.#memory.extents.baseOffset(next)
      if (extentEnd > newStart) break
      this.#unlinkOldest(oldest, next)
    }
    return newStart
  }

  findOffsetByTimestamp(timestampMs: number): number {
    const { extents } = this.#memory
    for (let granule = this.#control.firstExtent; granule >= 0; granule = extents.next(granule)) {
      if (extents.maxTimestamp(granule) < timestampMs) continue
      const found = this.#findInExtent(granule, timestampMs)
      if (found >= 0) return found
    }
    return -1
  }

  delete(): void {
    this.#isClosed = true
    this.#control.markDeleting()
    let granule = this.#control.firstExtent
    this.#control.setFirstExtent(-1)
    this.#control.setLastExtent(-1)
    while (granule >= 0) {
      const next = this.#memory.extents.next(granule)
      this.#allocator.giveBack(granule)
      granule = next
    }
    this.#heldGranules = 0
    this.#control.setHeldGranules(0)
    this.#sizeInBytes = 0
    this.#leaveLastExtent()
  }

  close(): void {
    this.#isClosed = true
    this.#leaveLastExtent()
  }

  #publishBatch(baseOffset: number, size: number, timestampMs: number): void {
    const { extents } = this.#memory
    if (this.#bytesSinceIndex >= INDEX_INTERVAL_BYTES) {
      const relativeOffset = baseOffset - this.#extentBaseOffset
      writeIndexEntry(this.#memory, this.#granule, this.#order, this.#indexCount, relativeOffset, this.#position, this.#maxTimestampMs)
      this.#indexCount++
      extents.setIndexCount(this.#granule, this.#indexCount)
      this.#bytesSinceIndex = 0
    }
    if (timestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = timestampMs
      extents.setMaxTimestamp(this.#granule, timestampMs)
    }
    this.#bytesSinceIndex += size
    this.#sizeInBytes += size
    this.#position += size
    extents.setEnd(this.#granule, this.#position)
  }

  /** Starts a new last extent that takes a batch of `size`; 0, or why not. */
  #roll(size: number): number {
    assert(!this.#isClosed, `the log of slot ${this.slot} is open`)
    if (size > EXTENT_BYTES_MAX) return APPEND_TOO_LARGE
    const needed = orderForBytes(size)
    let wanted = Math.max(needed, Math.min(this.#granule < 0 ? 0 : this.#order + 1, ORDER_MAX, this.#allocator.orderCap))
    if (this.#control.retentionKind === RETENTION_PINNED) {
      const left = Math.floor(this.#memory.granuleCount / 2) - this.#memory.pinnedGranules()
      while (wanted > needed && 1 << wanted > left) wanted--
      if (1 << wanted > left) return APPEND_PINNED_FULL
    }
    const granule = this.#allocator.allocate(this.slot, wanted, needed, this.#endOffset)
    if (granule < 0) return APPEND_NO_MEMORY
    killPoint('log.roll.allocated')
    if (this.#granule < 0) this.#control.setFirstExtent(granule)
    else this.#memory.extents.linkNext(this.#granule, granule)
    killPoint('log.roll.linked')
    this.#control.setLastExtent(granule)
    const order = this.#memory.extents.order(granule)
    this.#enter(granule, order, this.#endOffset)
    this.#hold(1 << order)
    return 0
  }

  #enter(granule: number, order: number, baseOffset: number): void {
    this.#granule = granule
    this.#order = order
    this.#extentStart = extentStart(granule)
    this.#extentBytes = extentBytes(order)
    this.#extentBaseOffset = baseOffset
    this.#position = 0
    this.#indexCount = 0
    this.#bytesSinceIndex = 0
    this.#maxTimestampMs = -1
  }

  /** The next append finds no room, and starts an extent. */
  #leaveLastExtent(): void {
    this.#granule = -1
    this.#extentBytes = 0
    this.#position = 0
    this.#indexCount = 0
    this.#bytesSinceIndex = 0
  }

  #unlinkOldest(oldest: number, next: number): void {
    const { extents } = this.#memory
    this.#control.publishMemoryStart(next < 0 ? this.#endOffset : extents.baseOffset(next))
    this.#control.setFirstExtent(next)
    if (next < 0) {
      this.#control.setLastExtent(-1)
      this.#leaveLastExtent()
    }
    this.#sizeInBytes -= extents.end(oldest)
    this.#hold(-(1 << extents.order(oldest)))
    killPoint('log.trim.unlinked')
    this.#allocator.giveBack(oldest)
  }

  #hold(change: number): void {
    this.#heldGranules += change
    this.#control.setHeldGranules(this.#heldGranules)
  }

  #findInExtent(granule: number, timestampMs: number): number {
    const memory = this.#memory
    const order = memory.extents.order(granule)
    const start = extentStart(granule)
    const end = start + memory.extents.end(granule)
    let entry = memory.extents.indexCount(granule) - 1
    while (entry >= 0 && indexMaxTimestamp(memory, granule, order, entry) >= timestampMs) entry--
    let at = start + (entry < 0 ? 0 : indexPosition(memory, granule, order, entry))
    while (at < end) {
      const baseOffset = looseInt64(memory.arena, at)
      if (
        looseMaxTimestamp(memory.arena, at) >= timestampMs &&
        baseOffset + readInt32(memory.arena, at + LAST_OFFSET_DELTA) >= this.#startOffset
      ) {
        return baseOffset
      }
      const size = batchSizeWithin(memory.arena, at, end)
      if (size < 0) break
      at += size
    }
    return -1
  }
}
