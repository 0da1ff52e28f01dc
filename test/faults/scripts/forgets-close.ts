// Opens, reads and writes, and closes nothing: brokers keep no process alive.

import { openMillrace, string } from '../../../src/index.ts'

const millrace = await openMillrace({ brokers: 2 })
const topic = await millrace.topic('t', { value: string(), partitions: 2 })
const producer = millrace.producer()
await producer.send(topic, { value: 'one' })
for await (const record of millrace.consumer().records(topic, { until: 'end' })) console.log(record.value)
