// The worker: attaches to the millrace that main opened, and offers its readings.

import { workerData } from 'node:worker_threads'
import type { MillraceHandle } from '../../src/index.ts' // in your code: from 'millrace'
import { attachMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { READINGS, readings } from './readings.ts'

const millrace = await attachMillrace((workerData as { handle: MillraceHandle }).handle)
const topic = await millrace.topic(readings)
const producer = millrace.producer()
for (let at = 0; at < READINGS; at++) {
  while (!producer.offer(topic, null, at % 100)) await producer.drained() // false: no room now, offer it again
}
await producer.flush()
await millrace.close()
