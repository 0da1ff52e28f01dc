// C7: how long close() takes under load, in a fresh process each time, and that it ends by itself.

import type { Measurement, Metric, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import type { Closed, CloseOptions } from './close-under-load.ts'

export const CLOSE_METRICS = {
  closeMs: { title: 'close()', unit: 'ms', better: 'lower' },
  exitMs: { title: 'then until the process has ended by itself', unit: 'ms', better: 'lower' },
  taken: { title: 'records taken before', unit: '', better: 'higher' },
} as const satisfies Record<string, Metric>

export async function openClose(options: Omit<CloseOptions, 'loadMs'>, context: OpenContext): Promise<Running> {
  return {
    /** `loadMs` is how long records move before it is closed. */
    async run(loadMs: number): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const child = runChild(new URL('./close-under-load.ts', import.meta.url), {
        args: [JSON.stringify({ ...options, loadMs } satisfies CloseOptions)],
        signal: context.signal,
        timeoutMs: 60_000,
      })
      const { arrival, closeMs, taken, acknowledged, code } = await child.json<Closed>()
      const saidSeconds = monotonicSeconds()
      await child.ended()
      const endSeconds = monotonicSeconds()
      if (taken === 0 || (options.closer === 'opener' && acknowledged === 0)) throw new Error('no result: nothing moved when it was closed')
      return {
        arrival,
        bytes: arrival.records * options.valueBytes,
        seconds: endSeconds - startSeconds,
        values: { closeMs, exitMs: (endSeconds - saidSeconds) * 1_000, taken },
        detail: { acknowledged, code },
      }
    },
    close: async () => {},
  }
}
