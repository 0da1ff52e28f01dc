// One question that waits for its answer. Runs on the thread of both actors: asking
// across threads is the control channel's work. Holds: it settles once; the first of
// answer, failure, abort and end wins, what comes later is dropped.

import type { Reply } from './actor.ts'
import { MillraceError } from '../errors.ts'

/** An ask as those see it who do not know its answer's type. */
export interface Settleable {
  readonly settled: boolean
  reject(error: unknown): void
}

export class PendingAsk<Answer> implements Settleable, Reply<Answer> {
  readonly promise: Promise<Answer>
  #settled = false
  #resolve!: (answer: Answer) => void
  #reject!: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  readonly #onSettled: () => void

  constructor(actorName: string, signal: AbortSignal | undefined, onSettled: () => void) {
    this.promise = new Promise<Answer>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#onSettled = onSettled
    this.#signal = signal
    this.#abort = () =>
      this.reject(new MillraceError('ABORTED', `the question to actor ${actorName} was aborted`, { cause: signal?.reason }))
    signal?.addEventListener('abort', this.#abort)
  }

  get settled(): boolean {
    return this.#settled
  }

  resolve(answer: Answer): void {
    if (this.#settle()) this.#resolve(answer)
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  readonly #abort: () => void

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#onSettled()
    return true
  }
}
