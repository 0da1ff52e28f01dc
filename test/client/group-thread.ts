// A member of a group on a thread of its own: tells what it is assigned and what it reads.

import { parentPort, workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import type { ConsumerOptions, MillraceHandle } from '../../src/index.ts'
import { GROUP_TOPIC } from './group-topic.ts'
import type { GroupMessage } from './group-topic.ts'

const { handle, options } = workerData as { handle: MillraceHandle; options: ConsumerOptions }
const say = (message: GroupMessage): void => parentPort!.postMessage(message)

const millrace = await attachMillrace(handle)
const topic = await millrace.topic(GROUP_TOPIC)
const consumer = millrace.consumer({
  ...options,
  onAssigned: (partitions) => say({ assigned: partitions.map(({ partition }) => partition) }),
  onRevoked: (partitions) => say({ revoked: partitions.map(({ partition }) => partition) }),
  onLost: (partitions) => say({ lost: partitions.map(({ partition }) => partition) }),
})
parentPort!.once('message', () => void consumer.close())
for await (const batch of consumer.batches(topic)) {
  for (const { partition, offset, value } of batch) say({ partition, offset, value })
}
await millrace.close()
say('closed')
