// Entry of a pool's thread that compacts segment files: a job in, what came of it out.

import { poolTask } from '../actor/worker-pool.ts'
import { fileDisk } from '../disk/file-disk.ts'
import type { CleanJob } from './clean-job.ts'
import { cleanSegments } from './segment-cleaner.ts'

export const cleanTask = poolTask((job: CleanJob) => cleanSegments(fileDisk(), job))
