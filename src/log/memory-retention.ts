// Memory-only retention: whose oldest extent goes when the arena is full (Kafka deletes
// the oldest segments of each log by itself; here all logs share one memory). One object
// a broker, on its thread; each decides for the whole process, by the shared table of
// holdings, and asks the leader of the victim by a flag and a ring.
//
//   arena has room                         nothing goes; what another broker has to spare is asked for
//   less free than the reserve             the partition that holds most gives its oldest extent,
//                                          whoever leads it; then the next, until the reserve is made up
//                                          (one led here counts a third more: memory of another broker
//                                          costs a ring, a rest and a block handed over, so brokers with
//                                          like loads must not send their memory round in a circle)
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
const WEIGHT_HERE = 4
const WEIGHT_ELSEWHERE = 3
/** Memory that was asked of another broker counts as coming for this long. */
const ASKED_COUNTS_MS = 5
/** Granules that others must have to spare before they are asked. */
const SPARE_WORTH_ASKING = 32
const SPARE_AWAITED_MS = 1
const SPARE_TRIED_EVERY_MS = 10

export interface MemoryRetentionOptions {
  readonly memory: LogMemory
  readonly allocator: ExtentAllocator
}

export class MemoryRetention {
  readonly #memory: LogMemory
  readonly #allocator: ExtentAllocator
  readonly #logs = new Map<number, PartitionLog>()
  readonly #isLedHere: Uint8Array
  readonly #holders = new LargestHolders()
  readonly #holdings: Holdings
  /** The same for the partitions that are led here. */
  readonly #holdersHere = new LargestHolders()
  readonly #holdingsHere: Holdings
  /** Granules that were asked of other brokers, and until when they count. */
  #asked = 0
  #askedUntilMs = 0
  /** The partition that has been seen to be asked, and since when. */
  #askedSlot = -1
  #askedSinceMs = 0
  #spareAwaitedUntilMs = 0
  #spareTriedUntilMs = 0
  #missingWhenAsked = 0
  #trimmedExtents = 0
  #trimmedRecords = 0

