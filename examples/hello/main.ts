// The smallest millrace there is: one topic, one record, read back.
//
//   node examples/hello/main.ts

import { openMillrace, string } from '../../src/index.ts' // in your code: from 'millrace'

const millrace = await openMillrace()
const greetings = await millrace.topic('greetings', { value: string() })
await millrace.producer().send(greetings, { value: 'hello' })
for await (const record of millrace.consumer().records(greetings, { until: 'end' })) console.log(record.value)
await millrace.close()

// Output:
// hello
