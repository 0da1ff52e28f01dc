// S13: how long a record takes from `offer` on one of the user's threads until a consumer on
// another has its value, at a rate that leaves every thread idle between two records.

import { bytes, openMillrace } from '../../src/index.ts'
import { BenchThread, readyThreads } from '../harness/bench-thread.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { latencyMeasurement } from './latency-metrics.ts'
import type { Latencies } from './latency-tally.ts'

export interface LatencyOptions {
  readonly valueBytes: number
  readonly recordsPerSecond: number
  readonly idleStrategy: 'park' | 'spin'
}

export async function openLatency({ valueBytes, recordsPerSecond, idleStrategy }: LatencyOptions): Promise<Running> {
  // The park strategy is the default: nothing is said then, so that default settings are measured.
  const millrace = await openMillrace(idleStrategy === 'park' ? {} : { idleStrategy })
  const topic = 'latency'
  await millrace.topic(topic, { partitions: 1, value: bytes() })
  const { handle } = millrace
  const producer = new BenchThread('latency-producer', new URL('./latency-producer.ts', import.meta.url), {
    workerData: { handle, topic, valueBytes },
  })
  const reader = new BenchThread('latency-reader', new URL('./latency-reader.ts', import.meta.url), { workerData: { handle, topic } })
  const close = await readyThreads(millrace, [producer, reader])
  return {
    async run(records: number): Promise<Measurement> {
      await reader.ask('expect', { records })
      const startSeconds = monotonicSeconds()
      const [latencies] = await Promise.all([reader.ask<Latencies>('result', null), producer.ask('run', { records, recordsPerSecond })])
      return latencyMeasurement(latencies, records, valueBytes, monotonicSeconds() - startSeconds)
    },
    close,
  }
}
