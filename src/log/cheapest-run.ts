// Where to make room for a large extent when memory is free but in pieces: the aligned
// run of granules with the least in it, all of which retention may take. Pure but for
// reading the rows; runs on a broker's thread, and only when an append waits for it.

import type { LogMemory } from './log-memory.ts'
import { RETENTION_DEFAULT, STATE_FREE } from './log-memory-layout.ts'

/** First granule of the cheapest run of 2^order granules, -1 when something that must stay lies in each. */
export function cheapestRun(memory: LogMemory, order: number): number {
  const length = 1 << order
  let best = -1
  let leastUsed = Number.POSITIVE_INFINITY
  for (let start = 0; start < memory.granuleCount; start += length) {
    const used = usedIn(memory, start, length)
    if (used >= leastUsed) continue
    best = start
    leastUsed = used
  }
  return best
}

/** The slots whose extents begin in the run. */
export function slotsIn(memory: LogMemory, start: number, length: number): Set<number> {
  const slots = new Set<number>()
  for (let granule = start; granule < start + length; granule++) {
    if (memory.extents.state(granule) !== STATE_FREE) slots.add(memory.extents.slot(granule))
  }
  return slots
}

function usedIn(memory: LogMemory, start: number, length: number): number {
  // An extent that is larger than the run covers it from its own start.
  for (let larger = length * 2, head = start; larger <= 512; larger *= 2) {
    head = start - (start % larger)
    if (head !== start && memory.extents.state(head) !== STATE_FREE && 1 << memory.extents.order(head) > start - head) {
      return canGo(memory, head) ? length : Number.POSITIVE_INFINITY
    }
  }
  let used = 0
  for (let granule = start; granule < start + length; granule++) {
    if (memory.extents.state(granule) === STATE_FREE) continue
    if (!canGo(memory, granule)) return Number.POSITIVE_INFINITY
    used += 1 << memory.extents.order(granule)
  }
  return used
}

function canGo(memory: LogMemory, granule: number): boolean {
  return (memory.holdings(memory.extents.slot(granule)) & 3) === RETENTION_DEFAULT
}
