// The wall clock of a broker's turn: read at most once in each, when a batch first asks.
// Runs on the broker's thread.

import type { Clock } from '../clock.ts'

export class TurnTime {
  readonly #clock: Clock
  #nowMs = -1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds since the epoch, the same all through a turn. */
  get nowMs(): number {
    if (this.#nowMs < 0) this.#nowMs = this.#clock.nowMs()
    return this.#nowMs
  }

  turnEnded(): void {
    this.#nowMs = -1
  }
}
