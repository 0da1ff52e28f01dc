// A worker thread of a benchmark, seen from the main thread: questions and answers by message,
// outside the measured time. Every question has a deadline; a thread that dies or does not
// answer in time fails its contender, and `close` always ends it.

import { Worker } from 'node:worker_threads'
import type { Transferable, WorkerOptions } from 'node:worker_threads'

export const ANSWER_TIMEOUT_MS = 120_000
const READY_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 5_000

export interface Question {
  readonly id: number
  readonly name: string
  readonly args: unknown
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly stack: string | undefined }

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export class BenchThread {
  readonly name: string
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #ended: Error | undefined

  constructor(name: string, module: URL, options: WorkerOptions = {}) {
    this.name = name
    this.#worker = new Worker(module, { ...options, name })
    this.#worker.on('message', (answer: Answer) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', (code) => this.#end(new Error(`thread ${this.name} ended with code ${code}`)))
  }

  get threadId(): number {
    return this.#worker.threadId
  }

  async ask<T>(name: string, args: unknown, options: { timeoutMs?: number; transfer?: readonly Transferable[] } = {}): Promise<T> {
    if (this.#ended !== undefined) throw this.#ended
    const id = this.#nextId++
    const timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(new Error(`thread ${this.name} did not answer "${name}" within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject, timer })
      this.#worker.postMessage({ id, name, args } satisfies Question, [...(options.transfer ?? [])])
    })
  }

  /** Ends the thread, whatever it is doing. Any number of calls. */
  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    if (pending === undefined) return
    this.#pending.delete(answer.id)
    clearTimeout(pending.timer)
    if (answer.ok) pending.resolve(answer.value)
    else {
      const error = new Error(`thread ${this.name}: ${answer.message}`)
      if (answer.stack !== undefined) error.stack = answer.stack
      pending.reject(error)
    }
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer)
      pending.reject(this.#ended)
    }
    this.#pending.clear()
  }
}

/** Closes all, also when one refuses; then throws what was refused first. */
export async function closeAll(closers: readonly (() => Promise<unknown>)[]): Promise<void> {
  const results = await Promise.allSettled(closers.map((close) => close()))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

/**
 * Waits until threads that attach to a millrace are ready. Gives what closes them, and then the
 * millrace; when one does not become ready, all is closed at once.
 */
export async function readyThreads(millrace: { close(): Promise<void> }, threads: readonly BenchThread[]): Promise<() => Promise<void>> {
  const close = async (): Promise<void> => {
    // Asked to close first, so that nothing of millrace is cut off; ended in any case.
    await Promise.allSettled(threads.map((thread) => thread.ask('close', null, { timeoutMs: CLOSE_TIMEOUT_MS })))
    await closeAll([...threads.map((thread) => () => thread.close()), () => millrace.close()])
  }
  try {
    await Promise.all(threads.map((thread) => thread.ask('ready', null, { timeoutMs: READY_TIMEOUT_MS })))
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  return close
}
