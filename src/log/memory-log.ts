// hot path 5/8 · The log of one replica in log memory: one bulk copy a batch, and the
// twelve bytes that a leader stamps (Kafka: UnifiedLog and LogSegment; a segment is an
// extent here). Runs on the thread of the broker that leads the replica.
//
//   first extent ──next──▶ extent ──next──▶ last extent
//   oldest, trimmed first                   appended to, and left when a batch does not fit
//
// An append is: choose room, copy, stamp, index entry if one is due, publish the end.
// Holds: a batch never spans extents; an extent never changes below its `end`; at every
// instant the chain from `first` holds all that is published (extent-chain.ts); see
// memory-log-recovery.ts for what a successor makes of a death between two steps.

import { assert } from '../assert.ts'
import { killPoint } from '../kill-points.ts'
import { BATCH_HEADER_BYTES, LAST_OFFSET_DELTA, MAGIC, MAGIC_V2 } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, readInt32, stampBatch } from '../record/record-batch.ts'
import { extentStart, looseMaxTimestamp, writeIndexEntry } from './batch-walk.ts'
import type { ControlBlock } from './control-block.ts'
import { copyToShared } from './copy-bytes.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import { ExtentChain } from './extent-chain.ts'
import { LOG_CONFIG_DEFAULT } from './log-config.ts'
import type { LogConfig } from './log-config.ts'
import type { LogMemory } from './log-memory.ts'
import { LogStart } from './log-start.ts'
import {
  DURABILITY_CACHE,
  EXTENT_BYTES_MAX,
  INDEX_ENTRY_BYTES,
  INDEX_INTERVAL_BYTES,
  ORDER_MAX,
  RETENTION_PINNED,
  extentBytes,
  orderForBytes,
} from './log-memory-layout.ts'
import { recoverChain } from './memory-log-recovery.ts'
import {
  APPEND_CORRUPT,
  APPEND_NO_MEMORY,
  APPEND_NO_OFFSETS,
  APPEND_PINNED_FULL,
  APPEND_TOO_LARGE,
  startAfterDeleting,
} from './partition-log.ts'
import type { PartitionLog } from './partition-log.ts'
import { findOffsetByTimestamp, findOffsetOfMaxTimestamp } from './timestamp-search.ts'

const RELATIVE_OFFSET_MAX = 0x7fff_ffff

export class MemoryLog implements PartitionLog {
  readonly slot: number
  /** Whether it is written to files too, by another thread: then memory holds its tail, and oldest extents go without a loss. */
  readonly hasFiles: boolean
  readonly #memory: LogMemory
  readonly #control: ControlBlock
  readonly #allocator: ExtentAllocator
  readonly #leaderEpoch: number
  /** For compaction, which puts other extents in the place of some. */
  readonly chain: ExtentChain
  #config: LogConfig
  onRoll: (() => void) | undefined
  /** Called when pinned topics hold all they may: whether this log is to be compacted now, which may make room. */
  onPinnedFull: (() => boolean) | undefined

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
  /** The order that the next one is to have. */
  #nextOrder = 0

  readonly #start: LogStart
  #endOffset: number
  /** As it was published last. */
  #publishedEndOffset: number
  #durableEndOffset: number
  #highWatermark: number
  isClosed = false

  /** Opens the log for a leader: an empty one, or what a leader before left, up to its published end. */
  static open(
    control: ControlBlock,
    memory: LogMemory,
    allocator: ExtentAllocator,
    leaderEpoch: number,
    config: LogConfig = LOG_CONFIG_DEFAULT,
  ): MemoryLog {
    return new MemoryLog(control, memory, allocator, leaderEpoch, config)
  }

  private constructor(control: ControlBlock, memory: LogMemory, allocator: ExtentAllocator, leaderEpoch: number, config: LogConfig) {
    this.slot = control.slot
    this.hasFiles = control.hasFiles
    this.#control = control
    this.#memory = memory
    this.#allocator = allocator
    this.#leaderEpoch = leaderEpoch
    this.#config = config
    const tail = recoverChain(control, memory, allocator)
    this.#endOffset = control.logEndOffset
    // Whoever led it may have died before it marked what it had published.
    this.#publishedEndOffset = this.hasFiles ? control.writtenEndOffset : this.#endOffset
    this.#durableEndOffset = control.durableEndOffset
    this.#highWatermark = control.highWatermark
    this.chain = new ExtentChain(control, memory, allocator, tail)
    this.#start = new LogStart(control, memory, this.chain, this.hasFiles, this, () => this.#leaveLastExtent())
    if (tail.granule < 0) return
    this.#enter(tail.granule, memory.extents.order(tail.granule), memory.extents.baseOffset(tail.granule))
    this.#position = memory.extents.end(tail.granule)
    this.#indexCount = memory.extents.indexCount(tail.granule)
    this.#bytesSinceIndex = tail.bytesSinceIndex
    this.#maxTimestampMs = memory.extents.maxTimestamp(tail.granule)
  }

