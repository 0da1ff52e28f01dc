// Windows that are open, by when they close. Pure.
// Holds: each window is at one instant; they are taken in the order of their closing, and at
// one instant in the order in which they came there. A change costs the logarithm of the
// number of different instants.

import { DueHeap } from '../../log/due-heap.ts'

/** Something that keeps a commit position: released when it need not any more. */
export interface Pin {
  release(): void
}

/** A window of a key, with what its records have made so far. */
export interface OpenWindow<K, A> {
  readonly key: K
  startMs: number
  /** As the kind of window has it: exclusive for time windows, inclusive for the others. */
  endMs: number
  /** The stream time at which it closes. */
  closeMs: number
  state: A
  /** The highest time of its records. */
  timestampMs: number
  /** Of its first record. */
  pin: Pin | undefined
}

/** What closes at an instant. */
export interface Closing {
  closeMs: number
}

export class ByClosing<T extends Closing> {
  readonly #heap = new DueHeap()
  readonly #at = new Map<number, Set<T>>()

  /** When the next one closes, Infinity for never. */
  get dueMs(): number {
    return this.#heap.dueMs
  }

  add(item: T): void {
    let there = this.#at.get(item.closeMs)
    if (there === undefined) {
      there = new Set()
      this.#at.set(item.closeMs, there)
      // An instant is its own slot.
      this.#heap.schedule(item.closeMs, item.closeMs)
    }
    there.add(item)
  }

  remove(item: T): void {
    const there = this.#at.get(item.closeMs)
    if (there === undefined || !there.delete(item) || there.size > 0) return
    this.#at.delete(item.closeMs)
    this.#heap.remove(item.closeMs)
  }

  /** All that close at the next instant, which are taken out. */
  takeDue(): Iterable<T> {
    const { first } = this.#heap
    const due = this.#at.get(first)!
    this.#at.delete(first)
    this.#heap.remove(first)
    return due
  }
}
