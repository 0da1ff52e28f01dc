// Waiting that always ends. Runs on the user's thread.

import type { Clock } from '../clock.ts'

/** Resolves when the promise does, or after `timeoutMs`; rejects as it does. The process stays alive meanwhile. */
export async function withinTime(clock: Clock, promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = clock.setTimer(timeoutMs, resolve, { ref: true })
  try {
    await Promise.race([promise, late])
  } finally {
    timer.cancel()
  }
}
