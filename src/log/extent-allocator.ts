// Gives the logs of one broker their extents (there is no such thing in Kafka, which
// leaves it to files and the page cache). One object a broker, on its thread.
//
//   nobody's blocks ─claim─▶ free (buddy) ─allocate─▶ an extent of a log
//         ▲                    ▲                            │ giveBack
//         │ hand over          └──── resting (1 ms, 1 turn) ◀┤ block is ours
//         └── to who wants        collect ◀── RETURNED ◀─────┘ block is another broker's
//
// `tick` runs once a duty cycle: it collects what others returned, lets rested extents
// go back to the buddy, keeps a reserve of whole blocks claimed ahead, and hands blocks
// to brokers that want memory. A block is handed over with the extents that live in it:
// its new owner reads from their rows what is free.
// Holds: an extent is overwritten only after its generation was raised and it rested.
// Every step leaves the shared words such that `adopt` finds all memory again.

import type { Clock } from '../clock.ts'
import { killPoint } from '../kill-points.ts'
import { AllocationDemand } from './allocation-demand.ts'
import { BlockArena } from './block-arena.ts'
import { Buddy, forEachAlignedRun } from './buddy.ts'
import { findOrphans } from './extent-orphans.ts'
import { fairShareOrder } from './fair-share.ts'
import type { LogMemory } from './log-memory.ts'
import {
  ATTENTION_MEMORY,
  ATTENTION_RETURNED,
  ATTENTION_TRIM,
  BLOCK_GRANULES,
  BLOCK_GRANULES_SHIFT,
  ORDER_MAX,
  STATE_FREE,
  STATE_RETURNED,
  WANT_URGENT,
} from './log-memory-layout.ts'
import { REST_MS, RestingList } from './resting-list.ts'
import { touchAhead } from './touch-ahead.ts'

const SHARES_COUNTED_EVERY_MS = 5
/** A broker keeps at most this part of the arena free ahead of its appends. */
const RESERVE_PART = 4
const WANT_REPEATED_EVERY_MS = 1
const UNMET_FORGOTTEN_MS = 20
/** Runs of this order are worth a hand-over though larger ones would be better. */
const USEFUL_ORDER = 3
const SPARE_SAID_IN_STEPS = 16

export interface ExtentAllocatorOptions {
  readonly memory: LogMemory
  readonly brokerId: number
  /** The broker's incarnation: blocks of an earlier one are not its own. */
  readonly brokerEpoch: number
  readonly clock: Clock
  /** Wakes a broker, so that it ticks. */
  readonly ringBroker: (brokerId: number) => void
}

export class ExtentAllocator {
  readonly arena: BlockArena
  readonly #memory: LogMemory
  readonly #clock: Clock
  readonly #buddy: Buddy
  readonly #resting = new RestingList()
  readonly #demand: AllocationDemand
  readonly #isOwned: Uint8Array
  readonly #owned: number[] = []
  readonly #toBuddy = (granule: number, order: number): void => this.#buddy.free(granule, order)
  readonly #toRest = (granule: number, order: number): void => this.#resting.add(granule, order, this.#nowMs, this.#turn)
  #turn = 0
  #nowMs: number
  #orderCap: number = ORDER_MAX
  #sharesCountedMs = Number.NEGATIVE_INFINITY
  /** The order that an append could not get, -1 when none; it must ask again, or is forgotten. */
  #unmetOrder = -1
  #unmetMs = 0
  /** What was last said in the shared words, 0 for nothing. */
  #want = 0
  #wantSaidMs = 0
  #trimAsked = false
  #handedOverMs = Number.NEGATIVE_INFINITY
  /** Granules that logs here gave up for others, and that were not handed over yet. */
  #owed = 0
  #spareSaid = 0

  constructor(options: ExtentAllocatorOptions) {
    const { memory } = options
    this.arena = new BlockArena(memory, options.brokerId, options.brokerEpoch, options.ringBroker)
    this.#memory = memory
    this.#clock = options.clock
    this.#buddy = new Buddy(memory.granuleCount)
    this.#demand = new AllocationDemand(Math.floor(memory.granuleCount / RESERVE_PART))
    this.#isOwned = new Uint8Array(memory.blockCount)
    this.#nowMs = options.clock.monotonicMs()
  }

  get freeGranules(): number {
    return this.#buddy.freeGranules
  }

  get restingGranules(): number {
    return this.#resting.granules
  }

