// A buddy allocator over whole blocks of granules, in private memory. Pure: it knows
// nothing of shared words. One broker's ExtentAllocator owns one.
//
// Free runs of the same order form a doubly linked list, newest first, so what was
// freed last (and is warm in the caches) is used first. An allocation takes the
// smallest run that fits, wherever it lies, and large runs stay whole as long as possible.
// Holds: free runs are aligned to their size, never overlap, and two free buddies of
// an order below ORDER_MAX never stay apart; every operation is O(orders).

import { BLOCK_GRANULES, BLOCK_GRANULES_SHIFT, ORDER_MAX } from './log-memory-layout.ts'

const NONE = -1

export class Buddy {
  /** The order of the free run that starts at a granule, NONE elsewhere. */
  readonly #orders: Int8Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #heads = new Int32Array(ORDER_MAX + 1).fill(NONE)
  readonly #freeInBlock: Int32Array
  #freeGranules = 0

  constructor(granuleCount: number) {
    this.#orders = new Int8Array(granuleCount).fill(NONE)
    this.#next = new Int32Array(granuleCount)
    this.#previous = new Int32Array(granuleCount)
    this.#freeInBlock = new Int32Array(granuleCount / BLOCK_GRANULES)
  }

  get freeGranules(): number {
    return this.#freeGranules
  }

  freeInBlock(block: number): number {
    return this.#freeInBlock[block]!
  }

  /** The order of the largest free run, -1 when there is none. */
  get largestFreeOrder(): number {
    for (let order = ORDER_MAX; order >= 0; order--) if (this.#heads[order] !== NONE) return order
    return -1
  }

  /** A block of which nothing is in use, -1 when there is none. */
  get wholeFreeBlock(): number {
    return this.#heads[ORDER_MAX]! >> BLOCK_GRANULES_SHIFT
  }

  largestFreeOrderIn(block: number): number {
    let largest = -1
    const start = block << BLOCK_GRANULES_SHIFT
    for (let granule = start; granule < start + BLOCK_GRANULES; granule++) largest = Math.max(largest, this.#orders[granule]!)
    return largest
  }

  /** First granule of a run of 2^order granules, -1 when no free run is that large. */
  allocate(order: number): number {
    let found = order
    while (found <= ORDER_MAX && this.#heads[found] === NONE) found++
    if (found > ORDER_MAX) return NONE
    const granule = this.#heads[found]!
    this.#unlink(granule, found)
    // The upper halves go back, so a fresh block is used from its start upwards.
    while (found > order) {
      found--
      this.#link(granule + (1 << found), found)
    }
    this.#count(granule, -(1 << order))
    return granule
  }

  /** Gives a run back; it must have been allocated, or be new to the buddy. */
  free(granule: number, order: number): void {
    this.#count(granule, 1 << order)
    let start = granule
    let merged = order
    while (merged < ORDER_MAX) {
      const buddy = start ^ (1 << merged)
      if (this.#orders[buddy] !== merged) break
      this.#unlink(buddy, merged)
      start &= ~(1 << merged)
      merged++
    }
    this.#link(start, merged)
  }

  /** Forgets all free runs of a block: it goes to another owner. */
  removeBlock(block: number): void {
    const start = block << BLOCK_GRANULES_SHIFT
    for (let granule = start; granule < start + BLOCK_GRANULES; granule++) {
      const order = this.#orders[granule]!
      if (order !== NONE) this.#unlink(granule, order)
    }
    this.#freeGranules -= this.#freeInBlock[block]!
    this.#freeInBlock[block] = 0
  }

  #count(granule: number, change: number): void {
    this.#freeGranules += change
    this.#freeInBlock[granule >>> BLOCK_GRANULES_SHIFT]! += change
  }

  #link(granule: number, order: number): void {
    const head = this.#heads[order]!
    this.#orders[granule] = order
    this.#next[granule] = head
    this.#previous[granule] = NONE
    if (head !== NONE) this.#previous[head] = granule
    this.#heads[order] = granule
  }

  #unlink(granule: number, order: number): void {
    const next = this.#next[granule]!
    const previous = this.#previous[granule]!
    if (previous === NONE) this.#heads[order] = next
    else this.#next[previous] = next
    if (next !== NONE) this.#previous[next] = previous
    this.#orders[granule] = NONE
  }
}

/** Splits a run of granules, inside one block, into aligned runs of powers of two. */
export function forEachAlignedRun(start: number, end: number, visit: (granule: number, order: number) => void): void {
  let granule = start
  while (granule < end) {
    let order = granule % BLOCK_GRANULES === 0 ? ORDER_MAX : Math.min(ORDER_MAX, 31 - Math.clz32(granule & -granule))
    while (granule + (1 << order) > end) order--
    visit(granule, order)
    granule += 1 << order
  }
}
