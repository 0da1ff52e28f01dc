// A consumer thread: records in, counts out.
//
// It attaches to the millrace that the main thread opened, and is a member of a group:
// the group says which partitions it reads. What it counts it gives to main with the
// offsets that it covers, and main says from where a partition is read that comes to
// it: so each record is counted once, whichever threads come and go. (The group's own
// commits, which may lag behind, would have some counted twice after a thread has died.)

import { parentPort, workerData } from 'node:worker_threads'
import { from, lastValueFrom, tap } from 'rxjs'
import type { NamedPartition } from '../../src/index.ts' // in your code: from 'millrace'
import { attachMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { activityShares } from './activity-view.ts'
import type { ConsumerData, FromConsumer, PartitionPosition, ToConsumer } from './messages.ts'
import { userActivity } from './topics.ts'

const port = parentPort!
const millrace = await attachMillrace((workerData as ConsumerData).handle)
const activity = await millrace.topic(userActivity)
let start: (positions: readonly PartitionPosition[]) => void = () => {}
let firstReadMs = 0
let lastReadMs = 0

const consumer = millrace.consumer({
  groupId: 'activity-view',
  onAssigned: async (partitions) => {
    const positions = new Promise<readonly PartitionPosition[]>((resolve) => {
      start = resolve
    })
    tell({ kind: 'assigned', partitions: numbersOf(partitions) })
    for (const { partition, position } of await positions) consumer.seek(activity, partition, position)
  },
  onRevoked: (partitions) => tell({ kind: 'released', partitions: numbersOf(partitions) }),
  onLost: (partitions) => tell({ kind: 'released', partitions: numbersOf(partitions) }),
})

port.on('message', (message: ToConsumer) => {
  if (message.kind === 'start') start(message.positions)
  else void consumer.close() // the stream completes
})

tell({ kind: 'ready' })
const batches = from(consumer.batches(activity)).pipe(tap(() => (firstReadMs ||= performance.now())))
const shares = activityShares(batches).pipe(
  tap((share) => {
    lastReadMs = performance.now()
    tell({ kind: 'counted', share })
  }),
)
await lastValueFrom(shares, { defaultValue: undefined })
tell({ kind: 'done', report: { readMs: lastReadMs - firstReadMs } })
port.close()
await millrace.close()

function tell(message: FromConsumer): void {
  port.postMessage(message)
}

function numbersOf(partitions: readonly NamedPartition[]): number[] {
  return partitions.map(({ partition }) => partition)
}