  get ownedBlocks(): number {
    return this.#owned.length
  }

  /** The largest extent that a growing log should ask for, so that its share of the arena is several extents. */
  get orderCap(): number {
    return this.#orderCap
  }

  /** The order that an append waits for and that cannot be had at once, -1 for none. */
  get unmetOrder(): number {
    return this.#unmetOrder >= 0 && this.#buddy.largestFreeOrder < this.#unmetOrder ? this.#unmetOrder : -1
  }

  /** The time of the last tick. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Granules that are missing ahead of the appends; what rests counts as there, what is owed to others does not. */
  get missingGranules(): number {
    return Math.max(0, this.#demand.reserveGranules + this.#owed - this.#buddy.freeGranules - this.#resting.granules)
  }

  /** The part of it that logs must make up: a reserve never takes more than half of what the broker has. */
  get missingFromLogs(): number {
    const reserve = Math.min(this.#demand.reserveGranules, (this.#owned.length * BLOCK_GRANULES) / 2)
    return Math.max(0, reserve + this.#owed - this.#buddy.freeGranules - this.#resting.granules)
  }

  /** A log gave up memory for another broker's sake: it is not to be used up here before that broker has it. */
  owe(granules: number): void {
    this.#owed += granules
  }

  get owedGranules(): number {
    return this.#owed
  }

  /** Shared words wait for a tick: look at this before parking. */
  get hasAttention(): boolean {
    return this.arena.hasAttention
  }

  /** Milliseconds until a tick has something to do though nobody rings; Infinity when it has not. */
  dueInMs(nowMs: number): number {
    if (this.#unmetOrder >= 0) return Math.min(WANT_REPEATED_EVERY_MS, this.#resting.dueInMs(nowMs))
    return this.#want !== 0 || this.arena.doesAnybodyWant ? this.#resting.dueInMs(nowMs) : Number.POSITIVE_INFINITY
  }

  /**
   * An extent of `wantedOrder`, or of a smaller order down to `neededOrder`: its first
   * granule, live and empty; -1 when there is none now.
   */
  allocate(slot: number, wantedOrder: number, neededOrder: number, baseOffset: number): number {
    let order = wantedOrder
    let granule = this.#take(order)
    while (granule < 0 && order > neededOrder) {
      order--
      granule = this.#buddy.allocate(order)
    }
    if (granule < 0) {
      this.#unmetOrder = Math.max(this.#unmetOrder, neededOrder)
      this.#unmetMs = this.#nowMs
      this.arena.ringOwner()
      return -1
    }
    if (order >= this.#unmetOrder) this.#unmetOrder = -1
    this.#demand.note(order)
    this.arena.noteInUse(granule, order)
    this.#memory.extents.describe(granule, order, slot, baseOffset, this.#nowMs)
    return granule
  }

  /** Takes back an extent that no chain holds any more. Its log's broker calls this, whoever owns the block. */
  giveBack(granule: number): void {
    const { extents } = this.#memory
    extents.retire(granule)
    killPoint('log.trim.marked')
    if (this.#isOwned[granule >>> BLOCK_GRANULES_SHIFT] === 1) {
      const order = extents.order(granule)
      extents.markFree(granule)
      // Not the time of the turn's start: the rest must be a whole one.
      this.#resting.add(granule, order, this.#clock.monotonicMs(), this.#turn)
      return
    }
    if (!extents.markReturned(granule)) return
    killPoint('log.extent.returned')
    this.arena.noteReturned(granule)
  }

  /** Once a duty cycle. */
  tick(): void {
    this.#nowMs = this.#clock.monotonicMs()
    this.#turn++
    const attention = this.arena.takeAttention()
    if ((attention & ATTENTION_RETURNED) !== 0) this.collectReturned()
    if ((attention & ATTENTION_TRIM) !== 0) this.#trimAsked = true
    if (!this.#resting.isEmpty) this.#resting.release(this.#nowMs, this.#turn, this.#toBuddy)
    this.#demand.sample(this.#nowMs)
    this.#countShares()
    // What was just handed over is for the broker that wants it.
    if (this.#nowMs - this.#handedOverMs >= WANT_REPEATED_EVERY_MS) while (this.missingGranules > 0 && this.#claimBlock()) continue
    this.#meetWant()
    if (this.arena.doesAnybodyWant) this.arena.forEachWant(this.#answer)
    else this.#owed = 0
    this.#giveUpSpare()
  }

  /** Whether a partition led here was asked for its oldest extent; asks once. */
  takeTrimAsked(): boolean {
    const asked = this.#trimAsked
    this.#trimAsked = false
    return asked
  }

  /** Says that memory is wanted: other brokers hand over what they can spare. */
  wantMemory(): void {
    const { unmetOrder } = this
    const want = unmetOrder >= 0 ? (unmetOrder + 1) | WANT_URGENT : Math.min(USEFUL_ORDER, Math.max(0, this.#demand.order)) + 1
    // One that was answered may be said again at once.
    if (want === this.#want && this.arena.isWanting && this.#nowMs - this.#wantSaidMs < WANT_REPEATED_EVERY_MS) return
    this.#want = want
    this.#wantSaidMs = this.#nowMs
    this.arena.want(want, ATTENTION_MEMORY)
  }

  /** Makes the next two extents resident, in turns without work, 512 KiB a call; true when there was something to touch. */
  touchAhead(): boolean {
    if (this.#demand.order < 0) return false
    return touchAhead(this.#memory, this.arena, this.#owned, this.#buddy.freeGranules, 2 << this.#demand.order)
  }

  /** Collects the extents of our blocks that other brokers gave back. */
  collectReturned(): void {
    for (const block of this.#owned) {
      if (!this.arena.hasReturned(block)) continue
      const start = block << BLOCK_GRANULES_SHIFT
      for (let granule = start; granule < start + BLOCK_GRANULES; granule++) {
        if (this.#memory.extents.state(granule) === STATE_RETURNED) this.#collect(granule)
      }
    }
  }

  /**
   * Takes over the memory of a dead broker, of this incarnation and of all before it: one may have
   * died before anybody knew of it. Its blocks, and the extents that its logs had
   * given up or not yet linked when it died. `isLedByDead` names the slots that it led;
   * nobody may lead them before this returns. What is free rests first.
   */
  adopt(deadBroker: number, deadEpoch: number, isLedByDead: (slot: number) => boolean): void {
    this.#nowMs = this.#clock.monotonicMs()
    for (let block = 0; block < this.#memory.blockCount; block++) {
      const owner = this.arena.ownerOf(block)
      const isDead = (owner & 0xff) === deadBroker + 1 && owner >>> 8 <= deadEpoch
      // The dead may have freed an extent an instant ago.
      if (isDead && this.arena.claimFrom(block, owner)) this.#rebuild(block, this.#toRest)
    }
    this.arena.forget(deadBroker)
    this.reclaimOrphans(isLedByDead)
  }

  /** Frees extents that a leader's death left in no chain, of slots whose logs nobody has open. */
  reclaimOrphans(isOrphaned: (slot: number) => boolean): void {
    const drop = (granule: number, isReturned: boolean): void => (isReturned ? this.arena.noteReturned(granule) : this.giveBack(granule))
    findOrphans(this.#memory, this.arena, isOrphaned, drop)
  }

  /** The broker stops: its blocks go to whoever claims them, with the extents of logs that others lead now. */
  close(): void {
    this.#nowMs = this.#clock.monotonicMs()
    this.arena.forget(this.arena.brokerId)
    for (const block of this.#owned.slice()) this.#release(block)
  }

  #take(order: number): number {
    let granule = this.#buddy.allocate(order)
    while (granule < 0 && this.#claimBlock()) granule = this.#buddy.allocate(order)
    return granule
  }

  #claimBlock(): boolean {
    const block = this.arena.claimAny()
    if (block < 0) return false
    this.#rebuild(block, this.arena.restUntilMs(block) > this.#nowMs ? this.#toRest : this.#toBuddy)
    return true
  }

  /** Reads from the rows of a block what is in use, and hands the rest to `free`. */
  #rebuild(block: number, free: (granule: number, order: number) => void): void {
    const { extents } = this.#memory
    this.#isOwned[block] = 1
    this.#owned.push(block)
    // Before the rows: what is returned from here on is counted anew.
    this.arena.hasReturned(block)
    const start = block << BLOCK_GRANULES_SHIFT
    let freeFrom = start
    for (let granule = start; granule < start + BLOCK_GRANULES; ) {
      const state = extents.state(granule)
      if (state === STATE_FREE) {
        granule++
        continue
      }
      forEachAlignedRun(freeFrom, granule, free)
      const end = granule + (1 << extents.order(granule))
      if (state === STATE_RETURNED) this.#collect(granule)
      granule = end
      freeFrom = end
    }
    forEachAlignedRun(freeFrom, start + BLOCK_GRANULES, free)
  }

  #collect(granule: number): void {
    const order = this.#memory.extents.order(granule)
    this.#memory.extents.markFree(granule)
    this.#resting.add(granule, order, this.#nowMs, this.#turn)
  }

  #release(block: number): void {
    const start = block << BLOCK_GRANULES_SHIFT
    this.#owed = Math.max(0, this.#owed - this.#buddy.freeInBlock(block))
    const rests = this.#resting.hasAnyIn(start, start + BLOCK_GRANULES)
    if (rests) this.#resting.removeIn(start, start + BLOCK_GRANULES)
    this.#buddy.removeBlock(block)
    this.#isOwned[block] = 0
    this.#owned.splice(this.#owned.indexOf(block), 1)
    this.arena.release(block, rests ? this.#nowMs + REST_MS : 0)
  }

  #meetWant(): void {
    if (this.#unmetOrder >= 0 && this.#nowMs - this.#unmetMs > UNMET_FORGOTTEN_MS) this.#unmetOrder = -1
    if (this.#unmetOrder >= 0 && this.#buddy.largestFreeOrder < this.#unmetOrder && !this.#claimBlock()) {
      this.wantMemory()
    } else if (this.#want !== 0 && this.missingGranules === 0) {
      this.#want = 0
      this.arena.wantNothing()
    }
  }

  /** Gives a block to a broker that wants memory, if there is one to spare. */
  readonly #answer = (brokerId: number, want: number): void => {
    const block = this.#spareBlock((want & 0xff) - 1, (want & WANT_URGENT) !== 0)
    if (block < 0 || !this.arena.takeWant(brokerId, want)) return
    this.#release(block)
    this.#handedOverMs = this.#nowMs
    this.arena.alert(brokerId, ATTENTION_MEMORY)
  }

  /** The block to hand over for a want, -1 when none can be spared. */
  #spareBlock(order: number, urgent: boolean): number {
    // Who cannot wait is given what is kept ahead here; retention makes up for it.
    const keep = urgent ? 0 : this.#demand.reserveGranules
    const { freeGranules } = this.#buddy
    let best = -1
    let bestRank = Number.NEGATIVE_INFINITY
    const isLastForUs = this.#blocksForUnmet() <= 1
    for (const block of this.#owned) {
      const free = this.#buddy.freeInBlock(block)
      if (free < 1 << order || freeGranules - (1 << order) < keep) continue
      // The most that leaves enough here; where nothing does, or who asks needs little at once, the least.
      const rank = !urgent && freeGranules - free >= keep ? free : -free
      if (rank <= bestRank) continue
      const largest = this.#buddy.largestFreeOrderIn(block)
      // What an append of our own waits for is not given away.
      if (largest < order || (isLastForUs && this.#unmetOrder >= 0 && largest >= this.#unmetOrder)) continue
      best = block
      bestRank = rank
    }
    return best
  }

  /** Blocks that have what an append of our own waits for. */
  #blocksForUnmet(): number {
    if (this.#unmetOrder < 0) return 0
    return this.#owned.filter((block) => this.#buddy.largestFreeOrderIn(block) >= this.#unmetOrder).length
  }

  /** Whole blocks beyond the reserve go to whoever claims them; what else is spare is said. */
  #giveUpSpare(): void {
    const needed = this.#demand.reserveGranules + this.#owed + (this.#unmetOrder < 0 ? 0 : BLOCK_GRANULES)
    while (this.#buddy.freeGranules - BLOCK_GRANULES >= needed) {
      const block = this.#buddy.wholeFreeBlock
      if (block < 0) break
      this.#release(block)
    }
    const spare = Math.max(0, this.#buddy.freeGranules - needed)
    if (Math.floor(spare / SPARE_SAID_IN_STEPS) === Math.floor(this.#spareSaid / SPARE_SAID_IN_STEPS)) return
    this.#spareSaid = spare
    this.arena.setSpare(spare)
  }

  #countShares(): void {
    if (this.#demand.order < 0 || this.#nowMs - this.#sharesCountedMs < SHARES_COUNTED_EVERY_MS) return
    this.#sharesCountedMs = this.#nowMs
    this.#orderCap = fairShareOrder(this.#memory)
  }
}
