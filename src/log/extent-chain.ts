// The extents of one log, oldest first, and what they hold together (Kafka: LogSegments).
// Runs on the thread of the broker that leads the log, which alone changes them.
//
//   first extent ──next──▶ extent ──next──▶ last extent
//
// Holds: an extent is linked before anything is appended to it, and unlinked before it is
// freed; each change of what readers find is one store. The base offsets of the extents
// cover the log without a gap: an extent reaches to where the next begins.

import { killPoint } from '../kill-points.ts'
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

  #hold(change: number): void {
    this.#heldGranules += change
    this.#control.setHeldGranules(this.#heldGranules)
  }
}
