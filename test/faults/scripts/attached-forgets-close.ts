// A worker attaches, sends, reads and closes nothing: it ends by itself, and so does the process.

import { once } from 'node:events'
import { Worker, isMainThread, workerData } from 'node:worker_threads'
import { attachMillrace, openMillrace, string } from '../../../src/index.ts'
import type { MillraceHandle } from '../../../src/index.ts'

if (isMainThread) {
  const millrace = await openMillrace()
  const worker = new Worker(new URL(import.meta.url), { workerData: { handle: millrace.handle } })
  const [exitCode] = (await once(worker, 'exit')) as [number]
  const topic = await millrace.topic('t', { value: string() })
  for await (const record of millrace.consumer().records(topic, { until: 'end' })) console.log(record.value)
  console.log(`worker ended with ${exitCode}`)
} else {
  const millrace = await attachMillrace((workerData as { handle: MillraceHandle }).handle)
  const topic = await millrace.topic('t', { value: string() })
  await millrace.producer().send(topic, { value: 'from the worker' })
  millrace.producer().offer(topic, null, 'and forgotten')
}
