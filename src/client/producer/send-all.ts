// One call of `sendAll`: its records are taken one by one as there is room, and its
// promise settles when all are acknowledged, or with the first failure.
// Private to the producer's thread.
// Holds: after the first failure nothing more is taken of the records given.

import { MillraceError } from '../../errors.ts'
import { SEND_MOVED, SEND_REFUSED, SEND_TAKEN } from './blocked-calls.ts'
import type { SendProgress } from './blocked-calls.ts'
import type { PendingRecord, RecordMetadata } from './producer-batch.ts'

export class SendAll<Item> {
  readonly #items: Iterator<Item>
  readonly #take: (item: Item, pending: PendingRecord) => boolean
  readonly #resolve: (results: RecordMetadata[]) => void
  readonly #reject: (error: Error) => void
  readonly #results: RecordMetadata[] = []
  /** Was refused last time, or has not been offered yet. */
  #next: IteratorResult<Item> | undefined
  #taken = 0
  #acknowledged = 0
  #isWhole = false
  #failed = false

  constructor(
    items: Iterable<Item>,
    take: (item: Item, pending: PendingRecord) => boolean,
    resolve: (results: RecordMetadata[]) => void,
    reject: (error: Error) => void,
  ) {
    if (typeof (items as Partial<Iterable<Item>> | null | undefined)?.[Symbol.iterator] !== 'function') {
      throw new MillraceError(
        'INVALID_REQUEST',
        'sendAll takes an array, or anything else to iterate over, of records: [{ key, value }, …]',
      )
    }
    this.#items = items[Symbol.iterator]()
    this.#take = take
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Takes records as long as there is room. */
  attempt(): SendProgress {
    const before = this.#taken
    while (!this.#failed) {
      this.#next ??= this.#items.next()
      if (this.#next.done === true) {
        this.#isWhole = true
        this.#settleIfDone()
        return SEND_TAKEN
      }
      if (!this.#take(this.#next.value, this.#pending(this.#taken))) return this.#taken > before ? SEND_MOVED : SEND_REFUSED
      this.#next = undefined
      this.#taken++
    }
    return SEND_TAKEN
  }

  failed(error: Error): void {
    if (this.#failed) return
    this.#failed = true
    this.#reject(error)
    // Later: this may be called while batches are on their way, and a generator's `finally` is the user's code.
    if (!this.#isWhole) queueMicrotask(() => this.#leaveItems())
  }

  #leaveItems(): void {
    try {
      this.#items.return?.()
    } catch {
      // As with `for … of`: the first failure is the one that counts.
    }
  }

  #pending(index: number): PendingRecord {
    return {
      acknowledged: (metadata) => {
        this.#results[index] = metadata
        this.#acknowledged++
        this.#settleIfDone()
      },
      failed: (error) => this.failed(error),
    }
  }

  #settleIfDone(): void {
    if (this.#isWhole && this.#acknowledged === this.#taken) this.#resolve(this.#results)
  }
}
