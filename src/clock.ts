// Time as a parameter. Nothing below the shells reads the clock itself: it is
// handed a Clock, so that tests and the simulator can move time by hand.

/** A timer that was set; `cancel` may be called any number of times. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch: record timestamps only. */
  nowMs(): number
  /** Milliseconds that never go back, with a fraction, the same on every thread: deadlines, rests. */
  monotonicMs(): number
  /** Calls `callback` once after `delayMs`. `ref: true` keeps the process alive until then. */
  setTimer(delayMs: number, callback: () => void, options?: { ref?: boolean }): Timer
}

// performance.now() counts from the start of each thread; deadlines travel between
// threads, so every thread adds its own start and all read the same time.
const THREAD_START_MS = threadStartMs()

// A longer timeout of Node.js fires at once; Kafka's "for ever" is 2^63 - 1.
const TIMEOUT_MAX_MS = 2 ** 31 - 1

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => THREAD_START_MS + performance.now(),
  setTimer(delayMs, callback, options) {
    let timeout: NodeJS.Timeout | undefined
    const arm = (remainingMs: number): void => {
      const last = remainingMs <= TIMEOUT_MAX_MS
      timeout = setTimeout(last ? callback : () => arm(remainingMs - TIMEOUT_MAX_MS), last ? remainingMs : TIMEOUT_MAX_MS)
      if (options?.ref !== true) timeout.unref()
    }
    arm(delayMs)
    return { cancel: () => clearTimeout(timeout) }
  },
}

// The first readings of a thread take up to a millisecond; the closest pair of some counts.
function threadStartMs(): number {
  let startMs = 0
  let closestMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < 8; i++) {
    const before = performance.now()
    const nowMs = Number(process.hrtime.bigint()) / 1e6
    const after = performance.now()
    if (after - before >= closestMs) continue
    closestMs = after - before
    startMs = nowMs - (before + after) / 2
  }
  return startMs
}

/** A clock that moves only when told to, for tests. */
export class VirtualClock implements Clock {
  #nowMs: number
  readonly #startMs: number
  #sequence = 0
  readonly #timers: { dueMs: number; sequence: number; callback: () => void }[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
    this.#startMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback }
    this.#timers.push(timer)
    return {
      cancel: () => {
        const at = this.#timers.indexOf(timer)
        if (at >= 0) this.#timers.splice(at, 1)
      },
    }
  }

  /** Timers that have not fired yet. */
  get pending(): number {
    return this.#timers.length
  }

  /** Moves time on by `ms`, firing what falls due in order of time, then of setting. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      let next = -1
      for (let i = 0; i < this.#timers.length; i++) {
        const timer = this.#timers[i]!
        if (timer.dueMs > untilMs) continue
        const best = this.#timers[next]
        if (best === undefined || timer.dueMs < best.dueMs || (timer.dueMs === best.dueMs && timer.sequence < best.sequence)) next = i
      }
      if (next < 0) break
      const [timer] = this.#timers.splice(next, 1)
      this.#nowMs = Math.max(this.#nowMs, timer!.dueMs)
      timer!.callback()
    }
    this.#nowMs = untilMs
  }
}
