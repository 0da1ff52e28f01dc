// Runs around every test file, in its process: a file that leaves a worker thread
// behind fails, and so does one that another Node.js runs than was asked for.

import { afterAll } from 'vitest'
import { runtimeRefusal } from './expected-runtime.ts'
import { LiveWorkers } from './live-workers.ts'

const THREAD_END_GRACE_MS = 5_000

const refusal = runtimeRefusal(process.version, process.env['MILLRACE_EXPECT_NODE'])
if (refusal !== undefined) throw new Error(refusal)

const workers = new LiveWorkers()
workers.watch()

afterAll(async () => {
  const leaked = await workers.settle(THREAD_END_GRACE_MS)
  workers.unwatch()
  if (leaked > 0) throw new Error(`${leaked} worker thread(s) were still alive ${THREAD_END_GRACE_MS} ms after the last test of this file`)
}, THREAD_END_GRACE_MS * 2)
