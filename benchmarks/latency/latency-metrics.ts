// The figures of S13, apart from what measures them: listing the cases loads no library.

import type { Measurement, Metric } from '../harness/bench-case.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import type { Latencies } from './latency-tally.ts'

export const LATENCY_METRICS = {
  p50: { title: 'p50', unit: 'µs', better: 'lower' },
  p99: { title: 'p99', unit: 'µs', better: 'lower' },
  p999: { title: 'p99.9', unit: 'µs', better: 'lower' },
  max: { title: 'max', unit: 'µs', better: 'lower' },
} as const satisfies Record<string, Metric>

export const TIMER_METRICS = {
  timerP99: { title: 'timer late, p99', unit: 'ms', better: 'lower' },
  timerWorst: { title: 'timer late, worst', unit: 'ms', better: 'lower' },
  recordsPerSecond: { title: 'records meanwhile', unit: 'records/s', better: 'higher' },
} as const satisfies Record<string, Metric>

export function latencyMeasurement(latencies: Latencies, records: number, valueBytes: number, seconds: number): Measurement {
  return {
    arrival: {
      records: latencies.records,
      checksum: latencies.checksum,
      expectedRecords: records,
      expectedChecksum: expectedChecksum(records),
    },
    bytes: records * valueBytes,
    seconds,
    values: {
      p50: latencies.p50Ns / 1_000,
      p99: latencies.p99Ns / 1_000,
      p999: latencies.p999Ns / 1_000,
      max: latencies.maxNs / 1_000,
    },
  }
}
