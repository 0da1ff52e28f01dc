// Which partition gives up memory next: the one that holds most. Pure; the table of
// holdings is a parameter. One object a broker, owned by its MemoryRetention.
//
// A look through all partitions keeps the largest few, and these serve for some choices,
// more where there are more partitions, so that 10,000 small ones are not looked through
// for each 16 KiB. Among equals the one behind the last victim comes first, so that all
// give in turn.

const KEPT = 32
/** A look at so many partitions costs less than the trim that follows it. */
const LOOKED_THROUGH_FOR_NOTHING = 256

export interface Holdings {
  /** One past the highest slot. */
  slotsHigh(): number
  /** Granules that retention may take from the partition, 0 when none, times the weight that they have. */
  takeable(slot: number): number
}

export class LargestHolders {
  readonly #slots = new Int32Array(KEPT)
  readonly #granules = new Int32Array(KEPT)
  #count = 0
  /** Nobody outside the list held more when it was made. */
  #floor = 0
  #cursor = 0
  #mayLook = true
  /** Choices that the list still serves for: others grow meanwhile. */
  #servesFor = 0

  /** In a round all partitions are looked through once at most. */
  startRound(): void {
    this.#mayLook = true
  }

  /** The slot that holds most, -1 when nobody holds anything or the round is over. */
  choose(holdings: Holdings): number {
    const known = this.#servesFor > 0 || !this.#mayLook ? this.#largestKnown(holdings) : -1
    this.#servesFor--
    if (known >= 0 || !this.#mayLook) return known
    this.#mayLook = false
    this.#look(holdings)
    this.#servesFor = holdings.slotsHigh() / LOOKED_THROUGH_FOR_NOTHING
    return this.#largestKnown(holdings)
  }

  /** The slot cannot give anything now: it is not chosen again in this round. */
  exclude(slot: number): void {
    this.#servesFor = 0
    for (let i = 0; i < this.#count; i++) if (this.#slots[i] === slot) this.#slots[i] = -1
  }

  #largestKnown(holdings: Holdings): number {
    let best = -1
    let most = 0
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!
      if (slot < 0) continue
      const granules = holdings.takeable(slot)
      if (granules <= most) continue
      best = slot
      most = granules
    }
    if (best < 0 || most < this.#floor) return -1
    this.#cursor = best + 1
    return best
  }

  #look(holdings: Holdings): void {
    const slotsHigh = holdings.slotsHigh()
    this.#count = 0
    for (let i = 0; i < slotsHigh; i++) {
      const slot = (this.#cursor + i) % slotsHigh
      const granules = holdings.takeable(slot)
      if (granules > 0 && (this.#count < KEPT || granules > this.#granules[KEPT - 1]!)) this.#insert(slot, granules)
    }
    this.#floor = this.#count < KEPT ? 1 : this.#granules[KEPT - 1]!
  }

  /** Keeps the list in order, largest first; equals stay in the order they came. */
  #insert(slot: number, granules: number): void {
    let at = this.#count < KEPT ? this.#count++ : KEPT - 1
    while (at > 0 && this.#granules[at - 1]! < granules) {
      this.#slots[at] = this.#slots[at - 1]!
      this.#granules[at] = this.#granules[at - 1]!
      at--
    }
    this.#slots[at] = slot
    this.#granules[at] = granules
  }
}
