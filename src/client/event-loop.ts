// Gives the event loop of the user's thread its turn: a `for await` over records that
// are always ready, or a loop of offers with a microtask between, would otherwise
// keep every timer and socket of the process waiting (measured: for ever).

import type { Clock } from '../clock.ts'

/** Timers of the user's thread fire at the latest so long after they are due, and a turn. */
const TURN_AT_LEAST_EVERY_MS = 5

export class TurnYield {
  readonly #clock: Clock
  #lastTurnMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#lastTurnMs = clock.monotonicMs()
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
        resolve()
      }
      // A ring is heard between the timers and the immediates: the first immediate after it comes before any timer.
      setImmediate(() => setImmediate(done))
    })
  }
}
