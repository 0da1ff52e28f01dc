// Entry of a pool's thread that recovers partitions: a job in, what is known of the partition out.

import { poolTask } from '../actor/worker-pool.ts'
import { fileDisk } from '../disk/file-disk.ts'
import { recoverPartition } from './partition-recovery.ts'
import type { RecoveryJob } from './partition-recovery.ts'

export const recoveryTask = poolTask((job: RecoveryJob) => recoverPartition(fileDisk(), job))
