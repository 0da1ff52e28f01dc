// A map that is about to change, over one that never does: what was set and taken away
// since, until the two are made into a map of their own. Pure.

export class ChangedMap<Key, Value> {
  readonly #base: ReadonlyMap<Key, Value>
  /** undefined: taken away. */
  readonly #changes = new Map<Key, Value | undefined>()

  constructor(base: ReadonlyMap<Key, Value>) {
    this.#base = base
  }

  get(key: Key): Value | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key)
  }

  set(key: Key, value: Value): void {
    this.#changes.set(key, value)
  }

  delete(key: Key): void {
    this.#changes.set(key, undefined)
  }

  /** Keys that were set or taken away. */
  get changedKeys(): IterableIterator<Key> {
    return this.#changes.keys()
  }

  /** The base itself where nothing changed. */
  result(): ReadonlyMap<Key, Value> {
    if (this.#changes.size === 0) return this.#base
    const result = new Map(this.#base)
    for (const [key, value] of this.#changes) {
      if (value === undefined) result.delete(key)
      else result.set(key, value)
    }
    return result
  }
}
