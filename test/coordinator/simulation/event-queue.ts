// The one heap of a simulation, by time and then by the order in which events were set, and
// the clock that moves with it. Times in ms, from 0.

import type { Clock, Timer } from '../../../src/clock.ts'

interface Event {
  readonly atMs: number
  readonly sequence: number
  /** undefined: it was cancelled. */
  run: (() => void) | undefined
}

const WALL_START_MS = 1_700_000_000_000

export class EventQueue implements Clock {
  /** Wall-clock time less the monotonic clock's, beside where it began. */
  wallSkewMs = 0
  /** Events that have run. */
  count = 0
  #nowMs = 0
  #sequence = 0
  readonly #heap: Event[] = []

  monotonicMs(): number {
    return this.#nowMs
  }

  nowMs(): number {
    return Math.floor(WALL_START_MS + this.#nowMs + this.wallSkewMs)
  }

  at(atMs: number, run: () => void): Timer {
    const event: Event = { atMs: Math.max(atMs, this.#nowMs), sequence: this.#sequence++, run }
    this.#push(event)
    return { cancel: () => (event.run = undefined) }
  }

  setTimer(delayMs: number, run: () => void): Timer {
    return this.at(this.#nowMs + Math.max(0, delayMs), run)
  }

  /** Runs the next event of this time or earlier; undefined: there is none, and it is that time now. Otherwise its sequence. */
  step(untilMs: number): number | undefined {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs)
        return undefined
      }
      this.#pop()
      const { run } = next
      if (run === undefined) continue
      next.run = undefined
      this.#nowMs = next.atMs
      this.count++
      run()
      return next.sequence
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const above = (at - 1) >> 1
      if (isBefore(heap[above]!, event)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (isBefore(last, heap[below]!)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}
