// The threads that recover partitions while a data directory is opened. Runs on the I/O thread.

import { entryBeside } from '../actor/worker-thread.ts'
import { WorkerPool } from '../actor/worker-pool.ts'
import type { RecoveredPartition, RecoveryJob } from './partition-recovery.ts'

/** `entry`: the module recovery-worker, where it is not beside this one. */
export function recoveryPool(
  threads: number,
  entry: URL = entryBeside('./recovery-worker', import.meta.url),
): WorkerPool<RecoveryJob, RecoveredPartition> {
  return new WorkerPool({ entry, name: 'recoveryTask', threads })
}
