// C5: what a process costs that has topics and waiting consumers and nothing to do. Beside it a
// bare process, and one that polls, which the measurement must show.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Measurement, Metric, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { usageOf } from '../harness/thread-usage.ts'

export const IDLE_METRICS = {
  cpuPercent: { title: 'CPU of one core', unit: '%', better: 'lower' },
  sleepsPerSecond: { title: 'wakes of all threads (voluntary context switches)', unit: 'a second', better: 'lower' },
} as const satisfies Record<string, Metric>

const SETTLE_MS = 1_500
const SMALL_SETTLE_MS = 200

/** `records` is the time watched, in milliseconds: nothing is moved here. */
export async function openIdle(script: URL, context: OpenContext): Promise<Running> {
  const child = runChild(script, { signal: context.signal, timeoutMs: 120_000 })
  try {
    await child.json<{ ready: true }>()
    await sleep(context.small ? SMALL_SETTLE_MS : SETTLE_MS, undefined, { signal: context.signal })
  } catch (error) {
    child.kill()
    throw error
  }
  return {
    async run(watchMs: number): Promise<Measurement> {
      const before = usageOf(child.pid)
      const startSeconds = monotonicSeconds()
      await sleep(watchMs, undefined, { signal: context.signal })
      const after = usageOf(child.pid)
      const seconds = monotonicSeconds() - startSeconds
      return {
        arrival: null,
        bytes: 0,
        seconds,
        values: {
          cpuPercent: ((after.cpuNs - before.cpuNs) / 1e9 / seconds) * 100,
          sleepsPerSecond: (after.sleeps - before.sleeps) / seconds,
        },
        detail: { threads: after.threads },
      }
    },
    async close(): Promise<void> {
      child.finish()
      try {
        await Promise.race([
          child.ended(),
          sleep(10_000, undefined, { ref: false }).then(() => {
            throw new Error('the process did not end by itself within 10 s')
          }),
        ])
      } finally {
        child.kill()
      }
    },
  }
}
