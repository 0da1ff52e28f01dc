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

const KEYS_KEPT = 10_000
const MINUTES_KEPT = 50_000
const MINUTE_MS = 60_000

export class TopCounts {
  readonly #kept: number
  #counts = new Map<string, number>()

  constructor(kept = KEYS_KEPT) {
    this.#kept = kept
  }

  add(key: string, count = 1): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
    if (this.#counts.size >= 2 * this.#kept) this.#counts = new Map(byCount(this.#counts).slice(0, this.#kept))
  }

  addAll(counts: readonly Count<string>[]): void {
    for (const { key, count } of counts) this.add(key, count)
  }

  /** The most frequent keys, most frequent first; keys of the same count in alphabetical order. */
  top(limit: number): Count<string>[] {
    return byCount(this.#counts)
      .slice(0, limit)
      .map(([key, count]) => ({ key, count }))
  }
}

function byCount(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([keyA, a], [keyB, b]) => b - a || (keyA < keyB ? -1 : 1))
}

export class MinuteCounts {
  readonly #kept: number
  readonly #counts = new Map<number, number>()

  constructor(kept = MINUTES_KEPT) {
    this.#kept = kept
  }

  /** `minuteMs` is any time within the minute. */
  add(timeMs: number, count = 1): void {
    const minuteMs = timeMs - (((timeMs % MINUTE_MS) + MINUTE_MS) % MINUTE_MS)
    const before = this.#counts.get(minuteMs)
    this.#counts.set(minuteMs, (before ?? 0) + count)
    if (before === undefined && this.#counts.size > this.#kept) this.#forgetOldest()
  }

  addAll(counts: readonly Count<number>[]): void {
    for (const { key, count } of counts) this.add(key, count)
  }

  /** The newest `limit` minutes that had any, oldest first. */
  newest(limit: number): Count<number>[] {
    return this.#sorted()
      .slice(-limit)
      .map(([key, count]) => ({ key, count }))
  }

  #forgetOldest(): void {
    for (const [minuteMs] of this.#sorted().slice(0, Math.ceil(this.#kept / 4))) this.#counts.delete(minuteMs)
  }

  #sorted(): [number, number][] {
    return [...this.#counts].sort(([a], [b]) => a - b)
  }
}
