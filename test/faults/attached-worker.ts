// The test's side of attached-thread.ts.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { bundledEntry } from '../setup/bundled-entry.ts'
import type { AttachedData } from './attached-thread.ts'
import { ATTACHED_WORDS, AT_WORK, DONE, FAILED, FINISH, GAP_US_MAX, STANDS } from './attached-words.ts'

const entry = await bundledEntry(new URL('./attached-thread.ts', import.meta.url))

export class AttachedWorker {
  readonly worker: Worker
  readonly #words = new Int32Array(new SharedArrayBuffer(ATTACHED_WORDS * 4))
  readonly #exited: Promise<unknown>
  #error: unknown

  constructor(data: Omit<AttachedData, 'words'>) {
    this.worker = new Worker(entry, { workerData: { ...data, words: this.#words.buffer } })
    this.worker.on('error', (error) => {
      this.#error = error
    })
    this.#exited = once(this.worker, 'exit')
  }

  get done(): number {
    return Atomics.load(this.#words, DONE)
  }

  get failed(): number {
    return Atomics.load(this.#words, FAILED)
  }

  /** Longest time between two acknowledgements. */
  get gapMsMax(): number {
    return Atomics.load(this.#words, GAP_US_MAX) / 1_000
  }

  /** Resolves when the thread has attached and works. */
  atWork(): Promise<void> {
    return this.#reaches(AT_WORK, 1)
  }

  /** Resolves when the thread stands at its kill point. */
  stands(): Promise<void> {
    return this.#reaches(STANDS, 1)
  }

  /** Resolves when so many records were acknowledged or read. */
  doneAtLeast(count: number): Promise<void> {
    return this.#reaches(DONE, count)
  }

  async terminate(): Promise<void> {
    await this.worker.terminate()
    await this.#exited
  }

  /** Lets it close what it has; throws what it died of, if it did not end well. */
  async finish(): Promise<void> {
    Atomics.store(this.#words, FINISH, 1)
    await this.ended()
  }

  async ended(): Promise<void> {
    await this.#exited
    if (this.#error !== undefined) throw this.#error as Error
  }

  async #reaches(word: number, value: number): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, word)
      if (seen >= value) return
      if (this.#error !== undefined) throw this.#error as Error
      const { async, value: woken } = Atomics.waitAsync(this.#words, word, seen)
      if (async) await Promise.race([woken, this.#exited])
    }
  }
}
