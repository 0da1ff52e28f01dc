// Worker: one of the user's own threads, attached by handle, with one member of a group. It notes
// since when it has handed out batches of each partition that it has now.

import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { serve } from '../harness/thread-server.ts'

export interface GroupMemberData {
  readonly handle: MillraceHandle
  readonly topic: string
}

const data = workerData as GroupMemberData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const sinceSeconds = new Map<number, number>()
const forget = (partitions: Iterable<{ readonly partition: number }>): void => {
  for (const { partition } of partitions) sinceSeconds.delete(partition)
}
const consumer = millrace.consumer({ groupId: 'bench', onRevoked: forget, onLost: forget })

async function read(): Promise<void> {
  for await (const batch of consumer.batches(topic)) {
    if (!sinceSeconds.has(batch.partition)) sinceSeconds.set(batch.partition, monotonicSeconds())
  }
}

const reading = read()
reading.catch(() => {})

serve({
  ready: () => true,
  owned: (): [number, number][] => [...sinceSeconds],
  close: () => millrace.close(),
})