  constructor(options: MemoryRetentionOptions) {
    const { memory } = options
    this.#memory = memory
    this.#allocator = options.allocator
    this.#isLedHere = new Uint8Array(memory.partitionsMax)
    const takeable = (slot: number): number => {
      const holdings = memory.holdings(slot)
      return (holdings & 3) === RETENTION_DEFAULT ? holdings >> 2 : 0
    }
    const weight = (slot: number): number => (this.#isLedHere[slot] === 1 ? WEIGHT_HERE : WEIGHT_ELSEWHERE)
    this.#holdings = { slotsHigh: () => memory.slotsHigh, takeable: (slot) => takeable(slot) * weight(slot) }
    this.#holdingsHere = { slotsHigh: () => memory.slotsHigh, takeable: (slot) => (this.#isLedHere[slot] === 1 ? takeable(slot) : 0) }
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
    this.#isLedHere[log.slot] = 1
    // Somebody may have asked the leader before.
    if (new ControlBlock(this.#memory, log.slot).takeTrimWanted()) this.#trimForOthers(log)
  }

  unregister(slot: number): void {
    this.#logs.delete(slot)
    this.#isLedHere[slot] = 0
  }

  /** Once a duty cycle, after the allocator's tick; how many extents went. */
  tick(): number {
    const before = this.#trimmedExtents
    if (this.#allocator.takeTrimAsked()) this.#answerAsked()
    if (this.#allocator.nowMs >= this.#askedUntilMs) this.#asked = 0
    if (this.#allocator.missingFromLogs > this.#asked) this.#makeUp()
    else if (this.#allocator.unmetOrder >= 0 && this.#allocator.restingGranules === 0 && this.#asked === 0) this.#clearRun()
    return this.#trimmedExtents - before
  }

  #makeUp(): void {
    if (this.#awaitsSpare()) return
    this.#holders.startRound()
    this.#holdersHere.startRound()
    for (let i = 0; i < VICTIMS_A_TICK && this.#allocator.missingFromLogs > this.#asked; i++) {
      const victim = this.#holders.choose(this.#holdings)
      if (victim < 0) break
      if (this.#isBeingAsked(victim)) {
        // Nobody smaller gives while the largest is being asked, or else only for want of time.
        if (!this.#isLow || !this.#takeHere(victim)) break
      } else if (!this.#takeFrom(victim)) {
        this.#holders.exclude(victim)
      }
    }
    if (this.#allocator.missingFromLogs > 0) this.#allocator.wantMemory()
  }

  /** So little is left that there is no time to wait for others. */
  get #isLow(): boolean {
    return this.#allocator.freeGranules < this.#allocator.missingFromLogs
  }

  /** Takes from the largest partition that is led here, if it holds at least half of what the largest holds. */
  #takeHere(largest: number): boolean {
    const victim = this.#holdersHere.choose(this.#holdingsHere)
    if (victim < 0 || this.#memory.holdings(victim) * 2 < this.#memory.holdings(largest)) return false
    return this.#trim(this.#logs.get(victim)!)
  }

  /** Nothing goes while another broker has memory to spare: it is asked, and given a little time. */
  #awaitsSpare(): boolean {
    const { nowMs, missingFromLogs, missingGranules } = this.#allocator
    if (nowMs < this.#spareAwaitedUntilMs && missingGranules >= this.#missingWhenAsked) return true
    // What was given makes the next question worth while; what was not, not for some time.
    if (nowMs < this.#spareTriedUntilMs && missingGranules >= this.#missingWhenAsked) return false
    // What brokers with like loads have over for a moment is not worth the wait.
    if (this.#allocator.arena.spareElsewhere() < Math.max(SPARE_WORTH_ASKING, missingFromLogs)) return false
    this.#missingWhenAsked = missingGranules
    this.#spareAwaitedUntilMs = nowMs + SPARE_AWAITED_MS
    this.#spareTriedUntilMs = nowMs + SPARE_TRIED_EVERY_MS
    this.#allocator.wantMemory()
    return true
  }

  /** Whether another broker was asked for the victim's oldest extent and may still answer. */
  #isBeingAsked(slot: number): boolean {
    if (this.#logs.has(slot) || !new ControlBlock(this.#memory, slot).isAskedToTrim) return false
    if (this.#askedSlot !== slot) {
      this.#askedSlot = slot
      this.#askedSinceMs = this.#allocator.nowMs
    }
    return this.#allocator.nowMs - this.#askedSinceMs < ASKED_COUNTS_MS
  }

  /** Makes the partition give its oldest extent, or asks for it; false when it cannot now. */
  #takeFrom(slot: number): boolean {
    const log = this.#logs.get(slot)
    if (log !== undefined) return this.#trim(log)
    const control = new ControlBlock(this.#memory, slot)
    const leader = control.leaderBroker
    const oldest = control.firstExtent
    if (leader < 0 || leader === this.#allocator.arena.brokerId || oldest < 0 || !control.askToTrim()) return false
    this.#askedSlot = slot
    this.#askedSinceMs = this.#allocator.nowMs
    this.#expect(1 << this.#memory.extents.order(oldest))
    this.#allocator.arena.alert(leader, ATTENTION_TRIM)
    return true
  }

  #trim(log: PartitionLog): boolean {
    const heldBefore = log.heldGranules
    const hereBefore = this.#allocator.restingGranules
    this.#trimmedRecords += log.trimOldest()
    const freed = heldBefore - log.heldGranules
    if (freed === 0) return false
    this.#trimmedExtents++
    // The extent may lie in another broker's block: then it comes back as a hand-over, if at all.
    const elsewhere = freed - (this.#allocator.restingGranules - hereBefore)
    if (elsewhere > 0) this.#expect(elsewhere)
    return true
  }

  #trimForOthers(log: PartitionLog): void {
    const asked = this.#asked
    const hereBefore = this.#allocator.restingGranules
    this.#trim(log)
    this.#allocator.owe(this.#allocator.restingGranules - hereBefore)
    // What came back elsewhere is not expected here.
    this.#asked = asked
  }

  #expect(granules: number): void {
    this.#asked += granules
    this.#askedUntilMs = this.#allocator.nowMs + ASKED_COUNTS_MS
  }

  /** What others asked of partitions that are led here. */
  #answerAsked(): void {
    const { partitionWords, trimWantedAt, slotsHigh } = this.#memory
    for (let word = 0; word < (slotsHigh + 31) >>> 5; word++) {
      let bits = Atomics.load(partitionWords, trimWantedAt + word)
      while (bits !== 0) {
        const slot = (word << 5) + 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        const log = this.#logs.get(slot)
        // The flag goes first: who asks again meanwhile is answered again.
        if (log !== undefined && new ControlBlock(this.#memory, slot).takeTrimWanted()) this.#trimForOthers(log)
      }
    }
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
