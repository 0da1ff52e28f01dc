// Worker: offers records at a fixed rate. Each value carries the instant of its own `offer`, so
// a late tick of the timer that sets the pace is not counted as latency of the road, and a
// record that is offered late is still measured from when it was offered (latency-tally.ts).

import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { patternValue, stampValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { atRate } from './at-rate.ts'
import { STAMP_AT } from './latency-tally.ts'

export interface LatencyProducerData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly valueBytes: number
}

const data = workerData as LatencyProducerData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const producer = millrace.producer()
const value = patternValue(data.valueBytes)
const view = new DataView(value.buffer)

async function offerOnceDrained(): Promise<void> {
  do await producer.drained()
  while (!producer.offer(topic, null, value))
}

async function run({ records, recordsPerSecond }: { records: number; recordsPerSecond: number }): Promise<void> {
  await atRate(records, recordsPerSecond, (i) => {
    stampValue(value, i)
    view.setBigInt64(STAMP_AT, process.hrtime.bigint())
    return producer.offer(topic, null, value) ? undefined : offerOnceDrained()
  })
  await producer.flush()
}

serve({ ready: () => true, run, close: () => millrace.close() })
