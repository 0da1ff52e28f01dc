// A member of the group, on a thread of its own. It reads what the group assigns to it, takes
// down which lines it has read, and tells main of its batches and of partitions that come and go.

import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { MillraceHandle, NamedPartition } from '../../src/index.ts' // in your code: from 'millrace'
import { attachMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { PARTITIONS } from '../user-activity/cluster.ts'
import { userActivity } from '../user-activity/topics.ts'
import { COMMIT_MS, GIVE_UP_MS, GROUP_ID, nowMs } from './group.ts'
import { ReadTally } from './read-tally.ts'

export interface MemberData {
  readonly handle: MillraceHandle
  readonly tally: SharedArrayBuffer
  /** Makes it a static member. */
  readonly groupInstanceId: string | undefined
}

/** What main is told; times are those of `nowMs`. */
export type FromMember =
  | { readonly kind: 'assigned' | 'revoked' | 'lost'; readonly partitions: readonly number[]; readonly atMs: number }
  /** A batch was handed out. */
  | { readonly kind: 'batch'; readonly partition: number; readonly firstOffset: number; readonly nextOffset: number; readonly atMs: number }

const { handle, tally, groupInstanceId } = workerData as MemberData
const port = parentPort!
const reads = new ReadTally(tally, PARTITIONS)
const millrace = await attachMillrace(handle)
const topic = await millrace.topic(userActivity)

const consumer = millrace.consumer({
  groupId: GROUP_ID,
  autoCommitIntervalMs: COMMIT_MS,
  ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
  onAssigned: (partitions) => tell({ kind: 'assigned', partitions: numbersOf(partitions), atMs: nowMs() }),
  onRevoked: async (partitions) => {
    tell({ kind: 'revoked', partitions: numbersOf(partitions), atMs: nowMs() })
    await pause(GIVE_UP_MS) // here you would write down what you know of them
  },
  onLost: (partitions) => tell({ kind: 'lost', partitions: numbersOf(partitions), atMs: nowMs() }),
})
port.once('message', () => void consumer.close()) // ends the loop below, and leaves the group

for await (const batch of consumer.batches(topic)) {
  const { partition, firstOffset, nextOffset } = batch
  tell({ kind: 'batch', partition, firstOffset, nextOffset, atMs: nowMs() }) // first, so that main knows what it had in its hands
  for (const record of batch) reads.add(partition, record.offset)
}
await millrace.close()
port.close()

function tell(message: FromMember): void {
  port.postMessage(message)
}

function numbersOf(partitions: readonly NamedPartition[]): number[] {
  return partitions.map(({ partition }) => partition)
}
