// How a test waits: in real time, or in virtual time that its waiting moves.

import { systemClock } from '../clock.ts'
import type { TimeDriver } from './time-driver.ts'
import { MillraceError } from '../errors.ts'

export interface TestTime {
  /** Milliseconds that never go back. */
  readonly nowMs: number
  /** Waits for a promise, until `untilMs` at the most. Rejects with REQUEST_TIMED_OUT, and as the promise does. */
  settled<T>(promise: Promise<T>, untilMs: number, what: string): Promise<T>
  /** Waits for something to happen, or a moment, not beyond `untilMs`. */
  step(untilMs: number): Promise<void>
}

/** Between two looks in real time. */
const LOOK_EVERY_MS = 5

export const REAL_TIME: TestTime = {
  get nowMs() {
    return systemClock.monotonicMs()
  },
  async settled(promise, untilMs, what) {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const leftMs = Math.max(0, untilMs - systemClock.monotonicMs())
    const timer = systemClock.setTimer(leftMs, () => reject(timedOut(what)), { ref: true })
    try {
      return await Promise.race([promise, late])
    } finally {
      timer.cancel()
    }
  },
  step: () => new Promise((resolve) => void systemClock.setTimer(LOOK_EVERY_MS, resolve, { ref: true })),
}

export function virtualTestTime(driver: TimeDriver): TestTime {
  return {
    get nowMs() {
      return driver.nowMs
    },
    async settled(promise, untilMs, what) {
      let isSettled = false
      const done = (): void => void (isSettled = true)
      promise.then(done, done)
      if (!(await driver.pass(untilMs, () => isSettled))) throw timedOut(what)
      return promise
    },
    async step(untilMs) {
      const { fired } = driver
      await driver.pass(untilMs, () => driver.fired > fired)
    },
  }
}

/** What a test waited for in vain: asking again would not help it. */
export function timedOut(what: string): MillraceError {
  return new MillraceError('REQUEST_TIMED_OUT', what, { retriable: false })
}
