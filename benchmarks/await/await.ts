// S9: how many records a second a caller gets through that awaits every call.

import { bytes, openMillrace } from '../../src/index.ts'
import type { MillraceOptions } from '../../src/index.ts'
import { BenchThread, readyThreads } from '../harness/bench-thread.ts'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import type { Awaited, AwaitThreadData } from './await-thread.ts'

export interface AwaitOptions {
  readonly valueBytes: number
  readonly recordsPerCall: number
  readonly millrace: MillraceOptions
}

export async function openAwait({ valueBytes, recordsPerCall, millrace: options }: AwaitOptions): Promise<Running> {
  const millrace = await openMillrace(options)
  const topic = 'awaited'
  await millrace.topic(topic, { partitions: 1, value: bytes() })
  const workerData: AwaitThreadData = { handle: millrace.handle, topic, valueBytes, recordsPerCall }
  const thread = new BenchThread('awaiting', new URL('./await-thread.ts', import.meta.url), { workerData })
  const close = await readyThreads(millrace, [thread])
  return {
    async run(records: number): Promise<Measurement> {
      const { seconds, ...arrived } = await thread.ask<Awaited>('run', { records })
      const arrival = { ...arrived, expectedRecords: records, expectedChecksum: expectedChecksum(records) }
      const callUs = (seconds * 1e6) / Math.ceil(records / recordsPerCall)
      return throughput(arrival, records * valueBytes, seconds, { values: { callUs } })
    },
    close,
  }
}
