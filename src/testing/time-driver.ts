// Who lets virtual time pass: from timer to timer, with all that follows from one settled before the next.
//
// Holds: time moves only while somebody waits for it; several who wait at once share it, and no timer is passed over by the one who
// looks farthest ahead.

import type { InlineTurns } from './inline-turns.ts'
import type { VirtualTime } from './virtual-time.ts'

interface Goal {
  readonly untilMs: number
  readonly isReached: () => boolean
  readonly resolve: (reached: boolean) => void
  readonly reject: (error: unknown) => void
}

export class TimeDriver {
  readonly #turns: InlineTurns
  readonly #time: VirtualTime
  readonly #goals = new Set<Goal>()
  #isRunning = false
  #fired = 0

  constructor(turns: InlineTurns, time: VirtualTime) {
    this.#turns = turns
    this.#time = time
  }

  get nowMs(): number {
    return this.#time.nowMs
  }

  /** Timers that fired so far. */
  get fired(): number {
    return this.#fired
  }

  /**
   * Lets time pass until `isReached` says so (true), or it is `untilMs` and all that is due by then is done (false). `isReached` is
   * asked at first, and after each timer, when all is quiet.
   */
  pass(untilMs: number, isReached: () => boolean = () => false): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#goals.add({ untilMs, isReached, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    try {
      while (this.#goals.size > 0) {
        await this.#turns.settle()
        this.#step()
      }
    } catch (error) {
      for (const { reject } of this.#goals) reject(error)
      this.#goals.clear()
    } finally {
      this.#isRunning = false
    }
  }

  #step(): void {
    let untilMs = Number.POSITIVE_INFINITY
    let isAnyReached = false
    for (const goal of this.#goals) {
      const reached = goal.isReached()
      if (reached || (goal.untilMs <= this.#time.nowMs && this.#time.nextDueMs > this.#time.nowMs)) {
        this.#goals.delete(goal)
        goal.resolve(reached)
        isAnyReached = true
      } else {
        untilMs = Math.min(untilMs, goal.untilMs)
      }
    }
    // Who waited goes on first; what he does may be due before the next timer.
    if (!isAnyReached && this.#goals.size > 0 && this.#time.moveTo(untilMs)) this.#fired++
  }
}
