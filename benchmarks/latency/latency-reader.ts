// Worker: reads what latency-producer offers and keeps a histogram of how long each record
// took from `offer` to the moment its value was looked at here.

import { createHistogram } from 'node:perf_hooks'
import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { serve } from '../harness/thread-server.ts'

export interface LatencyReaderData {
  readonly handle: MillraceHandle
  readonly topic: string
}

export interface Latencies {
  readonly records: number
  readonly checksum: number
  readonly p50Ns: number
  readonly p99Ns: number
  readonly p999Ns: number
  readonly maxNs: number
}

const STAMP_AT = 8

const data = workerData as LatencyReaderData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const consumer = millrace.consumer()
const histogram = createHistogram({ lowest: 1, highest: 10_000_000_000, figures: 3 })

let expected = 0
let records = 0
let checksum = 0
let result: PromiseWithResolvers<Latencies> | undefined

async function read(): Promise<void> {
  for await (const batch of consumer.batches(topic)) {
    const cursor = batch.cursor()
    while (cursor.next()) {
      const now = process.hrtime.bigint()
      const { bytes: memory, valueStart, valueEnd } = cursor
      const sent = new DataView(memory.buffer, memory.byteOffset + valueStart + STAMP_AT, 8).getBigInt64(0)
      histogram.record(Math.max(1, Number(now - sent)))
      checksum += memory[valueStart]! + memory[valueEnd - 1]!
      records++
    }
    if (result === undefined || records < expected) continue
    result.resolve({
      records,
      checksum,
      p50Ns: histogram.percentile(50),
      p99Ns: histogram.percentile(99),
      p999Ns: histogram.percentile(99.9),
      maxNs: histogram.max,
    })
    result = undefined
  }
}

const reading = read()
let answer: Promise<Latencies> | undefined

serve({
  ready: () => true,
  expect: ({ records: count }: { records: number }): void => {
    expected = count
    records = 0
    checksum = 0
    histogram.reset()
    result = Promise.withResolvers<Latencies>()
    answer = Promise.race([
      result.promise,
      reading.then(() => {
        throw new Error('the reader ended before its last record')
      }),
    ])
    answer.catch(() => {})
  },
  result: () => answer,
  close: async () => {
    await millrace.close()
    await reading.catch(() => {})
  },
})
