// One bit a slot of the partition table, in shared memory: who sets one says that there is
// something to do for that partition, who takes it does it. Any thread.
// Holds: what is to be done is published before the bit is set, and looked at after it is
// taken: so nothing is overlooked, and at worst something is looked at once too often.

export class SlotBits {
  readonly #words: Int32Array<SharedArrayBuffer>
  /** Index of the first word. */
  readonly #at: number

  constructor(words: Int32Array<SharedArrayBuffer>, at: number) {
    this.#words = words
    this.#at = at
  }

  isMarked(slot: number): boolean {
    return (Atomics.load(this.#words, this.#at + (slot >>> 5)) & (1 << (slot & 31))) !== 0
  }

  /** False when it was marked already. */
  mark(slot: number): boolean {
    // A look first: it takes no cache line from whoever else writes the word.
    if (this.isMarked(slot)) return false
    const bit = 1 << (slot & 31)
    return (Atomics.or(this.#words, this.#at + (slot >>> 5), bit) & bit) === 0
  }

  /** Whether it was marked; it is not any more. */
  take(slot: number): boolean {
    if (!this.isMarked(slot)) return false
    const bit = 1 << (slot & 31)
    return (Atomics.and(this.#words, this.#at + (slot >>> 5), ~bit) & bit) !== 0
  }

  /** The lowest marked slot in [from, slotsHigh), -1 for none. */
  nextMarked(from: number, slotsHigh: number): number {
    for (let word = from >>> 5; word << 5 < slotsHigh; word++) {
      let bits = Atomics.load(this.#words, this.#at + word)
      if (word === from >>> 5) bits &= -1 << (from & 31)
      if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits & -bits)
    }
    return -1
  }
}
