// The threads that compact segment files, for a FileCleaner's `runJob`. Runs on the I/O thread.

import { entryBeside } from '../actor/worker-thread.ts'
import { WorkerPool } from '../actor/worker-pool.ts'
import type { CleanJob, CleanResult } from './clean-job.ts'

/** `threads`: `log.cleaner.threads`. `entry`: the module cleaner-worker, where it is not beside this one. */
export function cleanerPool(
  threads: number,
  entry: URL = entryBeside('./cleaner-worker', import.meta.url),
): WorkerPool<CleanJob, CleanResult> {
  return new WorkerPool({ entry, name: 'cleanTask', threads: Math.max(1, threads) })
}
