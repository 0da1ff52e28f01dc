// The shared words of the block table: who owns which block, who wants memory, and
// what each broker is asked to look at. See log-memory-layout.ts.
// Any broker's thread; one object a broker.
//
// Holds: the owner word alone says who may allocate in a block. It goes from 0 to a
// broker, or from a dead broker to the one that adopts, only by compare-and-exchange,
// and back to 0 only by its owner. What a block holds is read from the rows of its
// extents, so nothing else is handed over with it, and a death at any point leaves a
// block that is either owned by the dead or free, never in between.

import { BROKERS_MAX } from '../ids.ts'
import { killPoint } from '../kill-points.ts'
import type { LogMemory } from './log-memory.ts'
import {
  ATTENTION,
  ATTENTION_RETURNED,
  BLOCK_GRANULES,
  BLOCK_GRANULES_SHIFT,
  BLOCK_HEADER_BYTES,
  BLOCK_OWNER,
  BLOCK_REST_UNTIL_LONG,
  BLOCK_RETURNED,
  BLOCK_ROW_WORDS,
  BLOCK_TOUCHED,
  SPARE,
  WANTED_MEMORY,
  WANTING_BROKERS,
} from './log-memory-layout.ts'

const EPOCH_MASK = 0xff_ffff

/** The owner word of a broker's incarnation; never 0. */
export function ownerWordOf(brokerId: number, brokerEpoch: number): number {
  return ((brokerEpoch & EPOCH_MASK) << 8) | (brokerId + 1)
}

export class BlockArena {
  readonly ownerWord: number
  readonly brokerId: number
  readonly #memory: LogMemory
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #ringBroker: (brokerId: number) => void
  /** Where the last free block was found. */
  #hint = 0

  constructor(memory: LogMemory, brokerId: number, brokerEpoch: number, ringBroker: (brokerId: number) => void) {
    this.ownerWord = ownerWordOf(brokerId, brokerEpoch)
    this.brokerId = brokerId
    this.#memory = memory
    this.#words = memory.blockWords
    this.#ringBroker = ringBroker
  }

  /** Only a tick brings memory, and whoever needs some outside of a duty cycle may find that asleep. */
  ringOwner(): void {
    this.#ringBroker(this.brokerId)
  }

  /** Takes a block that nobody owns, -1 when there is none; one that is resident before a fresh one. */
  claimAny(): number {
    const resident = this.#claimFirst(1)
    return resident >= 0 ? resident : this.#claimFirst(0)
  }

  /** Takes a block over from a dead broker. */
  claimFrom(block: number, deadOwnerWord: number): boolean {
    return this.#claim(block, deadOwnerWord)
  }

