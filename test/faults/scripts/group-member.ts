// A member of a group whose user forgets to close: one loop is left, one waits for a record that
// comes by and by, and of one a record stays in hand.

import { openMillrace, string } from '../../../src/index.ts'

const millrace = await openMillrace()
const topic = await millrace.topic('letters', { partitions: 2, value: string() })
const producer = millrace.producer()
await producer.send(topic, { value: 'a' })
for await (const { value } of millrace.consumer({ groupId: 'left' }).records(topic)) {
  console.log(value, 'and left')
  break
}
const waiting = millrace.consumer({
  groupId: 'waiting',
  autoOffsetReset: 'latest',
  onAssigned: () => {
    setTimeout(() => void producer.send(topic, { value: 'b' }), 50).unref()
  },
})
for await (const { value } of waiting.records(topic)) {
  console.log(value, 'was waited for')
  break
}
const records = millrace.consumer({ groupId: 'in hand' }).records(topic)
await records.next()
console.log('one in hand')
