// Touching memory before it is needed: the first write to a page makes the kernel find
// and clear it, which costs the append a third of a millisecond a MiB. Runs on the thread
// of the broker that owns the blocks, in turns without work.
// Holds: only granules that were never in use are written, so nothing is changed.

import type { BlockArena } from './block-arena.ts'
import type { LogMemory } from './log-memory.ts'
import { BLOCK_GRANULES, GRANULE_BYTES } from './log-memory-layout.ts'

const TOUCH_GRANULES = 32
const PAGE_BYTES = 4096

/** Touches some of the owned blocks until `aheadGranules` of what is free are resident; false when they are. */
export function touchAhead(
  memory: LogMemory,
  arena: BlockArena,
  owned: readonly number[],
  freeGranules: number,
  aheadGranules: number,
): boolean {
  let resident = freeGranules
  let candidate = -1
  for (const block of owned) {
    const touched = arena.touched(block)
    if (touched === BLOCK_GRANULES) continue
    resident -= BLOCK_GRANULES - touched
    // A block in use before a fresh one: the buddy uses up what is split first.
    if (candidate < 0 || touched > arena.touched(candidate)) candidate = block
  }
  if (candidate < 0 || resident >= aheadGranules) return false
  const from = arena.touched(candidate)
  const to = Math.min(BLOCK_GRANULES, from + TOUCH_GRANULES)
  const start = candidate * BLOCK_GRANULES
  for (let at = (start + from) * GRANULE_BYTES; at < (start + to) * GRANULE_BYTES; at += PAGE_BYTES) memory.arena[at] = 0
  arena.setTouched(candidate, to)
  return true
}
