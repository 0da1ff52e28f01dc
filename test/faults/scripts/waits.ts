// A consumer that waits keeps the process alive until it is closed. No timer does: the one
// here is unref'd.

import { openMillrace } from '../../../src/index.ts'

const millrace = await openMillrace()
const topic = await millrace.topic('t')
const consumer = millrace.consumer()
setTimeout(() => {
  console.log('closing')
  void consumer.close()
}, 300).unref()
for await (const record of consumer.records(topic)) console.log(record)
console.log('the loop has ended')
