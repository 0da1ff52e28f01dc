// Counting by key within a bound.
//
// TopCounts is for questions like "which are the ten busiest": when it holds twice
// as many keys as it should keep, the rarer half goes. What stays is exact unless
// its key went and came back, and that does not happen to a key that is often seen.
// MinuteCounts is for time: when it is full, the oldest quarter goes.

export interface Count<Key> {
  readonly key: Key
  readonly count: number
}

/** Grows in place: one look into the map for each time it is counted. */
interface Counter {
  count: number
}

const KEYS_KEPT = 10_000
const MINUTES_KEPT = 50_000
const MINUTE_MS = 60_000

export class TopCounts {
  readonly #kept: number
  readonly #counts = new Map<string, Counter>()

  constructor(kept = KEYS_KEPT) {
    this.#kept = kept
  }

  add(key: string, count = 1): void {
    const counter = this.#counts.get(key)
    if (counter !== undefined) {
      counter.count += count
      return
    }
    this.#counts.set(key, { count })
    if (this.#counts.size >= 2 * this.#kept) for (const [rare] of this.#sorted().slice(this.#kept)) this.#counts.delete(rare)
  }

  addAll(counts: readonly Count<string>[]): void {
    for (const { key, count } of counts) this.add(key, count)
  }

  /** All that are kept, in no order. */
  all(): Count<string>[] {
    return [...this.#counts].map(([key, { count }]) => ({ key, count }))
  }

  /** The most frequent keys, most frequent first; keys of the same count in alphabetical order. */
  top(limit: number): Count<string>[] {
    return this.#sorted()
      .slice(0, limit)
      .map(([key, { count }]) => ({ key, count }))
  }

  #sorted(): [string, Counter][] {
    return [...this.#counts].sort(([keyA, a], [keyB, b]) => b.count - a.count || (keyA < keyB ? -1 : 1))
  }
}

export class MinuteCounts {
  readonly #kept: number
  /** By minutes since 1970. */
  readonly #counts = new Map<number, Counter>()

  constructor(kept = MINUTES_KEPT) {
    this.#kept = kept
  }

  /** `timeMs` is any time within the minute. */
  add(timeMs: number, count = 1): void {
    const minute = Math.floor(timeMs / MINUTE_MS)
    const counter = this.#counts.get(minute)
    if (counter !== undefined) {
      counter.count += count
      return
    }
    this.#counts.set(minute, { count })
    if (this.#counts.size > this.#kept)
      for (const [oldest] of this.#sorted().slice(0, Math.ceil(this.#kept / 4))) this.#counts.delete(oldest)
  }

  addAll(counts: readonly Count<number>[]): void {
    for (const { key, count } of counts) this.add(key, count)
  }

  /** All that are kept, in no order; keys as below. */
  all(): Count<number>[] {
    return [...this.#counts].map(([minute, { count }]) => ({ key: minute * MINUTE_MS, count }))
  }

  /** The newest `limit` minutes that had any, oldest first; the key is the minute's start in milliseconds since 1970. */
  newest(limit: number): Count<number>[] {
    return this.#sorted()
      .slice(-limit)
      .map(([minute, { count }]) => ({ key: minute * MINUTE_MS, count }))
  }

  #sorted(): [number, Counter][] {
    return [...this.#counts].sort(([a], [b]) => a - b)
  }
}
