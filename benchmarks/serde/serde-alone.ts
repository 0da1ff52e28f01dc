// S7's bar: encoding and decoding alone, on one thread, in turns with the road.

import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { BenchThread } from '../harness/bench-thread.ts'
import { EVENT_BYTES } from './event-format.ts'
import { expectedEventSum } from './events.ts'
import type { Coded, SerdeData } from './serde-thread.ts'

export async function openSerdeAlone(workerData: SerdeData): Promise<Running> {
  const thread = new BenchThread(`${workerData.format}-${workerData.by}`, new URL('./serde-thread.ts', import.meta.url), { workerData })
  return {
    async run(records: number): Promise<Measurement> {
      const { seconds, ...arrived } = await thread.ask<Coded>('run', { records })
      const arrival = { ...arrived, expectedRecords: records, expectedChecksum: expectedEventSum(records) }
      return throughput(arrival, records * EVENT_BYTES[workerData.format], seconds)
    },
    close: () => thread.close(),
  }
}
