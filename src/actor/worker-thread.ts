// Threads as a parameter: who needs one is handed a ThreadSpawner. The real one starts
// a worker thread of Node.js; a test hands in another.
//
// Runs on the thread that spawns. Holds: the end of a thread is noticed once, with the
// error that ended it, however it came; listeners that come later are told too; a
// thread keeps the process alive only if asked to. `exit` may come late on a busy
// thread: neighbours notice a death by the close of a port (control-port.ts).

import { Worker } from 'node:worker_threads'
import type { ResourceLimits, Transferable } from 'node:worker_threads'
import { errorFromData, errorToData } from '../errors.ts'

export interface SpawnThreadOptions {
  /** Names the thread in errors and in the debugger: "broker 1". */
  readonly name: string
  /** The module it runs; see `entryBeside`. */
  readonly entry: URL
  /** What it finds as `workerData`: SharedArrayBuffers, ids, ports. */
  readonly workerData: unknown
  /** Ports and ArrayBuffers in `workerData` that move there. */
  readonly transfer?: readonly Transferable[]
  readonly resourceLimits?: ResourceLimits
  /** True: the process lives as long as the thread. */
  readonly ref?: boolean
}

/** How a thread ended. */
export interface ThreadExit {
  readonly exitCode: number
  /** The uncaught error that ended it, with class and code; undefined if there was none. */
  readonly error: Error | undefined
  /** Whether `terminate` was called before. */
  readonly terminated: boolean
}

export interface SpawnedThread {
  readonly name: string
  /** The id of Node.js, as `openAttachPort` takes it: not a ThreadId of a bell. */
  readonly threadId: number
  /** Resolves when the thread has ended; never rejects. Awaiting it does not keep the process alive: `join` does. */
  readonly exited: Promise<ThreadExit>
  /** Waits for the end of a thread that ends by itself, keeping the process alive until then. */
  join(): Promise<ThreadExit>
  /** Calls back once, in a microtask if the thread has ended. Gives the way to take it back. */
  onExit(listener: (exit: ThreadExit) => void): () => void
  /** Ends the thread wherever it is: none of its code runs any more, `finally` included. */
  terminate(): Promise<ThreadExit>
  /** Keeps the process alive, or no longer. */
  ref(): void
  unref(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface ThreadSpawner {
  /** Returns at once; throws when `workerData` cannot be cloned. A module that is missing or throws ends the thread: see `exited`. */
  spawn(options: SpawnThreadOptions): SpawnedThread
}

export const workerThreadSpawner: ThreadSpawner = {
  spawn: (options) => new WorkerThread(options),
}

/**
 * The module `name` (a path without its ending, such as './worker-main') beside the module at
 * `importerUrl` (its `import.meta.url`): `.ts` beside a source, `.js` in the built package.
 */
export function entryBeside(name: string, importerUrl: string): URL {
  const importer = new URL(importerUrl)
  return new URL(`${name}${importer.pathname.endsWith('.ts') ? '.ts' : '.js'}`, importer)
}

class WorkerThread implements SpawnedThread {
  readonly name: string
  readonly threadId: number
  readonly exited: Promise<ThreadExit>
  readonly #worker: Worker
  readonly #listeners = new Set<(exit: ThreadExit) => void>()
  #exit: ThreadExit | undefined
  #error: Error | undefined
  #terminated = false

  constructor(options: SpawnThreadOptions) {
    this.name = options.name
    this.#worker = new Worker(options.entry, {
      name: options.name,
      workerData: options.workerData,
      transferList: [...(options.transfer ?? [])],
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    })
    // Read now: Node.js forgets it when the thread has ended.
    this.threadId = this.#worker.threadId
    if (options.ref !== true) this.#worker.unref()
    // The error comes before the exit. A MillraceError has lost its class on the way.
    this.#worker.on('error', (error: unknown) => {
      this.#error = errorFromData(errorToData(error))
    })
    this.exited = new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        const exit: ThreadExit = { exitCode, error: this.#error, terminated: this.#terminated }
        this.#exit = exit
        for (const listener of [...this.#listeners]) listener(exit)
        this.#listeners.clear()
        resolve(exit)
      })
    })
  }

  onExit(listener: (exit: ThreadExit) => void): () => void {
    const exit = this.#exit
    if (exit !== undefined) queueMicrotask(() => listener(exit))
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  join(): Promise<ThreadExit> {
    this.#worker.ref()
    return this.exited
  }

  async terminate(): Promise<ThreadExit> {
    if (this.#exit === undefined) {
      this.#terminated = true
      await this.#worker.terminate()
    }
    return this.exited
  }

  ref(): void {
    this.#worker.ref()
  }

  unref(): void {
    this.#worker.unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }
}
