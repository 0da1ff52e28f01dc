// R9: how long a partition is not written to when its leader's thread dies, in a fresh process each
// time, on the built package: to start a thread again from the sources takes Node.js several times as
// long, and all of that on the cores of those who take over.

import type { Measurement, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { plainJavaScript } from '../harness/plain-javascript.ts'
import { quantile } from '../harness/statistics.ts'
import type { FailoverOptions, FailoverRun } from './failover-run.ts'

const DEADLINE_MS = 120_000

export async function openFailover(options: Omit<FailoverOptions, 'deaths'>, context: OpenContext): Promise<Running> {
  const plain = plainJavaScript(['harness', 'failover', 'start'])
  return {
    /** `deaths` is how many leaders' threads are ended. */
    async run(deaths: number): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const child = runChild(plain.url('failover/failover-run.js'), {
        args: [JSON.stringify({ ...options, deaths } satisfies FailoverOptions)],
        signal: context.signal,
        timeoutMs: DEADLINE_MS,
      })
      const { arrival, failoverMs, usualMs, restartMs, loadRecords } = await child.json<FailoverRun>()
      await child.ended()
      if (failoverMs.length < deaths) throw new Error(`no result: ${failoverMs.length} partitions changed leader, of ${deaths} deaths`)
      if (options.underLoad && loadRecords === 0) throw new Error('no result: the load did not move')
      return {
        arrival,
        bytes: arrival.records * options.valueBytes,
        seconds: monotonicSeconds() - startSeconds,
        values: {
          p50: quantile(failoverMs, 0.5),
          p99: quantile(failoverMs, 0.99),
          max: quantile(failoverMs, 1),
          usualP99: quantile(usualMs, 0.99),
        },
        detail: { failoverMs, restartMs, loadRecords },
      }
    },
    close: async () => plain.remove(),
  }
}
