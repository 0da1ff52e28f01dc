// Worker: another of the user's threads, that offers to a topic of its own as fast as it can.

import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import { patternValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import type { FailoverProducerData } from './failover-producer.ts'

const BURST_RECORDS = 300

const data = workerData as FailoverProducerData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const producer = millrace.producer()
const value = patternValue(data.valueBytes)
let offered = 0
let stopped = false
let work: Promise<void> | undefined

async function load(): Promise<void> {
  while (!stopped) {
    for (const burst = offered + BURST_RECORDS; offered < burst; offered++) {
      while (!producer.offer(topic, null, value)) await producer.drained()
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await producer.flush()
}

serve({
  ready: () => true,
  start: (): void => {
    work = load()
    work.catch(() => {})
  },
  stop: async (): Promise<number> => {
    stopped = true
    await work
    return offered
  },
  close: () => millrace.close(),
})
