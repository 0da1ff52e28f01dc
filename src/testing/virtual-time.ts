// Time that moves only when told to: the timers of everything that runs inline, in the order in which they fall due.
//
// Runs on the one thread of an inline millrace. Holds: timers fire one at a time, in order of time, then of setting; none fires inside
// `setTimer` or `cancel`; one that is due at once (a delay of 0) fires in a later turn, without time having to move.

import type { TurnScheduler } from '../actor/turn-scheduler.ts'
import type { Clock, Timer } from '../clock.ts'

interface PendingTimer {
  readonly dueMs: number
  readonly sequence: number
  /** Of whom it is: the name of a clock. */
  readonly owner: string
  readonly fire: () => void
  isCancelled: boolean
}

/** A clock of one owner: what he has set can be taken back as a whole. */
export interface OwnedClock extends Clock {
  /** Cancels all that was set by this clock. */
  cancelAll(): void
}

export class VirtualTime {
  readonly #turns: TurnScheduler
  readonly #startMs: number
  #nowMs: number
  #sequence = 0
  /** By due time, then by sequence. */
  readonly #pending: PendingTimer[] = []

  /** `startMs`: the wall-clock time at first, in milliseconds since the epoch. */
  constructor(turns: TurnScheduler, startMs: number) {
    this.#turns = turns
    this.#startMs = startMs
    this.#nowMs = startMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** When the next timer falls due, on the clock of `nowMs`; Infinity: there is none. */
  get nextDueMs(): number {
    return this.#pending[0]?.dueMs ?? Number.POSITIVE_INFINITY
  }

  /** How many timers of each owner have not fired. */
  pendingByOwner(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { owner } of this.#pending) counts.set(owner, (counts.get(owner) ?? 0) + 1)
    return counts
  }

  /** A clock that reads this time. */
  clock(owner: string): OwnedClock {
    const own = new Set<Timer>()
    return {
      nowMs: () => Math.floor(this.#nowMs),
      monotonicMs: () => this.#nowMs - this.#startMs,
      setTimer: (delayMs, callback) => {
        const timer = this.#set(owner, delayMs, () => {
          own.delete(timer)
          callback()
        })
        own.add(timer)
        return {
          cancel: () => {
            own.delete(timer)
            timer.cancel()
          },
        }
      },
      cancelAll: () => {
        for (const timer of own) timer.cancel()
        own.clear()
      },
    }
  }

  /** Moves time on to the first timer that is due by `untilMs`, and gives it its turn; false: to `untilMs`, for there is none. */
  moveTo(untilMs: number): boolean {
    const next = this.#pending[0]
    if (next === undefined || next.dueMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs)
      return false
    }
    this.#pending.shift()
    this.#nowMs = Math.max(this.#nowMs, next.dueMs)
    this.#giveTurn(next)
    return true
  }

  #set(owner: string, delayMs: number, fire: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, owner, fire, isCancelled: false }
    if (delayMs > 0) this.#insert(timer)
    else this.#giveTurn(timer)
    return {
      cancel: () => {
        timer.isCancelled = true
        const index = this.#pending.indexOf(timer)
        if (index >= 0) this.#pending.splice(index, 1)
      },
    }
  }

  #insert(timer: PendingTimer): void {
    // Most are set for later than all others.
    let at = this.#pending.length
    while (at > 0 && this.#pending[at - 1]!.dueMs > timer.dueMs) at--
    this.#pending.splice(at, 0, timer)
  }

  #giveTurn(timer: PendingTimer): void {
    this.#turns.schedule(() => {
      if (!timer.isCancelled) timer.fire()
    })
  }
}
