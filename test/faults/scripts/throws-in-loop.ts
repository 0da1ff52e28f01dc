// A callback that throws in the middle of a loop: the iterator is cleaned up, the consumer
// can be used again, and the process ends by itself.

import { openMillrace, string } from '../../../src/index.ts'

const millrace = await openMillrace()
const topic = await millrace.topic('t', { value: string() })
await millrace.producer().sendAll(
  topic,
  ['a', 'b', 'c'].map((value) => ({ value })),
)
const consumer = millrace.consumer()
for (const loop of [() => consumer.records(topic), () => consumer.batches(topic)]) {
  try {
    for await (const _ of loop()) throw new Error('the user’s own')
  } catch (error) {
    console.log((error as Error).message)
  }
  consumer.seek(topic, 0, 0)
}
for await (const record of consumer.records(topic)) {
  console.log(record.value)
  if (record.value === 'c') break
}
