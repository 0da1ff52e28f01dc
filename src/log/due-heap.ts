// Which of many has something due first: a binary heap of slots by instant, in which
// each slot stands at most once. Pure; time is a number.
// Holds: finding the first costs nothing, any change the logarithm of their number;
// what is kept is bounded by the number of slots.

export class DueHeap {
  readonly #slots: number[] = []
  readonly #dueMs: number[] = []
  /** Where a slot stands. */
  readonly #places = new Map<number, number>()

  get size(): number {
    return this.#slots.length
  }

  /** The earliest instant, Infinity when nothing is due. */
  get dueMs(): number {
    return this.#dueMs[0] ?? Number.POSITIVE_INFINITY
  }

  /** The slot whose instant is the earliest, -1 for none. */
  get first(): number {
    return this.#slots[0] ?? -1
  }

  /** Sets a slot's instant, or takes it out with Infinity. */
  schedule(slot: number, dueMs: number): void {
    if (dueMs === Number.POSITIVE_INFINITY) return this.remove(slot)
    const place = this.#places.get(slot) ?? this.#slots.length
    this.#put(place, slot, dueMs)
    this.#settle(place)
  }

  /** Sets a slot's instant unless it has an earlier one. */
  scheduleBy(slot: number, dueMs: number): void {
    const place = this.#places.get(slot)
    if (place === undefined || this.#dueMs[place]! > dueMs) this.schedule(slot, dueMs)
  }

  remove(slot: number): void {
    const place = this.#places.get(slot)
    if (place === undefined) return
    this.#places.delete(slot)
    const lastSlot = this.#slots.pop()!
    const lastDueMs = this.#dueMs.pop()!
    if (lastSlot === slot) return
    this.#put(place, lastSlot, lastDueMs)
    this.#settle(place)
  }

  #put(place: number, slot: number, dueMs: number): void {
    this.#slots[place] = slot
    this.#dueMs[place] = dueMs
    this.#places.set(slot, place)
  }

  /** Moves what stands at `place` up, or down, to where it belongs. */
  #settle(place: number): void {
    let at = place
    while (at > 0 && this.#dueMs[(at - 1) >> 1]! > this.#dueMs[at]!) at = this.#swap(at, (at - 1) >> 1)
    for (;;) {
      let least = at
      for (let child = 2 * at + 1; child <= 2 * at + 2; child++) {
        if (child < this.#slots.length && this.#dueMs[child]! < this.#dueMs[least]!) least = child
      }
      if (least === at) return
      at = this.#swap(at, least)
    }
  }

  #swap(a: number, b: number): number {
    const [slot, dueMs] = [this.#slots[a]!, this.#dueMs[a]!]
    this.#put(a, this.#slots[b]!, this.#dueMs[b]!)
    this.#put(b, slot, dueMs)
    return b
  }
}
