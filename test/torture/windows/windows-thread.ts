// One of the threads that count pages by window, in one group, through an internal topic.

import { parentPort, workerData } from 'node:worker_threads'
import { attachMillrace, json, string } from '../../../src/index.ts'
import type { MillraceHandle } from '../../../src/index.ts'
import { aggregate, count, fromTopic, keyBy, repartition, toTopic, windowed } from '../../../src/rxjs.ts'
import type { MillraceRecord } from '../../../src/rxjs.ts'
import { map } from 'rxjs'
import { GROUP, WINDOWS } from './windows-plan.ts'

export interface WindowsThreadData {
  readonly handle: MillraceHandle
  readonly clicks: string
  readonly counts: string
  /** Forgets where repartitioned records came from: what a crash sends twice is counted twice, which must be found. */
  readonly forgetsOrigins: boolean
}

const data = workerData as WindowsThreadData
const millrace = await attachMillrace(data.handle)
const clicks = await millrace.topic(data.clicks, { key: string(), value: json<string>() })
const counts = await millrace.topic(data.counts, { key: windowed(string()), value: json<number>() })

const byPage = fromTopic(clicks, { groupId: GROUP, autoCommitIntervalMs: 20 }).pipe(keyBy((record) => record.value))
const late = (record: MillraceRecord<string, string>): void => parentPort!.postMessage({ late: record.toJSON() })
const counting = aggregate(WINDOWS, count(), { emit: 'close', late })
const forgetting = byPage.pipe(
  repartition({ key: string(), value: json<string>() }),
  map((record) => record.with({ headers: {} })),
  counting,
)
const subscription = (data.forgetsOrigins ? forgetting : byPage.pipe(counting)).pipe(toTopic(counts)).subscribe({
  next: () => parentPort!.postMessage({ counted: true }),
  error: (error: unknown) =>
    parentPort!.postMessage({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }),
})
parentPort!.once('message', () => {
  subscription.unsubscribe()
  void millrace.close()
})
