// The same, and nobody catches it: the process ends with the error, not in a wait.

import { openMillrace, string } from '../../../src/index.ts'

const millrace = await openMillrace({ brokers: 2 })
const topic = await millrace.topic('t', { value: string() })
await millrace.producer().send(topic, { value: 'a' })
for await (const record of millrace.consumer().records(topic)) throw new Error(`cannot use ${record.value}`)
