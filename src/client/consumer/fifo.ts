// First in, first out, without moving what waits: a ring that doubles when it is full.
// Pure.

const INITIAL_PLACES = 16

export class Fifo<Item extends object> {
  #places: (Item | undefined)[] = Array.from({ length: INITIAL_PLACES }, () => undefined)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: Item): void {
    if (this.#size === this.#places.length) this.#grow()
    this.#places[(this.#head + this.#size) & (this.#places.length - 1)] = item
    this.#size++
  }

  shift(): Item | undefined {
    if (this.#size === 0) return undefined
    const item = this.#places[this.#head]
    this.#places[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#places.length - 1)
    this.#size--
    return item
  }

  #grow(): void {
    const inOrder = [...this.#places.slice(this.#head), ...this.#places.slice(0, this.#head)]
    this.#places = [...inOrder, ...inOrder.map(() => undefined)]
    this.#head = 0
  }
}
