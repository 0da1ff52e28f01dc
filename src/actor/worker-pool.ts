// Threads for work that needs nothing but its task: no partition, no actor, nothing that lives on
// (piscina). Runs on the thread that asks; piscina is loaded when the first task comes.
//
//   run(task) ──▶ a thread of the pool: an export of the entry ──▶ its result, or its error
//
// Holds: errors keep class and code, which structured cloning drops: an entry wraps what it does
// in `poolTask`. Idle threads go after `idleMs`, and none keeps the process alive.
// Every `run` ends: where no thread starts, as in a program that was bundled with piscina in it
// (piscina does not find its own worker file then), it rejects, and the next one tries again;
// broker/cleaner-threads.ts is for that.

import type { Piscina } from 'piscina'
import { errorFromData, errorToData } from '../errors.ts'
import type { ErrorData } from '../errors.ts'

export interface WorkerPoolOptions {
  /** The module; see `entryBeside`. */
  readonly entry: URL
  /** What it exports, a `poolTask(…)`. */
  readonly name: string
  /** Threads at the most. */
  readonly threads: number
  /** How long a thread waits for its next task, in ms; 1,000 when left out. */
  readonly idleMs?: number
}

/** What `poolTask` gives, and an error without its class. */
export type TaskAnswer<Result> = { readonly result: Result } | { readonly error: ErrorData }

export class WorkerPool<Task, Result> {
  readonly #options: WorkerPoolOptions
  #pool: Promise<Piscina<Task, TaskAnswer<Result>>> | undefined
  #isClosed = false
  /** What the thread died of that ended last, where it had no task yet. */
  #threadError: Error | undefined

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /**
   * Rejects with the error of the task; with another when its thread ends, or the pool is closed. `transfer`: memory of the
   * task that is given away with it.
   */
  async run(task: Task, transfer: readonly ArrayBuffer[] = []): Promise<Result> {
    if (this.#isClosed) throw new Error('a task comes to a pool that is closed')
    const pool = await (this.#pool ??= this.#open())
    if (this.#isClosed) throw new Error('the pool was closed before the task began')
    // Its type is that of the other form of postMessage.
    const answer = await pool.run(task, { transferList: [...transfer] as never }).catch((error: unknown) => {
      throw this.#threadError ?? error
    })
    return resultOf(answer)
  }

  /** Ends the threads, wherever they are. */
  async close(): Promise<void> {
    this.#isClosed = true
    const pool = await this.#pool?.catch(() => undefined)
    await pool?.destroy()
  }

  async #open(): Promise<Piscina<Task, TaskAnswer<Result>>> {
    const { Piscina } = await import('piscina')
    const { entry, name, threads, idleMs = 1_000 } = this.#options
    // A thread of the pool that waits in Atomics would answer nothing else.
    const pool = new Piscina<Task, TaskAnswer<Result>>({
      filename: entry.href,
      name,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: idleMs,
      atomics: 'disabled',
    })
    pool.on('workerDestroy', () => {
      this.#threadError = undefined
      queueMicrotask(() => this.#refuseStranded(pool))
    })
    // Of a thread that has no task; with nobody who listens it would end the process.
    pool.on('error', (error: Error) => {
      this.#threadError = error
    })
    return pool
  }

  /** Tasks that wait for a thread when the last has ended would wait for ever: piscina starts none for them. */
  #refuseStranded(pool: Piscina<Task, TaskAnswer<Result>>): void {
    if (pool.queueSize === 0 || pool.threads.length > 0) return
    this.#pool = undefined
    void pool.destroy()
  }
}

/** Throws the error of the task. */
export function resultOf<Result>(answer: TaskAnswer<Result>): Result {
  if ('error' in answer) throw errorFromData(answer.error)
  return answer.result
}

/** What an entry of a pool exports: does the task, and keeps what its error says. */
export function poolTask<Task, Result>(work: (task: Task) => Result): (task: Task) => TaskAnswer<Result> {
  return (task) => {
    try {
      return { result: work(task) }
    } catch (error) {
      return { error: errorToData(error) }
    }
  }
}

/** The same for what answers with memory of its own, which is given away, not copied. */
export function movingPoolTask<Task>(work: (task: Task) => Uint8Array<ArrayBuffer>): (task: Task) => Promise<unknown> {
  const run = poolTask(work)
  return async (task) => {
    const { Piscina } = await import('piscina')
    const answer = run(task)
    if ('error' in answer) return answer
    const moved: object = { [Piscina.transferableSymbol]: [answer.result.buffer], [Piscina.valueSymbol]: answer }
    return Piscina.move(moved as Parameters<typeof Piscina.move>[0])
  }
}
