// What keeps the files of a partition from being used once something failed. Any thread.
//
//   open --a call throws--> failed --close--> closed
//        ------------------close-----------> closed
//
// Holds: after a failure every call throws, and `close` says that the stop was not clean. A broken
// assertion counts: what is in memory and what is in the files may differ then.

import { assert } from '../assert.ts'
import { MillraceError } from '../errors.ts'

export class FailureFence {
  readonly #what: string
  #failure: unknown
  #hasFailed = false
  #isClosed = false

  constructor(what: string) {
    this.#what = what
  }

  /** What was thrown first; undefined while nothing failed. */
  get failure(): unknown {
    return this.#failure
  }

  /** Throws KAFKA_STORAGE_ERROR after a failure. */
  assertUsable(): void {
    assert(!this.#isClosed, `${this.#what} is used after it was closed`)
    if (!this.#hasFailed) return
    const why = this.#failure instanceof Error ? this.#failure.message : String(this.#failure)
    const message = `${this.#what} takes nothing more since a failure: close it, and open it again (${why})`
    throw new MillraceError('KAFKA_STORAGE_ERROR', message, { cause: this.#failure })
  }

  run<Result>(work: () => Result): Result {
    this.assertUsable()
    try {
      return work()
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** Gives the error back, to be thrown. */
  failed(error: unknown): unknown {
    if (!this.#hasFailed) this.#failure = error
    this.#hasFailed = true
    return error
  }

  /** Whether nothing ever failed, `finish` included; `letGo` is done after a failure. Again, it only says it again. */
  close(finish: () => void, letGo: () => void): boolean {
    if (this.#isClosed) return !this.#hasFailed
    if (!this.#hasFailed) {
      try {
        finish()
      } catch (error) {
        this.failed(error)
      }
    }
    if (this.#hasFailed) this.abandon(letGo)
    this.#isClosed = true
    return !this.#hasFailed
  }

  /** Closed, without a clean stop. */
  abandon(letGo: () => void): void {
    this.#isClosed = true
    try {
      letGo()
    } catch (error) {
      this.failed(error)
    }
  }
}
