// One call of `send`: its record is taken when there is room, and its promise settles when
// it is acknowledged, or with its failure, or when its caller aborts.
// Private to the producer's thread.
// Holds: it settles once, and lets go of its signal then. A record that was not taken by
// the time of an abort is not sent; one that was is on its way all the same.

import type { BoundTopic } from '../topic.ts'
import { SEND_REFUSED, SEND_TAKEN } from './blocked-calls.ts'
import type { BlockedSend, SendProgress } from './blocked-calls.ts'
import type { PendingRecord, RecordMetadata } from './producer-batch.ts'
import { abortedError } from './producer-errors.ts'
import type { AnyRecord } from './producer-record.ts'

/** What a call needs of its producer. */
export interface SendTaker {
  /** False: there is no room. Throws what is wrong with the record. */
  take(topic: BoundTopic, record: AnyRecord, pending: PendingRecord): boolean
  /** A call is over although its turn has not come. */
  aborted(): void
}

export class SendOne implements PendingRecord, BlockedSend {
  readonly #taker: SendTaker
  readonly #topic: BoundTopic
  readonly #record: AnyRecord
  readonly #resolve: (metadata: RecordMetadata) => void
  readonly #reject: (error: Error) => void
  readonly #signal: AbortSignal | undefined
  #isOver = false

  constructor(
    taker: SendTaker,
    topic: BoundTopic,
    record: AnyRecord,
    resolve: (metadata: RecordMetadata) => void,
    reject: (error: Error) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#taker = taker
    this.#topic = topic
    this.#record = record
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    if (signal === undefined) return
    if (signal.aborted) this.failed(abortedError(signal))
    else signal.addEventListener('abort', this.#onAbort)
  }

  attempt(): SendProgress {
    return this.#isOver || this.#taker.take(this.#topic, this.#record, this) ? SEND_TAKEN : SEND_REFUSED
  }

  acknowledged(metadata: RecordMetadata): void {
    this.#end()
    this.#resolve(metadata)
  }

  failed(error: Error): void {
    this.#end()
    this.#reject(error)
  }

  readonly #onAbort = (): void => {
    this.failed(abortedError(this.#signal!))
    this.#taker.aborted()
  }

  #end(): void {
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