  get config(): LogConfig {
    return this.#config
  }

  reconfigure(config: LogConfig): void {
    this.#config = config
  }

  get startOffset(): number {
    return this.#start.offset
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
    return this.chain.sizeInBytes
  }

  get heldGranules(): number {
    return this.chain.heldGranules
  }

  get trimmedRecords(): number {
    return this.#control.trimmedRecords
  }

  get expiredRecords(): number {
    return this.#control.expiredRecords
  }

  get rollDueMs(): number {
    if (this.#extentBytes === 0 || this.#position === 0) return Number.POSITIVE_INFINITY
    const { isCompacted, segmentMs, maxCompactionLagMs } = this.#config
    return this.#memory.extents.begunMs(this.#granule) + (isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs)
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
    if (this.hasFiles && this.#endOffset !== this.#publishedEndOffset) this.#memory.writeWanted.mark(this.slot)
    this.#publishedEndOffset = this.#endOffset
    // In memory a batch is as durable as it gets once it is published.
    this.#durableEndOffset = this.hasFiles ? this.#endInFiles : this.#endOffset
    this.#control.publishDurableEnd(this.#durableEndOffset)
  }

  get #endInFiles(): number {
    const { durability, writtenEndOffset, syncedEndOffset } = this.#control
    return durability === DURABILITY_CACHE ? writtenEndOffset : syncedEndOffset
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
    return this.#start.trimOldest()
  }

  trimToBytes(retentionBytes: number): number {
    return this.#start.trimToBytes(retentionBytes)
  }

  applyRetention(): number {
    return this.#start.applyRetention()
  }

  expiresInMs(nowMs: number, monotonicMs: number): number {
    return this.#start.expiresInMs(nowMs, monotonicMs)
  }

  trimExpired(nowMs: number, monotonicMs: number, segmentsMax: number): number {
    return this.#start.trimExpired(nowMs, monotonicMs, segmentsMax)
  }

  roll(): void {
    if (this.#extentBytes === 0 || this.#position === 0) return
    // As large as would have done: what is closed early must not double.
    this.#nextOrder = orderForBytes(this.#position)
    this.#extentBytes = 0
  }

  deleteRecordsBefore(offset: number): number {
    const newStart = startAfterDeleting(offset, this.#highWatermark, this.#config)
    if (newStart > this.#start.offset) this.#start.moveTo(newStart)
    return this.#start.offset
  }

  /** All below it was compacted; in files, where there are some. */
  get cleanedOffset(): number {
    return this.#control.cleanedOffset
  }

  setCleanedOffset(offset: number): void {
    this.#control.setCleanedOffset(offset)
  }

  walkBatches(visit: (bytes: Uint8Array, at: number) => void): void {
    this.chain.walkBatches(visit)
  }

  findOffsetByTimestamp(timestampMs: number, fromOffset = 0): number {
    return findOffsetByTimestamp(this.#memory, this.#control, timestampMs, Math.max(fromOffset, this.#start.offset))
  }

  findOffsetOfMaxTimestamp(fromOffset: number, toOffset: number): number {
    return findOffsetOfMaxTimestamp(this.#memory, this.#control, Math.max(fromOffset, this.#start.offset), toOffset)
  }

  delete(): void {
    this.isClosed = true
    this.#control.markDeleting()
    this.chain.dropAll()
    this.#leaveLastExtent()
  }

  close(): void {
    this.isClosed = true
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
    this.chain.sizeInBytes += size
    this.#position += size
    extents.setEnd(this.#granule, this.#position)
  }

  /** Starts a new last extent that takes a batch of `size`; 0, or why not. */
  #roll(size: number): number {
    assert(!this.isClosed, `the log of slot ${this.slot} is open`)
    if (size > EXTENT_BYTES_MAX) return APPEND_TOO_LARGE
    const needed = orderForBytes(size)
    let wanted = Math.max(needed, Math.min(this.#nextOrder, ORDER_MAX, this.#allocator.orderCap))
    if (this.#control.retentionKind === RETENTION_PINNED) {
      const left = Math.floor(this.#memory.granuleCount / 2) - this.#memory.pinnedGranules()
      while (wanted > needed && 1 << wanted > left) wanted--
      if (1 << wanted > left) return this.onPinnedFull?.() === true ? APPEND_NO_MEMORY : APPEND_PINNED_FULL
    }
    const granule = this.#allocator.allocate(this.slot, wanted, needed, this.#endOffset)
    if (granule < 0) return APPEND_NO_MEMORY
    killPoint('log.roll.allocated')
    this.chain.link(this.#granule, granule)
    this.#enter(granule, this.#memory.extents.order(granule), this.#endOffset)
    this.onRoll?.()
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
    this.#nextOrder = order + 1
  }

  /** The next append finds no room, and starts an extent. */
  #leaveLastExtent(): void {
    this.#granule = -1
    this.#extentBytes = 0
    this.#position = 0
    this.#indexCount = 0
    this.#bytesSinceIndex = 0
    this.#nextOrder = 0
  }
}
