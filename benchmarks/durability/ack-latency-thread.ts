// Worker: one of the user's own threads that sends records at a fixed rate, waits for no earlier one, and keeps a histogram
// of how long each took to be acknowledged. What it sent it reads afterwards, outside the time.

import { createHistogram } from 'node:perf_hooks'
import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { patternValue, stampValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { atRate } from '../latency/at-rate.ts'
import { latenciesOf } from '../latency/latency-tally.ts'
import type { Latencies } from '../latency/latency-tally.ts'
import { WALKS } from '../road/reading.ts'

export interface AckThreadData {
  readonly handle: MillraceHandle
  /** Nobody else writes to it: the offsets of acknowledgements follow each other from 0. */
  readonly topic: string
  readonly valueBytes: number
}

export interface Acked extends Latencies {
  readonly seconds: number
}

const data = workerData as AckThreadData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const producer = millrace.producer()
const consumer = millrace.consumer()
const pattern = patternValue(data.valueBytes)
const histogram = createHistogram({ lowest: 1, highest: 10_000_000_000, figures: 3 })
let nextOffset = 0

async function sendOne(i: number, expectedOffset: number): Promise<void> {
  const value = pattern.slice()
  stampValue(value, i)
  const startNs = process.hrtime.bigint()
  const { offset } = await producer.send(topic, { value })
  histogram.record(Math.max(1, Number(process.hrtime.bigint() - startNs)))
  if (offset !== expectedOffset) throw new Error(`no result: record ${i} was acknowledged at ${offset}, expected ${expectedOffset}`)
}

async function run({ records, recordsPerSecond }: { records: number; recordsPerSecond: number }): Promise<Acked> {
  histogram.reset()
  const acks: Promise<void>[] = []
  const startSeconds = monotonicSeconds()
  await atRate(records, recordsPerSecond, (i) => {
    const ack = sendOne(i, nextOffset++)
    // Told at the end, with all of them.
    ack.catch(() => {})
    acks.push(ack)
    return undefined
  })
  await Promise.all(acks)
  const seconds = monotonicSeconds() - startSeconds
  const tally = { records: 0, checksum: 0 }
  for await (const read of consumer.batches(topic, { until: 'end' })) WALKS.cursor(read, tally)
  return { ...latenciesOf(histogram, tally), seconds }
}

serve({ ready: () => true, run, close: () => millrace.close() })
