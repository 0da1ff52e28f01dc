// Worker threads of one kind: starting them, their messages, and their ends.
// Nothing here is about millrace: it is the small part of worker_threads that the
// example needs.

import type { Transferable } from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import type { Changes } from './changes.ts'

export interface ThreadGroupOptions<FromThread> {
  readonly name: string
  readonly entry: URL
  /** One for each thread. */
  readonly workerData: readonly object[]
  /** Told of every message, and of a thread that fails or ends before its last message. */
  readonly changes: Changes
  /** Returns true when this was the thread's last message: from then on it may end. */
  readonly onMessage: (thread: number, message: FromThread) => boolean
}

interface Thread {
  readonly worker: Worker
  readonly ended: Promise<void>
  finished: boolean
}

export class ThreadGroup<ToThread, FromThread> {
  readonly #options: ThreadGroupOptions<FromThread>
  readonly #threads: Thread[]
  #closing = false

  constructor(options: ThreadGroupOptions<FromThread>) {
    this.#options = options
    this.#threads = options.workerData.map((workerData, at) => this.#start(workerData, at))
  }

  /** Every thread has sent its last message. */
  get finished(): boolean {
    return this.#threads.every((thread) => thread.finished)
  }

  post(thread: number, message: ToThread, transfer: readonly Transferable[] = []): void {
    this.#threads[thread]!.worker.postMessage(message, transfer)
  }

  postAll(message: ToThread): void {
    for (const { worker } of this.#threads) worker.postMessage(message)
  }

  /** Ends it in the middle of whatever it does; resolves when it has ended, and all that it had told was heard. */
  async kill(thread: number): Promise<void> {
    const { worker, ended } = this.#threads[thread]!
    this.#threads[thread]!.finished = true
    void worker.terminate()
    await ended
  }

  /** Waits for the threads that have finished their work to end, and ends the others. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(this.#threads.map(({ finished, ended, worker }) => (finished ? ended : worker.terminate())))
  }

  #start(workerData: object, at: number): Thread {
    const { name, entry, changes, onMessage } = this.#options
    const worker = new Worker(entry, { workerData, name: `${name}-${at}` })
    const fail = (cause: unknown): void => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      if (!this.#closing) changes.failed(new Error(`${name} thread ${at} failed: ${reason}`, { cause }))
    }
    const ended = new Promise<void>((resolve) => {
      worker.on('exit', () => {
        if (!thread.finished) fail(new Error('it ended too early'))
        resolve()
      })
    })
    const thread = { worker, ended, finished: false }
    worker.on('error', fail)
    worker.on('message', (message: FromThread) => {
      if (onMessage(at, message)) thread.finished = true
      changes.happened()
    })
    return thread
  }
}
