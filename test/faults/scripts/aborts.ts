// Everything that waits is aborted, and nothing is closed: no wait, timer or bell of it
// keeps the process alive.

import { openMillrace } from '../../../src/index.ts'

const millrace = await openMillrace()
const topic = await millrace.topic('t')
const producer = millrace.producer({ bufferMemory: 70_000 })
const controller = new AbortController()
const { signal } = controller
const calls: Promise<unknown>[] = []
while (producer.offer(topic, null, 'x'.repeat(10_000))) continue
calls.push(producer.drained({ signal }), producer.flush({ signal }))
const read = async (): Promise<void> => {
  for await (const _ of millrace.consumer().records(topic, { signal })) continue
}
calls.push(read(), read(), millrace.admin.listTopics({ signal }))
// In the same job: nothing of all this has been sent yet.
controller.abort()
for (const [i, result] of (await Promise.allSettled(calls)).entries()) {
  // A fast broker may have taken and acknowledged everything before the abort.
  if (i < 2 && result.status === 'fulfilled') console.log('over')
  else if (result.status === 'rejected') console.log(i < 2 ? 'over' : (result.reason as { code: string }).code)
}
