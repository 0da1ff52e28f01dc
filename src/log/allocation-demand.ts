// How much free memory a broker keeps ahead of its appends. Pure: time is a parameter.
//
// Two extents of the largest order that was needed lately, or what is used up in a few
// milliseconds (an extent that is trimmed must rest one before it can be used), whichever
// is more; nothing when nothing was allocated for a second (what is free stays
// free until another broker wants it).

const RATE_RISES_IN_MS = 8
const RATE_FALLS_IN_MS = 50
const AHEAD_MS = 4
const ORDER_FADES_MS = 100
const IDLE_MS = 1_000

export class AllocationDemand {
  readonly #reserveMax: number
  #order = -1
  #orderSeenMs = 0
  #ratePerMs = 0
  #allocated = 0
  #sampledMs = 0
  #largest = -1

  /** `reserveMax`: granules, the most that is ever kept. */
  constructor(reserveMax: number) {
    this.#reserveMax = reserveMax
  }

  note(order: number): void {
    this.#allocated += 1 << order
    if (order > this.#largest) this.#largest = order
  }

  /** Takes in what was noted since the last call, at most once a millisecond. */
  sample(nowMs: number): void {
    const elapsedMs = nowMs - this.#sampledMs
    if (elapsedMs < 1) {
      // The order counts at once: the next extent may be needed before a millisecond is over.
      if (this.#largest > this.#order) this.#order = this.#largest
      return
    }
    const ratePerMs = this.#allocated / elapsedMs
    // Smoothed both ways: one large extent in a millisecond is no rate.
    const weight = Math.min(1, elapsedMs / (ratePerMs > this.#ratePerMs ? RATE_RISES_IN_MS : RATE_FALLS_IN_MS))
    this.#ratePerMs += (ratePerMs - this.#ratePerMs) * weight
    this.#fade(nowMs)
    this.#allocated = 0
    this.#largest = -1
    this.#sampledMs = nowMs
  }

  /** The largest order needed lately, -1 when nothing is. */
  get order(): number {
    return this.#order
  }

  get reserveGranules(): number {
    if (this.#order < 0) return 0
    return Math.min(this.#reserveMax, Math.max(2 << this.#order, Math.ceil(this.#ratePerMs * AHEAD_MS)))
  }

  #fade(nowMs: number): void {
    if (this.#largest >= this.#order && this.#largest >= 0) {
      this.#order = this.#largest
      this.#orderSeenMs = nowMs
    } else if (this.#largest >= 0 && nowMs - this.#orderSeenMs >= ORDER_FADES_MS) {
      this.#order--
      this.#orderSeenMs = nowMs
    } else if (this.#largest < 0 && nowMs - this.#orderSeenMs >= IDLE_MS) {
      this.#order = -1
      this.#ratePerMs = 0
    }
  }
}
