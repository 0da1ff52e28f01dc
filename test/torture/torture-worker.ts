// The torture's side of torture-thread.ts.

import { Worker } from 'node:worker_threads'
import type { KillPoint } from '../../src/kill-points.ts'
import { FaultWords } from '../faults/fault-words.ts'
import { bundledEntry } from '../setup/bundled-entry.ts'
import { AT_WORK, DIED, GAPLESS, NO_PROMISE, ONCE, ReadTape, SendTape } from './history.ts'
import type { Promises } from './history.ts'
import type { ProducerTask, TortureThreadData } from './torture-tasks.ts'
import { ThreadWords } from './torture-words.ts'

const entry = await bundledEntry(new URL('./torture-thread.ts', import.meta.url))

const SEND_ROWS = 150_000
const READ_ROWS = 400_000

function promisesOf({ options, isHasty }: ProducerTask): Promises {
  if (options.acks === 1) return NO_PROMISE
  return isHasty || options.retries === 0 ? ONCE : GAPLESS
}

export class TortureWorker {
  readonly name: string
  readonly tape: SendTape | ReadTape
  readonly words = new ThreadWords()
  readonly #worker: Worker
  readonly #faults = new FaultWords()
  readonly #exited: Promise<void>
  #over = false
  #error: Error | undefined

  constructor(name: string, data: Omit<TortureThreadData, 'words' | 'tape' | 'faults'>, onExit: () => void) {
    this.name = name
    this.tape =
      data.task.role === 'producer' ? SendTape.allocate(SEND_ROWS, { promises: promisesOf(data.task) }) : ReadTape.allocate(READ_ROWS)
    const shared = { words: this.words.buffer, tape: this.tape.buffer, faults: this.#faults.words.buffer }
    this.#worker = new Worker(entry, { name, workerData: { ...data, ...shared } satisfies TortureThreadData })
    this.#worker.on('error', (error: Error) => {
      this.#error = error
    })
    this.#exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve())).then(() => {
      this.#over = true
      if (this.tape.ended === AT_WORK) this.tape.end(DIED)
      onExit()
    })
  }

  get isOver(): boolean {
    return this.#over
  }

  get isWorking(): boolean {
    return !this.#over && this.words.isWorking
  }

  /** What it died of, when it died by itself. */
  get error(): Error | undefined {
    return this.#error
  }

  /** Stands still at the point; resolves when it does. */
  async stand(point: KillPoint, passing: number): Promise<void> {
    const seen = this.#faults.bites(0)
    this.#faults.arm(0, point, 'park', passing)
    await Promise.race([this.#faults.bitten(0, seen), this.#exited])
  }

  go(): void {
    this.#faults.go(0)
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
    await this.#exited
  }

  finish(): void {
    this.words.finish()
  }

  async ended(): Promise<void> {
    await this.#exited
  }
}
