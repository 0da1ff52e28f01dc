// The torture's side of group-thread.ts.

import { Worker } from 'node:worker_threads'
import { bundledEntry } from '../../setup/bundled-entry.ts'
import { EVENT_NAMES, GroupTape } from '../group-history.ts'
import { AT_WORK, CLOSED, DIED, ReadTape } from '../history.ts'
import type { GroupThreadData } from './group-tasks.ts'
import { COUNTS, GroupThreadWords } from './group-words.ts'

const entry = await bundledEntry(new URL('./group-thread.ts', import.meta.url))

const ROWS = 150_000
const READ_ROWS = 150_000

export class GroupWorker {
  readonly name: string
  readonly tape = GroupTape.allocate(ROWS)
  readonly reads = ReadTape.allocate(READ_ROWS)
  readonly words = new GroupThreadWords()
  readonly #worker: Worker
  readonly #exited: Promise<void>
  #over = false
  #isTerminated = false
  #error: Error | undefined

  constructor(name: string, data: Omit<GroupThreadData, 'words' | 'tape' | 'reads'>) {
    this.name = name
    const shared = { words: this.words.buffer, tape: this.tape.buffer, reads: this.reads.buffer }
    this.#worker = new Worker(entry, { name, workerData: { ...data, ...shared } satisfies GroupThreadData })
    this.#worker.on('error', (error: Error) => {
      this.#error = error
    })
    this.#exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve())).then(() => {
      this.#over = true
      if (this.tape.ended === AT_WORK) this.tape.end(DIED)
      if (this.reads.ended === AT_WORK) this.reads.end(DIED)
    })
  }

  get isOver(): boolean {
    return this.#over
  }

  /** What it died of, when it died by itself. */
  get error(): Error | undefined {
    if (this.#error !== undefined || !this.#over || this.#isTerminated || this.tape.ended === CLOSED) return this.#error
    return new Error('it has ended, and not all of its members have left')
  }

  async terminate(): Promise<void> {
    this.#isTerminated = true
    await this.#worker.terminate()
    await this.#exited
  }

  async finish(): Promise<void> {
    this.words.finish()
    await this.#exited
  }
}

/** What a thread of members has done last. */
export function describeWorker({ name, tape, words, isOver }: GroupWorker): string {
  const counts = COUNTS.map((count) => `${count} ${words.count(count)}`).join(' ')
  const last: string[] = []
  for (let row = Math.max(0, tape.rows - 6); row < tape.rows; row++) {
    last.push(`${EVENT_NAMES[tape.what[row]!]} of member ${tape.member[row]}, log ${tape.log[row]}`)
  }
  return `${name}: ${isOver ? 'over, ' : ''}${tape.rows} rows, ${counts}; last: ${last.join('; ')}`
}
