// One call of `sendAll`: its records are taken one by one as there is room, and its
// promise settles when all are acknowledged, or with the first failure.
// Private to the producer's thread.
// Holds: after the first failure nothing more is taken of the records given.

import { MillraceError } from '../../errors.ts'
import type { BoundTopic } from '../topic.ts'
import { SEND_MOVED, SEND_REFUSED, SEND_TAKEN } from './blocked-calls.ts'
import type { BlockedSend, SendProgress } from './blocked-calls.ts'
import type { PendingRecord, RecordMetadata } from './producer-batch.ts'
import { abortedError } from './producer-errors.ts'
import type { AnyRecord } from './producer-record.ts'
import type { SendTaker } from './send-one.ts'

export class SendAll implements BlockedSend {
  readonly #taker: SendTaker
  readonly #topic: BoundTopic
  readonly #records: Iterator<AnyRecord>
  readonly #resolve: (results: RecordMetadata[]) => void
  readonly #reject: (error: Error) => void
  readonly #signal: AbortSignal | undefined
  readonly #results: RecordMetadata[] = []
  /** Was refused last time, or has not been offered yet. */
  #next: IteratorResult<AnyRecord> | undefined
  #taken = 0
  #acknowledged = 0
  #isWhole = false
  #failed = false

  constructor(
    taker: SendTaker,
    topic: BoundTopic,
    records: Iterable<AnyRecord>,
    resolve: (results: RecordMetadata[]) => void,
    reject: (error: Error) => void,
    signal: AbortSignal | undefined,
  ) {
    if (typeof (records as Partial<Iterable<AnyRecord>> | null | undefined)?.[Symbol.iterator] !== 'function') {
      throw new MillraceError(
        'INVALID_REQUEST',
        'sendAll takes an array, or anything else to iterate over, of records: [{ key, value }, …]',
      )
    }
    this.#taker = taker
    this.#topic = topic
    this.#records = records[Symbol.iterator]()
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    if (signal === undefined) return
    if (signal.aborted) this.failed(abortedError(signal))
    else signal.addEventListener('abort', this.#onAbort)
  }

  /** Takes records as long as there is room. */
  attempt(): SendProgress {
    const before = this.#taken
    while (!this.#failed) {
      this.#next ??= this.#records.next()
      if (this.#next.done === true) {
        this.#isWhole = true
        this.#settleIfDone()
        return SEND_TAKEN
      }
      if (!this.#taker.take(this.#topic, this.#next.value, this.#pending(this.#taken)))
        return this.#taken > before ? SEND_MOVED : SEND_REFUSED
      this.#next = undefined
      this.#taken++
    }
    return SEND_TAKEN
  }

  failed(error: Error): void {
    if (this.#failed) return
    this.#failed = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#reject(error)
    // Later: this may be called while batches are on their way, and a generator's `finally` is the user's code.
    if (!this.#isWhole) queueMicrotask(() => this.#leaveRecords())
  }

  #leaveRecords(): void {
    try {
      this.#records.return?.()
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
    if (!this.#isWhole || this.#acknowledged !== this.#taken) return
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(this.#results)
  }

  readonly #onAbort = (): void => {
    this.failed(abortedError(this.#signal!))
    this.#taker.aborted()
  }
}
