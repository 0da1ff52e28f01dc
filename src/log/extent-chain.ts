// The extents of one log, oldest first, and what they hold together (Kafka: LogSegments).
// Runs on the thread of the broker that leads the log, which alone changes them.
//
//   first extent ──next──▶ extent ──next──▶ last extent
//
// Holds: an extent is linked before anything is appended to it, and unlinked before it is
// freed; each change of what readers find is one store. The base offsets of the extents
// cover the log without a gap: an extent reaches to where the next begins.

import { assert } from '../assert.ts'
import { killPoint } from '../kill-points.ts'
import { batchSizeWithin, extentStart } from './batch-walk.ts'
import type { ControlBlock } from './control-block.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import type { LogMemory } from './log-memory.ts'

export class ExtentChain {
  /** Bytes of the batches in it. */
  sizeInBytes: number
  readonly #control: ControlBlock
  readonly #memory: LogMemory
  readonly #allocator: ExtentAllocator
  #heldGranules: number

  constructor(
    control: ControlBlock,
    memory: LogMemory,
    allocator: ExtentAllocator,
    held: { readonly sizeInBytes: number; readonly heldGranules: number },
  ) {
    this.#control = control
    this.#memory = memory
    this.#allocator = allocator
    this.sizeInBytes = held.sizeInBytes
    this.#heldGranules = held.heldGranules
  }

  get heldGranules(): number {
    return this.#heldGranules
  }

  /** First granule of the oldest extent, -1 when there is none. */
  get first(): number {
    return this.#control.firstExtent
  }

  /** The offset behind the oldest extent's; `logEnd` where it is the last one too. */
  endOfFirst(logEnd: number): number {
    const next = this.first < 0 ? -1 : this.#memory.extents.next(this.first)
    return next < 0 ? logEnd : this.#memory.extents.baseOffset(next)
  }

  /** Puts an extent behind the last one, -1 for none. */
  link(last: number, granule: number): void {
    if (last < 0) this.#control.setFirstExtent(granule)
    else this.#memory.extents.linkNext(last, granule)
    killPoint('log.roll.linked')
    this.#control.setLastExtent(granule)
    this.#hold(1 << this.#memory.extents.order(granule))
  }

  /** Gives up the oldest extent, whose records lie below the published log start; whether others are left. */
  dropFirst(logEnd: number): boolean {
    const { extents } = this.#memory
    const oldest = this.first
    const next = extents.next(oldest)
    this.#control.publishMemoryStart(next < 0 ? logEnd : extents.baseOffset(next))
    this.#control.setFirstExtent(next)
    if (next < 0) this.#control.setLastExtent(-1)
    this.sizeInBytes -= extents.end(oldest)
    this.#hold(-(1 << extents.order(oldest)))
    killPoint('log.trim.unlinked')
    this.#allocator.giveBack(oldest)
    return next >= 0
  }

  /** Gives up all extents at once: the log is deleted. */
  dropAll(): void {
    let granule = this.first
    this.#control.setFirstExtent(-1)
    this.#control.setLastExtent(-1)
    while (granule >= 0) {
      const next = this.#memory.extents.next(granule)
      this.#allocator.giveBack(granule)
      granule = next
    }
    this.#hold(-this.#heldGranules)
    this.sizeInBytes = 0
  }

  /**
   * Puts other extents in the place of a run: `from` is its first, `next` the one behind it, -1 for none. The new ones
   * are linked to each other; -1 both: nothing is left of the run.
   */
  replace(from: number, next: number, newFirst: number, newLast: number): void {
    const { extents } = this.#memory
    let before = this.first === from ? -1 : this.first
    while (before >= 0 && extents.next(before) !== from) before = extents.next(before)
    assert(before >= 0 || this.first === from, `extent ${from} is in the chain of slot ${this.#control.slot}`)
    // Readers that stand at the end of the new ones find what is behind.
    if (newLast >= 0) extents.linkNext(newLast, next)
    const first = newFirst < 0 ? next : newFirst
    const now = this.#holdingsOf(first, next)
    if (before < 0) this.#control.setFirstExtent(first)
    else extents.linkNext(before, first)
    killPoint('log.clean.linked')
    const old = this.#holdingsOf(from, next)
    this.sizeInBytes += now.sizeInBytes - old.sizeInBytes
    this.#hold(now.granules - old.granules)
    while (from !== next) {
      const following = extents.next(from)
      this.#allocator.giveBack(from)
      from = following
    }
  }

  /** Shows every batch that is held, in order. */
  walkBatches(visit: (bytes: Uint8Array, at: number) => void): void {
    const { arena, extents } = this.#memory
    for (let granule = this.first; granule >= 0; granule = extents.next(granule)) {
      const end = extentStart(granule) + extents.end(granule)
      let at = extentStart(granule)
      for (let size = batchSizeWithin(arena, at, end); size > 0; size = batchSizeWithin(arena, at, end)) {
        visit(arena, at)
        at += size
      }
    }
  }

  /** What the extents from `from` on hold, up to `end`. */
  #holdingsOf(from: number, end: number): { sizeInBytes: number; granules: number } {
    const { extents } = this.#memory
    let sizeInBytes = 0
    let granules = 0
    for (let granule = from; granule !== end; granule = extents.next(granule)) {
      sizeInBytes += extents.end(granule)
      granules += 1 << extents.order(granule)
    }
    return { sizeInBytes, granules }
  }

  #hold(change: number): void {
    this.#heldGranules += change
    this.#control.setHeldGranules(this.#heldGranules)
  }
}
