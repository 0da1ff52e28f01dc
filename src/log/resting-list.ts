// Extents that were freed and must not be overwritten yet. Pure: time is a parameter.
// A broker's ExtentAllocator owns one.
//
// Why they rest although readers re-check the generation: the owner's read-modify-write
// of the generation may become visible to others after plain stores that follow it
// (arm64 before LSE). A millisecond, and one whole duty cycle, is far longer than any
// store stays in a buffer; see shared-log-reader.ts for the argument.
// Holds: what comes out has rested at least REST_MS and one whole turn; first in, first out.

export const REST_MS = 1

interface Resting {
  granule: number
  order: number
  freedMs: number
  freedTurn: number
}

export class RestingList {
  #entries: Resting[] = []
  #head = 0
  #granules = 0

  /** Granules that rest. */
  get granules(): number {
    return this.#granules
  }

  get isEmpty(): boolean {
    return this.#head === this.#entries.length
  }

  add(granule: number, order: number, nowMs: number, turn: number): void {
    this.#entries.push({ granule, order, freedMs: nowMs, freedTurn: turn })
    this.#granules += 1 << order
  }

  /** Hands on what has rested long enough. */
  release(nowMs: number, turn: number, free: (granule: number, order: number) => void): void {
    while (this.#head < this.#entries.length) {
      const oldest = this.#entries[this.#head]!
      // The turn in which it was freed, and the one that begins now, are no whole turn.
      if (nowMs - oldest.freedMs < REST_MS || turn - oldest.freedTurn < 2) break
      this.#head++
      this.#granules -= 1 << oldest.order
      free(oldest.granule, oldest.order)
    }
    this.#compact()
  }

  /** Milliseconds until the oldest has rested, Infinity when nothing rests. */
  dueInMs(nowMs: number): number {
    if (this.isEmpty) return Number.POSITIVE_INFINITY
    return Math.max(0, this.#entries[this.#head]!.freedMs + REST_MS - nowMs)
  }

  hasAnyIn(firstGranule: number, endGranule: number): boolean {
    return this.#entries.some(({ granule }, i) => i >= this.#head && granule >= firstGranule && granule < endGranule)
  }

  /** Forgets what rests in a range that goes to another owner. */
  removeIn(firstGranule: number, endGranule: number): void {
    this.#entries = this.#entries.filter(({ granule }, i) => i >= this.#head && (granule < firstGranule || granule >= endGranule))
    this.#head = 0
    this.#granules = this.#entries.reduce((sum, { order }) => sum + (1 << order), 0)
  }

  #compact(): void {
    if (this.#head === this.#entries.length) {
      this.#entries.length = 0
      this.#head = 0
    } else if (this.#head > 64 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }
}
