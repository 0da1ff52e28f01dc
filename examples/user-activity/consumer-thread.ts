// A consumer thread: records in, counts out.
//
// It attaches to the millrace that the main thread opened and reads the partitions
// it was given, as an RxJS stream. Each record is checked against the ledger of its
// client, then counted. When main has said where the log ends, and all of it has
// been read, the stream completes.

import { parentPort, workerData } from 'node:worker_threads'
import { lastValueFrom, Subject, takeUntil, takeWhile, tap } from 'rxjs'
import { attachMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { fromTopic } from '../../src/rxjs.ts' // in your code: from 'millrace/rxjs'
import { activityView } from './activity-view.ts'
import { ClientLedger } from './client-ledger.ts'
import type { ConsumerData, FromConsumer, ToConsumer } from './messages.ts'
import { Progress } from './progress.ts'
import { activityBytes, userActivity } from './topics.ts'

const { handle, progress: progressBuffer, partitions } = workerData as ConsumerData
const port = parentPort!
const progress = new Progress(progressBuffer)
const ledger = new ClientLedger()
const positions = new Map(partitions.map((partition) => [partition, 0]))
const ended = new Subject<void>()
let endOffsets: readonly number[] | undefined
let firstReadMs = 0

const millrace = await attachMillrace(handle)
const activity = await millrace.topic(userActivity)

port.on('message', (message: ToConsumer) => {
  endOffsets = message.endOffsets
  if (isAllRead()) ended.next()
})

const records = fromTopic(activity, { partitions }).pipe(
  tap(({ key, value, timestamp, partition, offset }) => {
    if (firstReadMs === 0) firstReadMs = performance.now()
    ledger.add(key, timestamp, value)
    progress.addRead(partition, activityBytes(key, value))
    positions.set(partition, offset + 1)
  }),
  takeWhile(() => !isAllRead(), true), // the last record comes after the word where to end ...
  takeUntil(ended), // ... or before it
)

tell({ kind: 'ready' })
const views = activityView(records).pipe(tap((view) => tell({ kind: 'view', view })))
await lastValueFrom(views, { defaultValue: undefined })
const readMs = firstReadMs === 0 ? 0 : performance.now() - firstReadMs
tell({ kind: 'done', report: { totals: ledger.totals(), readMs } })
port.close()
await millrace.close()

function isAllRead(): boolean {
  if (endOffsets === undefined) return false
  for (const [partition, position] of positions) if (position < endOffsets[partition]!) return false
  return true
}

function tell(message: FromConsumer): void {
  port.postMessage(message)
}
