// Extents that a dead broker left hanging: allocated to a log whose chain does not hold
// them, because the broker died between allocating and linking, or between unlinking
// and freeing; or returned to their block's owner, who may not have been told. Only reads;
// runs on the broker that adopts the dead one's memory.
// Holds: an extent is called an orphan only if its slot was led by the dead, or is not
// in use, so no living broker can be about to link or to free it.

import { assert } from '../assert.ts'
import type { BlockArena } from './block-arena.ts'
import { ControlBlock } from './control-block.ts'
import type { LogMemory } from './log-memory.ts'
import { BLOCK_GRANULES, STATE_ALLOCATED, STATE_FREE } from './log-memory-layout.ts'

/** Visits those that are in no chain, to be given back, and those that were: their owner is to be told, once more perhaps. */
export function findOrphans(
  memory: LogMemory,
  arena: BlockArena,
  isLedByDead: (slot: number) => boolean,
  visit: (granule: number, isReturned: boolean) => void,
): void {
  const isLinked = new Uint8Array(memory.granuleCount)
  const isDead = new Uint8Array(memory.partitionsMax)
  for (let slot = 0; slot < memory.slotsHigh; slot++) {
    const control = new ControlBlock(memory, slot)
    if (!control.isInUse) isDead[slot] = 1
    else if (isLedByDead(slot)) {
      isDead[slot] = 1
      markChain(memory, control, isLinked)
    }
  }
  for (let block = 0; block < memory.blockCount; block++) {
    // Most of log memory was never in use, and partitions wait for this.
    const end = block * BLOCK_GRANULES + arena.touched(block)
    for (let granule = block * BLOCK_GRANULES; granule < end; granule++) {
      const state = memory.extents.state(granule)
      if (state === STATE_FREE || isLinked[granule] === 1) continue
      // The state before the slot: a living broker sets the slot first.
      if (isDead[memory.extents.slot(granule)] === 1) visit(granule, state !== STATE_ALLOCATED)
    }
  }
}

function markChain(memory: LogMemory, control: ControlBlock, isLinked: Uint8Array): void {
  for (let granule = control.firstExtent; granule >= 0; granule = memory.extents.next(granule)) {
    assert(granule < memory.granuleCount && isLinked[granule] === 0, `the chain of slot ${control.slot} visits each extent once`)
    isLinked[granule] = 1
  }
}
