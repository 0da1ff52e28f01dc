// Gives the event loop of the user's thread its turn: a `for await` over records that
// are always ready, or a loop of offers with a microtask between, would otherwise
// keep every timer and socket of the process waiting (measured: for ever).
// Of node:timers itself: a user's fake timers replace the globals.

import { setImmediate } from 'node:timers'
import type { Clock } from '../clock.ts'

/** Timers of the user's thread fire at the latest so long after they are due, and a turn. */
const TURN_AT_LEAST_EVERY_MS = 5

/** Where records are worked on one by one, the clock is looked at about so often, and at least once in so many. */
const LOOK_EVERY_MS = 1
const WORKS_A_LOOK_MAX = 16

export class TurnYield {
  readonly #clock: Clock
  #lastTurnMs: number
  #lastLookMs: number
  #worksALook = 1
  #untilLook = 1

  constructor(clock: Clock) {
    this.#clock = clock
    this.#lastTurnMs = clock.monotonicMs()
    this.#lastLookMs = this.#lastTurnMs
  }

  /**
   * Once a piece of work, a record: whether it is `due`. The clock costs as much as a small
   * record does, so it is not looked at for each, unless they take long.
   */
  isDueAfterWork(): boolean {
    if (--this.#untilLook > 0) return false
    const nowMs = this.#clock.monotonicMs()
    const eachMs = (nowMs - this.#lastLookMs) / this.#worksALook
    this.#lastLookMs = nowMs
    this.#worksALook = Math.max(1, Math.min(WORKS_A_LOOK_MAX, 2 * this.#worksALook, Math.floor(LOOK_EVERY_MS / eachMs)))
    this.#untilLook = this.#worksALook
    return nowMs - this.#lastTurnMs >= TURN_AT_LEAST_EVERY_MS
  }

  /** Whether this thread has worked long enough without a turn of its event loop. */
  get due(): boolean {
    return this.#clock.monotonicMs() - this.#lastTurnMs >= TURN_AT_LEAST_EVERY_MS
  }

  /** Resolves when the event loop has been once round, timers included. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#lastTurnMs = this.#clock.monotonicMs()
        // What the others did meanwhile took no record's time.
        this.#lastLookMs = this.#lastTurnMs
        resolve()
      }
      // A ring is heard between the timers and the immediates: the first immediate after it comes before any timer.
      setImmediate(() => setImmediate(done))
    })
  }
}
