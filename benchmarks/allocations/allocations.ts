// C4: bytes allocated on the JavaScript heap, a record, by the thread that offers, the broker's
// and the one that walks a cursor, in steady state. Two controls must show: a view a record in
// producer and reader, and a burst of known size in every thread.

import type { Measurement, Metric, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import type { RoadOptions } from '../road/road.ts'
import type { ProfiledRoad, ProfileOptions, Role } from './profiled-road.ts'

export const ALLOCATION_METRICS = {
  producerBytesPerRecord: { title: 'producer thread, a record', unit: 'bytes', better: 'lower' },
  brokerBytesPerRecord: { title: 'broker thread, a record', unit: 'bytes', better: 'lower' },
  readerBytesPerRecord: { title: 'reader thread, a record', unit: 'bytes', better: 'lower' },
  producerBytesPerBatch: { title: 'producer thread, a batch', unit: 'bytes', better: 'lower' },
  brokerBytesPerBatch: { title: 'broker thread, a batch', unit: 'bytes', better: 'lower' },
  readerBytesPerBatch: { title: 'reader thread, a batch', unit: 'bytes', better: 'lower' },
} as const satisfies Record<string, Metric>

export interface AllocationOptions {
  readonly road: RoadOptions
  readonly batchBytes: number
  readonly warmUps: number
  readonly burstBytes: number
}

/** A null key, no headers, deltas of one or two bytes: what a record adds to its value. */
const RECORD_OVERHEAD_BYTES = 9

export async function openAllocations(options: AllocationOptions, context: OpenContext): Promise<Running> {
  const { road, batchBytes, warmUps, burstBytes } = options
  return {
    async run(records: number): Promise<Measurement> {
      const profile: ProfileOptions = { road, warmUps, records, burstBytes }
      const startSeconds = monotonicSeconds()
      const child = runChild(new URL('./profiled-road.ts', import.meta.url), {
        args: [JSON.stringify(profile)],
        execArgv: ['--import', new URL('./heap-probe.ts', import.meta.url).href],
        signal: context.signal,
        timeoutMs: 120_000,
      })
      const result = await child.json<ProfiledRoad>()
      await child.ended()
      const batches = Math.max(1, records / Math.max(1, Math.floor(batchBytes / (road.valueBytes + RECORD_OVERHEAD_BYTES))))
      const bytesOf = (role: Role): number =>
        result.threads.filter((thread) => thread.role === role).reduce((sum, { bytes }) => sum + bytes, 0)
      const values: Record<string, number> = {}
      for (const role of ['producer', 'broker', 'reader'] as const) values[`${role}BytesPerRecord`] = bytesOf(role) / records
      for (const role of ['producer', 'broker', 'reader'] as const) values[`${role}BytesPerBatch`] = bytesOf(role) / batches
      return {
        arrival: {
          records: result.records,
          checksum: result.checksum,
          expectedRecords: result.expectedRecords,
          expectedChecksum: result.expectedChecksum,
        },
        bytes: records * road.valueBytes,
        seconds: monotonicSeconds() - startSeconds,
        values,
        detail: { threads: result.threads, batches },
      }
    },
    close: async () => {},
  }
}
