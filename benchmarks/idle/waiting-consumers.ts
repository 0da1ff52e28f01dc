// A process with topics and consumers that wait, and nothing to do. Started by idle.ts, which
// watches it from outside. Says that it is ready; ends when its standard input ends.

import { bytes, openMillrace } from '../../src/index.ts'

const TOPICS = 8
const PARTITIONS = 4

const millrace = await openMillrace({ brokers: 3 })
const producer = millrace.producer()
const waiting: Promise<void>[] = []
let seen = 0
for (let i = 0; i < TOPICS; i++) {
  const topic = await millrace.topic(`idle-${i}`, { partitions: PARTITIONS, value: bytes() })
  const consumer = millrace.consumer()
  waiting.push(
    (async () => {
      for await (const batch of consumer.batches(topic)) {
        const cursor = batch.cursor()
        while (cursor.next()) seen++
      }
    })(),
  )
  // One record each, so that lanes, logs and readers exist and have worked.
  await producer.send(topic, { value: new Uint8Array(100) })
}
while (seen < TOPICS) await new Promise((resolve) => setTimeout(resolve, 10))
process.stdout.write(`${JSON.stringify({ ready: true, seen })}\n`)
await new Promise((resolve) => process.stdin.once('end', resolve).resume())
await millrace.close()
await Promise.allSettled(waiting)
