// The hello of the README.

import { openMillrace, string } from '../../../src/index.ts'

const millrace = await openMillrace()
const greetings = await millrace.topic('greetings', { value: string() })
await millrace.producer().send(greetings, { value: 'hello' })
for await (const record of millrace.consumer().records(greetings, { until: 'end' })) console.log(record.value)
await millrace.close()
