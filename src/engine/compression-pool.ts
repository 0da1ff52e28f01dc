// The threads that compress the large batches of one attached thread.

import { availableParallelism } from 'node:os'
import { entryBeside } from '../actor/worker-thread.ts'
import { WorkerPool } from '../actor/worker-pool.ts'
import type { CompressionTask } from './compression-task.ts'

/** More would only compete with the brokers for the cores, and each costs memory. */
const THREADS_MAX = 2
/** A thread takes tens of ms to start, and large batches are seconds apart in a slow producer. */
const IDLE_MS = 10_000

/** `entry`: the module compression-worker, where it is not beside this one. */
export function compressionPool(
  entry: URL = entryBeside('./compression-worker', import.meta.url),
): WorkerPool<CompressionTask, Uint8Array<ArrayBuffer>> {
  const threads = Math.max(1, Math.min(THREADS_MAX, availableParallelism() - 1))
  return new WorkerPool({ entry, name: 'compressTask', threads, idleMs: IDLE_MS })
}
