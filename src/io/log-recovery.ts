// Recovers the partitions of a data directory: all on this thread, one after the other, or, where
// much is to be scanned, on the threads of a pool (Kafka: LogManager.loadLogs). Runs on the I/O thread.
//
//   jobs ─▶ more than POOL_FROM_BYTES to scan?  no ─▶ each on this thread
//                                              yes ─▶ those with much on the pool, the largest first;
//                                                     the others here meanwhile ─▶ the pool is closed
//
// Holds: the answers are the same, whoever gives them. A thread of the pool that dies costs time
// only: recovery may be done again, and is done here then.

import type { Disk } from '../disk/disk.ts'
import { MillraceError } from '../errors.ts'
import { bytesToScan, recoverPartition } from '../storage/partition-recovery.ts'
import type { RecoveredPartition, RecoveryJob } from '../storage/partition-recovery.ts'

/** Threads that recover: `run` does a job on one of them. */
export interface RecoveryThreads {
  run(job: RecoveryJob): Promise<RecoveredPartition>
  close(): Promise<void>
}

export type RecoveryAnswer = { readonly recovered: RecoveredPartition } | { readonly failure: MillraceError }

/** So many bytes to scan pay for starting threads: the time of one thread for them is that of the start of two. */
const POOL_FROM_BYTES = 128 * 1024 * 1024
/** A partition with less to scan is done here meanwhile. */
const POOL_JOB_BYTES = 64 * 1024

/** On this thread. A partition whose files cannot be had answers so; what is a defect is thrown. */
export function recoverHere(disk: Disk, job: RecoveryJob): RecoveryAnswer {
  try {
    return { recovered: recoverPartition(disk, job) }
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

/** The same of many, by the order of the jobs; on threads of `start` where `poolFromBytes` are to be scanned. */
export async function recoverAll(
  disk: Disk,
  jobs: readonly RecoveryJob[],
  start: () => RecoveryThreads,
  poolFromBytes: number = POOL_FROM_BYTES,
): Promise<RecoveryAnswer[]> {
  const sizes = jobs.map((job) => bytesToScan(disk, job))
  if (sizes.reduce((sum, bytes) => sum + bytes, 0) < poolFromBytes) return jobs.map((job) => recoverHere(disk, job))
  const threads = start()
  let isOver = false
  const recover = async (job: RecoveryJob, sizeInBytes: number): Promise<RecoveryAnswer> => {
    if (sizeInBytes < POOL_JOB_BYTES) return recoverHere(disk, job)
    try {
      return { recovered: await threads.run(job) }
    } catch (error) {
      if (error instanceof MillraceError) return { failure: failureOf(error) }
      // Who has given up the directory does not touch it any more.
      if (isOver) throw error
      return recoverHere(disk, job)
    }
  }
  try {
    const order = sizes.map((_, i) => i).sort((a, b) => sizes[b]! - sizes[a]!)
    const answers: RecoveryAnswer[] = []
    await Promise.all(
      order.map(async (i) => {
        answers[i] = await recover(jobs[i]!, sizes[i]!)
      }),
    )
    return answers
  } finally {
    isOver = true
    await threads.close()
  }
}

function failureOf(error: unknown): MillraceError {
  if (!(error instanceof MillraceError) || error.code === 'ASSERTION_FAILED') throw error
  return error
}
