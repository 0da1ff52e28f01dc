// Compaction on threads of millrace's own entry, one a job, for programs that were bundled: there
// piscina does not find its worker file, and the entry that the user names is all there is.
//
//   run(job) ──▶ a thread of the entry ──▶ its answer lies in the port when it has ended
//
// Runs on the I/O thread, which bounds how many jobs there are; clean-job-thread.ts answers.

import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { resultOf } from '../actor/worker-pool.ts'
import type { TaskAnswer } from '../actor/worker-pool.ts'
import type { SpawnedThread, ThreadSpawner } from '../actor/worker-thread.ts'
import type { CleanerPool } from '../io/directory-cleaner.ts'
import type { CleanJob, CleanResult } from '../storage/clean-job.ts'

/** What such a thread is started with. */
export interface CleanerInit {
  readonly cleanJob: CleanJob
  readonly answerPort: MessagePort
}

export class CleanerThreads implements CleanerPool {
  readonly #entry: URL
  readonly #spawner: ThreadSpawner
  readonly #threads = new Set<SpawnedThread>()

  /** `entry`: the user's worker file, which imports `millrace/worker`. */
  constructor(entry: URL, spawner: ThreadSpawner) {
    this.#entry = entry
    this.#spawner = spawner
  }

  /** Rejects with the error of the job, or when its thread ends without an answer. */
  async run(cleanJob: CleanJob): Promise<CleanResult> {
    const { port1, port2 } = new MessageChannel()
    const workerData: CleanerInit = { cleanJob, answerPort: port2 }
    const thread = this.#spawner.spawn({ name: 'millrace cleaner', entry: this.#entry, workerData, transfer: [port2] })
    this.#threads.add(thread)
    const { error } = await thread.exited
    this.#threads.delete(thread)
    const answer = receiveMessageOnPort(port1) as { readonly message: TaskAnswer<CleanResult> } | undefined
    port1.close()
    if (answer === undefined) throw error ?? new Error('the thread of a compaction ended without an answer')
    return resultOf(answer.message)
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#threads, (thread) => thread.terminate()))
  }
}
