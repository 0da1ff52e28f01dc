// A consumer thread: records in, counts out.
//
// It attaches to the millrace that the main thread opened, and its chain is a member of a
// group: the group says which partitions it reads. What it counts it gives to main with the
// offsets that it covers, and only then is it settled; and main says up to where a partition
// is counted that comes to it. So each record is counted once, whichever threads come and go.
// (The group's own commits, which may lag behind, would have some counted twice after a
// thread has died.)

import { parentPort, workerData } from 'node:worker_threads'
import { concatMap, lastValueFrom, takeUntil, tap } from 'rxjs'
import type { NamedPartition } from '../../src/index.ts' // in your code: from 'millrace'
import { attachMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { batchRecords, fromTopic } from '../../src/rxjs.ts' // from 'millrace/rxjs'
import { ActivityShares } from './activity-view.ts'
import type { ConsumerData, FromConsumer, PartitionPosition, ToConsumer } from './messages.ts'
import { userActivity } from './topics.ts'

const port = parentPort!
const millrace = await attachMillrace((workerData as ConsumerData).handle)
const activity = await millrace.topic(userActivity)
const view = new ActivityShares()
let start: (positions: readonly PartitionPosition[]) => void = () => {}
let firstReadMs = 0
let lastReadMs = 0

const ended = new Promise<void>((resolve) => {
  port.on('message', (message: ToConsumer) => {
    if (message.kind === 'start') start(message.positions)
    else resolve()
  })
})

tell({ kind: 'ready' })
const shares = fromTopic(activity, {
  groupId: 'activity-view',
  maxInFlight: 50_000,
  onAssigned: async (partitions) => {
    const positions = new Promise<readonly PartitionPosition[]>((resolve) => {
      start = resolve
    })
    tell({ kind: 'assigned', partitions: numbersOf(partitions) })
    for (const { partition, position } of await positions) view.begin(partition, position)
  },
  onRevoked: release,
  onLost: release,
}).pipe(
  takeUntil(ended),
  batchRecords({ maxRecords: 2_000, maxMs: 0 }),
  tap(() => (firstReadMs ||= performance.now())),
  concatMap((records) => view.of(records)), // at once, within the call: what is above holds the records meanwhile
  tap((share) => {
    lastReadMs = performance.now()
    tell({ kind: 'counted', share })
  }),
)
await lastValueFrom(shares, { defaultValue: undefined })
tell({ kind: 'done', report: { readMs: lastReadMs - firstReadMs } })
port.close()
await millrace.close()

function release(partitions: readonly NamedPartition[]): void {
  for (const { partition } of partitions) view.end(partition)
  tell({ kind: 'released', partitions: numbersOf(partitions) })
}

function tell(message: FromConsumer): void {
  port.postMessage(message)
}

function numbersOf(partitions: readonly NamedPartition[]): number[] {
  return partitions.map(({ partition }) => partition)
}
