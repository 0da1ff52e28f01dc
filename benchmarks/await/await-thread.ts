// Worker: one of the user's own threads that awaits the acknowledgement of every call, of `send`
// or of `sendAll`, with default settings. What it sent it reads afterwards, outside the time.

import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { patternValue, stampValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { WALKS } from '../road/reading.ts'

export interface AwaitThreadData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly valueBytes: number
  /** 1: `send`; more: `sendAll` of so many. */
  readonly recordsPerCall: number
}

export interface Awaited {
  readonly records: number
  readonly checksum: number
  readonly seconds: number
}

const { handle, topic: name, valueBytes, recordsPerCall } = workerData as AwaitThreadData
const millrace = await attachMillrace(handle)
const topic = await millrace.topic(name, { value: bytes() })
const producer = millrace.producer()
const consumer = millrace.consumer()
const batch = Array.from({ length: recordsPerCall }, () => ({ value: patternValue(valueBytes) }))

async function sendEach(records: number): Promise<void> {
  const [record] = batch
  for (let i = 0; i < records; i++) {
    stampValue(record!.value, i)
    await producer.send(topic, record!)
  }
}

async function sendBatches(records: number): Promise<void> {
  for (let i = 0; i < records; i += recordsPerCall) {
    const count = Math.min(recordsPerCall, records - i)
    for (let n = 0; n < count; n++) stampValue(batch[n]!.value, i + n)
    const acked = await producer.sendAll(topic, count === recordsPerCall ? batch : batch.slice(0, count))
    if (acked.length !== count) throw new Error(`${acked.length} of ${count} records were acknowledged`)
  }
}

async function run({ records }: { records: number }): Promise<Awaited> {
  const startSeconds = monotonicSeconds()
  if (recordsPerCall === 1) await sendEach(records)
  else await sendBatches(records)
  const seconds = monotonicSeconds() - startSeconds
  const tally = { records: 0, checksum: 0 }
  for await (const read of consumer.batches(topic, { until: 'end' })) WALKS.cursor(read, tally)
  return { ...tally, seconds }
}

serve({ ready: () => true, run, close: () => millrace.close() })
