// A compaction's part of the worker entry: does the one job that its thread was started for.

import { poolTask } from '../actor/worker-pool.ts'
import { fileDisk } from '../disk/file-disk.ts'
import type { CleanJob } from '../storage/clean-job.ts'
import { cleanSegments } from '../storage/segment-cleaner.ts'
import type { CleanerInit } from './cleaner-threads.ts'

const clean = poolTask((job: CleanJob) => cleanSegments(fileDisk(), job))

export function answerCleanJob({ cleanJob, answerPort }: CleanerInit): void {
  answerPort.postMessage(clean(cleanJob))
}
