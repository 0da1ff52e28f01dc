// A worker thread of yours produces; this thread consumes. The records do not pass
// through a message port: both threads reach the log in shared memory themselves.
//
//   node examples/any-thread/main.ts

import { Worker } from 'node:worker_threads'
import { openMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { READINGS, readings } from './readings.ts'

const millrace = await openMillrace()
const topic = await millrace.topic(readings)

// The handle can be cloned into any thread, any number of times.
new Worker(new URL('./sensor-thread.ts', import.meta.url), { workerData: { handle: millrace.handle } })

let count = 0
let sum = 0
for await (const record of millrace.consumer().records(topic)) {
  sum += record.value
  if (++count === READINGS) break
}
console.log(`${count} readings, ${sum / count} on average`)
await millrace.close()

// Output:
// 1000000 readings, 49.5 on average
