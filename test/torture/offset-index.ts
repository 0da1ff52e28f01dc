// The offsets of one log that a history speaks of, in order and without holes, so that
// columns by offset are as long as there are offsets, wherever in 2^53 they lie.

export class OffsetIndex {
  readonly #offsets: Float64Array
  /** Where the last one was found: the next is mostly its neighbour. */
  #last = 0

  /** `offsets` in any order and as often as they come; they are sorted in place. */
  constructor(offsets: Float64Array) {
    offsets.sort()
    let kept = 0
    for (let i = 0; i < offsets.length; i++) if (i === 0 || offsets[i] !== offsets[kept - 1]) offsets[kept++] = offsets[i]!
    this.#offsets = offsets.subarray(0, kept)
  }

  get size(): number {
    return this.#offsets.length
  }

  offset(rank: number): number {
    return this.#offsets[rank]!
  }

  /** The place of an offset that was given to the constructor. */
  rank(offset: number): number {
    const rank = this.firstAtOrAbove(offset)
    if (this.#offsets[rank] !== offset) throw new Error(`offset ${offset} is not in the index`)
    return rank
  }

  /** The place of the first offset that is not below this one; `size` when there is none. */
  firstAtOrAbove(offset: number): number {
    const offsets = this.#offsets
    if (offsets[this.#last] === offset) return this.#last
    if (offsets[this.#last + 1] === offset) return ++this.#last
    let low = 0
    let high = offsets.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (offsets[middle]! < offset) low = middle + 1
      else high = middle
    }
    this.#last = low
    return low
  }
}
