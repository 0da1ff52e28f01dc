// Where compaction puts what is left: batches are gathered in memory private to the broker,
// and go into new extents that are as large as need be, one bulk copy each (Kafka: the
// .cleaned segment). Runs on the thread of the broker that leads the log.
//
//   batches ──▶ gathered ──flush──▶ extent ──next──▶ extent ──next──▶ …   in no chain yet
//
// Holds: nobody else knows the new extents before they are linked (ExtentChain.replace);
// until then giving them back is all it takes to undo. A death before that leaves them
// as orphans, which whoever adopts frees. What is gathered is bounded: 1 MiB, or one batch.

import { batchSizeInBytes } from '../record/record-batch.ts'
import { extentStart, looseInt64, looseLastOffset, looseMaxTimestamp, writeIndexEntry } from './batch-walk.ts'
import { copyBytes, copyToShared } from './copy-bytes.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import type { LogMemory } from './log-memory.ts'
import { INDEX_ENTRY_BYTES, INDEX_INTERVAL_BYTES, extentBytes, orderForBytes } from './log-memory-layout.ts'
import { killPoint } from '../kill-points.ts'

const RELATIVE_OFFSET_MAX = 0x7fff_ffff
/** 1 MiB: what is left of a run waits in memory until so much is there. */
const ORDER_MAX_WRITTEN = 6

export interface ExtentRun {
  /** -1 both: none. */
  readonly first: number
  readonly last: number
}

export class ExtentWriter {
  readonly #memory: LogMemory
  readonly #allocator: ExtentAllocator
  readonly #slot: number
  /** Extents are no larger, but for a batch that is. */
  readonly #extentBytes: number
  #gathered: Uint8Array<ArrayBuffer>
  #length = 0
  /** Of the extent that the gathered batches go into. */
  #baseOffset = 0
  #begunMs = 0
  #first = -1
  #last = -1

  constructor(memory: LogMemory, allocator: ExtentAllocator, slot: number) {
    this.#memory = memory
    this.#allocator = allocator
    this.#slot = slot
    this.#extentBytes = extentBytes(Math.min(ORDER_MAX_WRITTEN, allocator.orderCap))
    this.#gathered = new Uint8Array(this.#extentBytes)
  }

  /** Begins a run of extents that is to reach back to `baseOffset`, for one that was begun at `begunMs`. */
  begin(baseOffset: number, begunMs: number): void {
    this.#first = -1
    this.#last = -1
    this.#length = 0
    this.#baseOffset = baseOffset
    this.#begunMs = begunMs
  }

  /** The extents that were written since `begin`. */
  get written(): ExtentRun {
    return { first: this.#first, last: this.#last }
  }

  get isEmpty(): boolean {
    return this.#first < 0 && this.#length === 0
  }

  /** Whether what was written and gathered is worth extents of its own. */
  get isWorthLinking(): boolean {
    return this.#first >= 0 || this.#length * 2 >= this.#extentBytes
  }

  /** Gathers the batch in bytes[start, end); false, with nothing changed, when a flush must come first. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    const size = end - start
    const length = this.#length + size
    if (this.#length > 0) {
      const indexBytes = Math.ceil(length / INDEX_INTERVAL_BYTES) * INDEX_ENTRY_BYTES
      if (length + indexBytes > this.#extentBytes) return false
      if (looseLastOffset(bytes, start) - this.#baseOffset > RELATIVE_OFFSET_MAX) return false
    } else if (this.#first >= 0) {
      this.#baseOffset = looseInt64(bytes, start)
    }
    if (length > this.#gathered.length) this.#gathered = new Uint8Array(2 ** Math.ceil(Math.log2(length)))
    copyBytes(this.#gathered, this.#length, bytes, start, end)
    this.#length = length
    return true
  }

  /** Moves what is gathered into an extent of its own; false when none can be had now. */
  flush(): boolean {
    if (this.#length === 0) return true
    const order = orderForBytes(this.#length + this.#indexEntries() * INDEX_ENTRY_BYTES)
    const granule = this.#allocator.allocate(this.#slot, order, order, this.#baseOffset)
    if (granule < 0) return false
    const { arena, extents } = this.#memory
    copyToShared(arena, extentStart(granule), this.#gathered, 0, this.#length)
    this.#writeIndex(granule, order)
    extents.setBegun(granule, this.#begunMs)
    extents.setEnd(granule, this.#length)
    if (this.#last < 0) this.#first = granule
    else extents.linkNext(this.#last, granule)
    this.#last = granule
    this.#length = 0
    killPoint('log.clean.written')
    return true
  }

  /** Gives everything back that was written since `begin`. */
  discard(): void {
    let granule = this.#first
    this.begin(0, 0)
    while (granule >= 0) {
      const next = this.#memory.extents.next(granule)
      this.#allocator.giveBack(granule)
      granule = next
    }
  }

  #indexEntries(): number {
    let entries = 0
    let bytesSinceEntry = 0
    for (let at = 0; at < this.#length; ) {
      if (bytesSinceEntry >= INDEX_INTERVAL_BYTES) {
        entries++
        bytesSinceEntry = 0
      }
      const size = batchSizeInBytes(this.#gathered, at)
      bytesSinceEntry += size
      at += size
    }
    return entries
  }

  /** The entries that an append would have written; the first batch of an extent has none. */
  #writeIndex(granule: number, order: number): void {
    const memory = this.#memory
    const gathered = this.#gathered
    let entries = 0
    let bytesSinceEntry = 0
    let maxTimestampMs = -1
    for (let at = 0; at < this.#length; ) {
      if (bytesSinceEntry >= INDEX_INTERVAL_BYTES) {
        writeIndexEntry(memory, granule, order, entries++, looseInt64(gathered, at) - this.#baseOffset, at, maxTimestampMs)
        bytesSinceEntry = 0
      }
      const size = batchSizeInBytes(gathered, at)
      maxTimestampMs = Math.max(maxTimestampMs, looseMaxTimestamp(gathered, at))
      bytesSinceEntry += size
      at += size
    }
    memory.extents.setIndexCount(granule, entries)
    memory.extents.setMaxTimestamp(granule, maxTimestampMs)
  }
}
