// The only broker dies while records are on their way and nobody looks: it is started again,
// what was lost is told, and the process ends by itself.

import type { Worker } from 'node:worker_threads'
import { openMillrace, string } from '../../../src/index.ts'

const workers: Worker[] = []
process.on('worker', (worker) => workers.push(worker))
const millrace = await openMillrace({ logLevel: 'silent' })
const topic = await millrace.topic('t', { value: string() })
const producer = millrace.producer()
await producer.send(topic, { value: 'one' })
void workers[0]!.terminate()
for (;;) {
  const sent = await producer.send(topic, { value: 'again' }).catch((error: { code: string; retriable: boolean }) => {
    if (!error.retriable) throw error
  })
  if (sent !== undefined) break
}
for await (const record of millrace.consumer().records(topic, { until: 'end' })) if (record.offset === 0) console.log(record.value)
