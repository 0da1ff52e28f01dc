// Who waits for a processing: for all that is there to be settled, and for its end. Also
// whether anybody is told of its failure. Private to the consumer's thread.

import { MillraceError } from '../../errors.ts'
import type { WorkRecord } from './partition-work.ts'
import type { SettledMark, WorkQueue } from './work-queue.ts'

interface Wait<R extends WorkRecord> {
  /** Up to where; undefined: not all is there yet. */
  mark: SettledMark<R> | undefined
  resolve(): void
  reject(error: Error): void
}

/** What `drained` gives, and the answer to whether all is there. */
export interface Drained {
  readonly promise: Promise<void>
  /** False: it is over already. */
  readonly isNew: boolean
  /** All that was there at the call was given. */
  readonly isThere: () => void
  readonly fail: (error: Error) => void
}

export class ProcessorWaits<R extends WorkRecord> {
  readonly #queue: WorkQueue<R>
  readonly #waits = new Set<Wait<R>>()
  readonly #closed = Promise.withResolvers<void>()
  #over: Error | undefined
  /** What has ended the processing. */
  failure: Error | undefined
  /** Whether somebody waits for the end. */
  isHeard = false

  constructor(queue: WorkQueue<R>) {
    this.#queue = queue
    // Heard or not is told by `isHeard`.
    this.#closed.promise.catch(() => undefined)
  }

  get closed(): Promise<void> {
    this.isHeard = true
    return this.#closed.promise
  }

  drained(signal: AbortSignal | undefined): Drained {
    const over = this.failure ?? this.#over ?? (signal?.aborted === true ? aborted(signal) : undefined)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (over !== undefined) reject(over)
    const wait: Wait<R> = { mark: undefined, resolve, reject }
    const onAbort = (): void => fail(aborted(signal!))
    const fail = (error: Error): void => {
      this.#waits.delete(wait)
      reject(error)
    }
    const isThere = (): void => {
      wait.mark = this.#queue.mark()
      this.look()
    }
    if (over === undefined) {
      this.#waits.add(wait)
      signal?.addEventListener('abort', onAbort)
      const done = (): void => signal?.removeEventListener('abort', onAbort)
      promise.then(done, done)
    }
    return { promise, isNew: over === undefined, isThere, fail }
  }

  /** Something was settled, or taken away. */
  look(): void {
    if (this.#waits.size === 0) return
    for (const wait of this.#waits) {
      if (wait.mark === undefined || !this.#queue.isSettled(wait.mark)) continue
      this.#waits.delete(wait)
      wait.resolve()
    }
  }

  /** The processing has failed, and is about to close; whether somebody waits who hears of it. */
  fail(failure: Error): boolean {
    this.failure = failure
    const isTold = this.#waits.size > 0 || this.isHeard
    this.#end(failure)
    return isTold
  }

  close(reason: Error): void {
    this.#over = reason
    this.#end(reason)
    if (this.failure === undefined) this.#closed.resolve()
    else this.#closed.reject(this.failure)
  }

  #end(reason: Error): void {
    for (const wait of this.#waits) wait.reject(reason)
    this.#waits.clear()
  }
}

function aborted(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'waiting was aborted by its signal', { cause: signal.reason })
}
