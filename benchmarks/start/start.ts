// C1: a fresh process each time, on the sources and, where they are built, on the built files.

import { existsSync } from 'node:fs'
import type { Measurement, Metric, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import type { StartTimes } from './first-record.ts'

export const START_METRICS = {
  importMs: { title: 'import alone', unit: 'ms', better: 'lower' },
  openMs: { title: 'openMillrace, three brokers', unit: 'ms', better: 'lower' },
  firstRecordMs: { title: 'openMillrace → first record consumed', unit: 'ms', better: 'lower' },
  closeMs: { title: 'close', unit: 'ms', better: 'lower' },
  processMs: { title: 'the whole process', unit: 'ms', better: 'lower' },
} as const satisfies Record<string, Metric>

export const SOURCES = new URL('../../src/index.ts', import.meta.url)
export const BUILT = new URL('../../dist/index.js', import.meta.url)

export function notBuilt(): string | undefined {
  return existsSync(BUILT) ? undefined : 'there is no dist/: build the package first'
}

export async function openStart(module: URL, context: OpenContext): Promise<Running> {
  const script = new URL('./first-record.ts', import.meta.url)
  return {
    async run(): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const child = runChild(script, { args: [module.href], signal: context.signal, timeoutMs: 30_000 })
      const times = await child.json<StartTimes>()
      await child.ended()
      const seconds = monotonicSeconds() - startSeconds
      const arrived = times.value === 'hello' ? 1 : 0
      const { importMs, openMs, firstRecordMs, closeMs } = times
      return {
        arrival: { records: arrived, checksum: 0, expectedRecords: 1, expectedChecksum: 0 },
        bytes: times.value.length,
        seconds,
        values: { importMs, openMs, firstRecordMs, closeMs, processMs: seconds * 1_000 },
      }
    },
    close: async () => {},
  }
}