  /** Gives a block up; the caller has forgotten what is free in it, and part of that may rest still. */
  release(block: number, restUntilMs: number): void {
    // Before the owner word, which publishes it.
    this.#memory.blockFloats[rowAt(block) / 2 + BLOCK_REST_UNTIL_LONG] = restUntilMs
    Atomics.store(this.#words, rowAt(block) + BLOCK_OWNER, 0)
    this.#hint = block
    killPoint('log.block.released')
  }

  /** For the owner: what was free when it claimed the block rests until then. */
  restUntilMs(block: number): number {
    return this.#memory.blockFloats[rowAt(block) / 2 + BLOCK_REST_UNTIL_LONG]!
  }

  ownerOf(block: number): number {
    return Atomics.load(this.#words, rowAt(block) + BLOCK_OWNER)
  }

  /** An extent of another broker's block was marked RETURNED: says so to its owner. */
  noteReturned(granule: number): void {
    const block = granule >>> BLOCK_GRANULES_SHIFT
    Atomics.add(this.#words, rowAt(block) + BLOCK_RETURNED, 1)
    // The mark and the count before this look: who owns the block later finds both when it claims.
    const owner = this.ownerOf(block)
    if (owner !== 0) this.alert((owner & 0xff) - 1, ATTENTION_RETURNED)
  }

  hasReturned(block: number): boolean {
    const at = rowAt(block) + BLOCK_RETURNED
    return Atomics.load(this.#words, at) !== 0 && Atomics.exchange(this.#words, at, 0) !== 0
  }

  /** Granules from the block's start that are resident. */
  touched(block: number): number {
    return this.#words[rowAt(block) + BLOCK_TOUCHED]!
  }

  setTouched(block: number, granules: number): void {
    this.#words[rowAt(block) + BLOCK_TOUCHED] = Math.min(granules, BLOCK_GRANULES)
  }

  /** Called before an extent is anybody's: should its broker die then, it is looked for below `touched`. */
  noteInUse(granule: number, order: number): void {
    const block = granule >>> BLOCK_GRANULES_SHIFT
    const end = (granule & (BLOCK_GRANULES - 1)) + (1 << order)
    if (end > this.touched(block)) this.setTouched(block, end)
  }

  /** Sets bits in a broker's attention word and wakes it. */
  alert(brokerId: number, attention: number): void {
    Atomics.or(this.#words, ATTENTION + brokerId, attention)
    this.#ringBroker(brokerId)
  }

  get hasAttention(): boolean {
    return Atomics.load(this.#words, ATTENTION + this.brokerId) !== 0
  }

  takeAttention(): number {
    const at = ATTENTION + this.brokerId
    return Atomics.load(this.#words, at) === 0 ? 0 : Atomics.exchange(this.#words, at, 0)
  }

  /** Says how much memory this broker wants, to all who own blocks. */
  want(want: number, attention: number): void {
    Atomics.store(this.#words, WANTED_MEMORY + this.brokerId, want)
    Atomics.or(this.#words, WANTING_BROKERS + (this.brokerId >>> 5), 1 << (this.brokerId & 31))
    let alertedLow = 0
    let alertedHigh = 0
    for (let block = 0; block < this.#memory.blockCount; block++) {
      const owner = (this.ownerOf(block) & 0xff) - 1
      if (owner < 0 || owner === this.brokerId) continue
      const bit = 1 << (owner & 31)
      if (((owner < 32 ? alertedLow : alertedHigh) & bit) !== 0) continue
      if (owner < 32) alertedLow |= bit
      else alertedHigh |= bit
      this.alert(owner, attention)
    }
  }

  /** Whether this broker's want stands, unanswered. */
  get isWanting(): boolean {
    return Atomics.load(this.#words, WANTED_MEMORY + this.brokerId) !== 0
  }

  wantNothing(brokerId = this.brokerId): void {
    Atomics.and(this.#words, WANTING_BROKERS + (brokerId >>> 5), ~(1 << (brokerId & 31)))
    Atomics.store(this.#words, WANTED_MEMORY + brokerId, 0)
  }

  /** Says what this broker has free and does not need. */
  setSpare(granules: number): void {
    Atomics.store(this.#words, SPARE + this.brokerId, granules)
  }

  /** What the other brokers have free and do not need. */
  spareElsewhere(): number {
    let granules = 0
    for (let id = 0; id < BROKERS_MAX; id++) if (id !== this.brokerId) granules += Atomics.load(this.#words, SPARE + id)
    return granules
  }

  /** A dead broker wants nothing and has nothing. */
  forget(deadBroker: number): void {
    this.wantNothing(deadBroker)
    Atomics.store(this.#words, SPARE + deadBroker, 0)
  }

  get doesAnybodyWant(): boolean {
    return Atomics.load(this.#words, WANTING_BROKERS) !== 0 || Atomics.load(this.#words, WANTING_BROKERS + 1) !== 0
  }

  /** Visits each broker that wants memory: order + 1, and WANT_URGENT. */
  forEachWant(visit: (brokerId: number, want: number) => void): void {
    for (let word = 0; word < 2; word++) {
      let bits = Atomics.load(this.#words, WANTING_BROKERS + word)
      while (bits !== 0) {
        const brokerId = (word << 5) + 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        const want = Atomics.load(this.#words, WANTED_MEMORY + brokerId)
        if (want !== 0 && brokerId !== this.brokerId) visit(brokerId, want)
      }
    }
  }

  /** Takes a want, so that only one broker answers it. */
  takeWant(brokerId: number, want: number): boolean {
    return Atomics.compareExchange(this.#words, WANTED_MEMORY + brokerId, want, 0) === want
  }

  #claimFirst(touchedMin: number): number {
    const { blockCount } = this.#memory
    for (let i = 0; i < blockCount; i++) {
      const block = (this.#hint + i) % blockCount
      if (this.touched(block) < touchedMin || !this.#claim(block, 0)) continue
      this.#hint = block
      return block
    }
    return -1
  }

  #claim(block: number, expectedOwner: number): boolean {
    const at = rowAt(block) + BLOCK_OWNER
    // A look first: a failing exchange takes the line from its owner too.
    if (Atomics.load(this.#words, at) !== expectedOwner) return false
    if (Atomics.compareExchange(this.#words, at, expectedOwner, this.ownerWord) !== expectedOwner) return false
    killPoint('log.block.claimed')
    return true
  }
}

function rowAt(block: number): number {
  return BLOCK_HEADER_BYTES / 4 + block * BLOCK_ROW_WORDS
}
