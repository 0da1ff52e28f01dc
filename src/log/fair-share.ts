// How large the extents of a growing log may be, so that each partition's fair share of
// the arena is several of them: retention takes whole extents, and a partition whose
// share were one extent would lose all it holds at once. Pure but for the shared table.

import type { LogMemory } from './log-memory.ts'
import { ORDER_MAX } from './log-memory-layout.ts'

const EXTENTS_A_SHARE = 8

/** The order that gives each partition that holds memory at least eight extents. */
export function fairShareOrder(memory: LogMemory): number {
  const { slotsHigh } = memory
  let holders = 0
  for (let slot = 0; slot < slotsHigh; slot++) if (memory.holdings(slot) >>> 2 !== 0) holders++
  const share = Math.floor(memory.granuleCount / (EXTENTS_A_SHARE * Math.max(1, holders)))
  return share < 1 ? 0 : Math.min(ORDER_MAX, 31 - Math.clz32(share))
}
