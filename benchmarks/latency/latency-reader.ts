// Worker: reads what latency-producer offers and keeps a histogram of how long each record
// took from `offer` to the moment its value was looked at here.

import { createHistogram } from 'node:perf_hooks'
import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { serve } from '../harness/thread-server.ts'
import { latencyTally } from './latency-tally.ts'
import type { Latencies } from './latency-tally.ts'

export interface LatencyReaderData {
  readonly handle: MillraceHandle
  readonly topic: string
}

const data = workerData as LatencyReaderData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const consumer = millrace.consumer()
const tally = latencyTally(createHistogram({ lowest: 1, highest: 10_000_000_000, figures: 3 }))

let expected = 0
let result: PromiseWithResolvers<Latencies> | undefined

async function read(): Promise<void> {
  for await (const batch of consumer.batches(topic)) {
    const cursor = batch.cursor()
    while (cursor.next()) tally.add(cursor.bytes, cursor.valueStart, cursor.valueEnd)
    if (result === undefined || tally.records < expected) continue
    result.resolve(tally.result())
    result = undefined
  }
}

const reading = read()
let answer: Promise<Latencies> | undefined

serve({
  ready: () => true,
  expect: ({ records: count }: { records: number }): void => {
    expected = count
    tally.reset()
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
