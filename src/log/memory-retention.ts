// Memory-only retention: whose oldest extent goes when the arena is full (Kafka deletes
// the oldest segments of each log by itself; here all logs share one memory). One object
// a broker, on its thread; each decides for the whole process, by the shared table of
// holdings, and asks the leader of the victim by a flag and a ring.
//
//   arena has room                         nothing goes
//   less free than the reserve             the partition that holds most gives its oldest extent,
//                                          whoever leads it; then the next, until the reserve is made up
//   an append waits, all is in pieces      what lies in the cheapest run of its size goes
//
// Holds: only partitions with default retention give, and only what is committed; what
// goes is counted, a partition at a time, in its control block.

import { ControlBlock } from './control-block.ts'
import { cheapestRun, slotsIn } from './cheapest-run.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import { LargestHolders } from './largest-holders.ts'
import type { Holdings } from './largest-holders.ts'
import type { LogMemory } from './log-memory.ts'
import { ATTENTION_TRIM, RETENTION_DEFAULT, STATE_ALLOCATED } from './log-memory-layout.ts'
import type { PartitionLog } from './partition-log.ts'

const VICTIMS_A_TICK = 32
/** Memory that was asked of another broker counts as coming for this long. */
const ASKED_COUNTS_MS = 5

export interface MemoryRetentionOptions {
  readonly memory: LogMemory
  readonly allocator: ExtentAllocator
}

export class MemoryRetention {
  readonly #memory: LogMemory
  readonly #allocator: ExtentAllocator
  readonly #logs = new Map<number, PartitionLog>()
  readonly #holders = new LargestHolders()
  readonly #holdings: Holdings
  /** Granules that were asked of other brokers, and until when they count. */
  #asked = 0
  #askedUntilMs = 0
  #trimmedExtents = 0
  #trimmedRecords = 0

  constructor(options: MemoryRetentionOptions) {
    const { memory } = options
    this.#memory = memory
    this.#allocator = options.allocator
    this.#holdings = {
      get slotsHigh() {
        return memory.slotsHigh
      },
      takeable: (slot) => {
        const holdings = memory.holdings(slot)
        return (holdings & 3) === RETENTION_DEFAULT ? holdings >> 2 : 0
      },
    }
  }

  /** Extents that this broker's logs gave up. */
  get trimmedExtents(): number {
    return this.#trimmedExtents
  }

  get trimmedRecords(): number {
    return this.#trimmedRecords
  }

  /** This broker leads the log from now on. */
  register(log: PartitionLog): void {
    this.#logs.set(log.slot, log)
    // Somebody may have asked the leader before.
    if (new ControlBlock(this.#memory, log.slot).takeTrimWanted()) this.#trim(log)
  }

  unregister(slot: number): void {
    this.#logs.delete(slot)
  }

  /** Once a duty cycle, after the allocator's tick; how many extents went. */
  tick(): number {
    const before = this.#trimmedExtents
    if (this.#allocator.takeTrimAsked()) this.#answerAsked()
    if (this.#allocator.nowMs >= this.#askedUntilMs) this.#asked = 0
    if (this.#allocator.missingGranules > this.#asked) this.#makeUp()
    else if (this.#allocator.unmetOrder >= 0 && this.#allocator.restingGranules === 0 && this.#asked === 0) this.#clearRun()
    return this.#trimmedExtents - before
  }

  #makeUp(): void {
    this.#holders.startRound()
    for (let i = 0; i < VICTIMS_A_TICK && this.#allocator.missingGranules > this.#asked; i++) {
      const victim = this.#holders.choose(this.#holdings)
      if (victim < 0) break
      if (!this.#takeFrom(victim)) this.#holders.exclude(victim)
    }
    if (this.#allocator.missingGranules > 0) this.#allocator.wantMemory()
  }

  /** Makes the partition give its oldest extent, or asks for it; false when it cannot now. */
  #takeFrom(slot: number): boolean {
    const log = this.#logs.get(slot)
    if (log !== undefined) return this.#trim(log)
    const control = new ControlBlock(this.#memory, slot)
    const leader = control.leaderBroker
    const oldest = control.firstExtent
    if (leader < 0 || leader === this.#allocator.arena.brokerId || oldest < 0 || !control.askToTrim()) return false
    this.#expect(1 << this.#memory.extents.order(oldest))
    this.#allocator.arena.alert(leader, ATTENTION_TRIM)
    return true
  }

  #trim(log: PartitionLog): boolean {
    const heldBefore = log.heldGranules
    const hereBefore = this.#allocator.freeGranules + this.#allocator.restingGranules
    this.#trimmedRecords += log.trimOldest()
    const freed = heldBefore - log.heldGranules
    if (freed === 0) return false
    this.#trimmedExtents++
    // The extent may lie in another broker's block: then it comes back as a hand-over, if at all.
    const elsewhere = freed - (this.#allocator.freeGranules + this.#allocator.restingGranules - hereBefore)
    if (elsewhere > 0) this.#expect(elsewhere)
    return true
  }

  #expect(granules: number): void {
    this.#asked += granules
    this.#askedUntilMs = this.#allocator.nowMs + ASKED_COUNTS_MS
  }

  /** What others asked of partitions that are led here. */
  #answerAsked(): void {
    const { partitionWords, trimWantedAt, slotsHigh } = this.#memory
    const asked = this.#asked
    for (let word = 0; word < (slotsHigh + 31) >>> 5; word++) {
      let bits = Atomics.load(partitionWords, trimWantedAt + word)
      while (bits !== 0) {
        const slot = (word << 5) + 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        const log = this.#logs.get(slot)
        // The flag goes first: who asks again meanwhile is answered again.
        if (log !== undefined && new ControlBlock(this.#memory, slot).takeTrimWanted()) this.#trim(log)
      }
    }
    // What went on behalf of others is not expected here.
    this.#asked = asked
  }

  /** An append waits for a run that is nowhere whole: empties the run that costs least. */
  #clearRun(): void {
    const length = 1 << this.#allocator.unmetOrder
    const start = cheapestRun(this.#memory, this.#allocator.unmetOrder)
    if (start < 0) return
    for (const slot of slotsIn(this.#memory, start, length)) {
      const log = this.#logs.get(slot)
      if (log === undefined) {
        this.#takeFrom(slot)
        continue
      }
      while (this.#holdsIn(slot, start, length)) if (!this.#trim(log)) break
    }
    this.#allocator.wantMemory()
  }

  #holdsIn(slot: number, start: number, length: number): boolean {
    const { extents } = this.#memory
    for (let granule = start; granule < start + length; granule++) {
      if (extents.state(granule) === STATE_ALLOCATED && extents.slot(granule) === slot) return true
    }
    return false
  }
}
