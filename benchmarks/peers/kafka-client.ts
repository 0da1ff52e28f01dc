// Peer: @platformatic/kafka, the fastest pure client for Node.js, to a running Kafka. It sends
// 1,000 records at a time, each send awaited, and then consumes them; or one at a time.

import { BenchThread } from '../harness/bench-thread.ts'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, OpenContext, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import { latencyMeasurement } from '../latency/latency-metrics.ts'
import type { Latencies } from '../latency/latency-tally.ts'
import type { KafkaThreadData, Moved } from './kafka-thread.ts'

let topics = 0

/** A name that no other run has taken. */
export function freshTopic(): string {
  return `millrace-bench-${process.pid}-${Date.now().toString(36)}-${topics++}`
}

async function openThread(context: OpenContext, valueBytes: number): Promise<BenchThread> {
  const workerData: KafkaThreadData = { address: context.kafka!, topic: freshTopic(), valueBytes }
  const thread = new BenchThread(`kafka-${workerData.topic}`, new URL('./kafka-thread.ts', import.meta.url), { workerData })
  try {
    await thread.ask('ready', null, { timeoutMs: 30_000 })
  } catch (error) {
    await thread.close()
    throw error
  }
  return thread
}

async function closeThread(thread: BenchThread): Promise<void> {
  try {
    await thread.ask('close', null, { timeoutMs: 10_000 })
  } finally {
    await thread.close()
  }
}

export interface KafkaClientOptions {
  readonly valueBytes: number
  readonly recordsPerSend: number
}

export async function openKafkaClient({ valueBytes, recordsPerSend }: KafkaClientOptions, context: OpenContext): Promise<Running> {
  const thread = await openThread(context, valueBytes)
  return {
    async run(records: number): Promise<Measurement> {
      const { seconds } = await thread.ask<{ seconds: number }>('produce', { records, recordsPerSend })
      const consumed = await thread.ask<Moved>('consume', { records })
      const arrival = {
        records: consumed.records,
        checksum: consumed.checksum,
        expectedRecords: records,
        expectedChecksum: expectedChecksum(records),
      }
      return throughput(arrival, records * valueBytes, seconds, { values: { consumedPerSecond: records / consumed.seconds } })
    },
    close: () => closeThread(thread),
  }
}

export async function openKafkaLatency(valueBytes: number, recordsPerSecond: number, context: OpenContext): Promise<Running> {
  const thread = await openThread(context, valueBytes)
  return {
    async run(records: number): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const latencies = await thread.ask<Latencies>('latency', { records, recordsPerSecond })
      return latencyMeasurement(latencies, records, valueBytes, monotonicSeconds() - startSeconds)
    },
    close: () => closeThread(thread),
  }
}
