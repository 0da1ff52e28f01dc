// A value on its way through `process`, and the signal of its work.
// Runs on the subscriber's thread.

import type { ProcessContext } from '../../client/consumer/processor-parts.ts'
import type { Hold } from '../hold.ts'
import { isGone } from './held-partitions.ts'
import type { HeldWorks, LeftWork } from './held-partitions.ts'

export class ProcessItem<T> implements LeftWork {
  readonly value: T
  readonly hold: Hold
  readonly #works: HeldWorks
  #abort: AbortController | undefined

  constructor(value: T, hold: Hold, works: HeldWorks) {
    this.value = value
    this.hold = hold
    this.#works = works
  }

  /** What the handler is given. The signal is made when it is asked for, and is the same one for all attempts. */
  context(attempt: number): ProcessContext {
    return new ItemContext(this, attempt)
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      // Of its own: on Node.js 22 what AbortSignal.any gives stays for as long as its partition does.
      this.#abort = new AbortController()
      if (this.#works.isOver || isGone(this.hold)) this.#abort.abort()
      else this.#works.add(this)
    }
    return this.#abort.signal
  }

  leave(): void {
    this.end()
    this.#abort?.abort()
  }

  /** It is settled: there is nothing to leave any more. */
  end(): void {
    if (this.#abort !== undefined) this.#works.delete(this)
  }
}

class ItemContext implements ProcessContext {
  readonly attempt: number
  readonly #item: ProcessItem<unknown>

  constructor(item: ProcessItem<unknown>, attempt: number) {
    this.#item = item
    this.attempt = attempt
  }

  get signal(): AbortSignal {
    return this.#item.signal
  }
}
