// `for await` over records, one by one, on top of the batches of a consumer.
// Runs on the consumer's thread.

import type { TurnYield } from '../event-loop.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import { ConsumerRecord } from './consumer-record.ts'

/** A record that was there, or what `next` promises. */
export type Pulled<K, V> = ConsumerRecord<K, V> | Promise<IteratorResult<ConsumerRecord<K, V>, undefined>>

/** What the records come from. */
export interface RecordBatches<K, V> extends AsyncIterableIterator<ConsumerBatch<K, V>, undefined, void> {
  /**
   * Once a record: whether what is left of a batch is not handed out. Nothing more comes, or only an error; or the partition is
   * another's.
   */
  endsBatch(): boolean
}

export class RecordIterator<K, V> implements AsyncIterableIterator<ConsumerRecord<K, V>, undefined, void> {
  readonly #batches: RecordBatches<K, V>
  readonly #turnYield: TurnYield
  #records: Iterator<ConsumerRecord<K, V>, undefined> | undefined
  /** What the iterator of the batch gives, each time the same object. */
  #current: { readonly value?: ConsumerRecord<K, V> | undefined } | undefined
  /** The one behind it was asked for, and the event loop has its turn first. */
  #isAskedPast = false
  #pending: Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> | undefined

  constructor(batches: RecordBatches<K, V>, turnYield: TurnYield) {
    this.#batches = batches
    this.#turnYield = turnYield
  }

  next(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    const pulled = this.pull()
    return pulled instanceof ConsumerRecord ? Promise.resolve({ value: pulled, done: false }) : pulled
  }

  /** As `next`; a record that is there comes without a promise. */
  pull(): Pulled<K, V> {
    if (this.#pending !== undefined) return this.#inTurn(this.#pending.then(() => this.#takeLater()))
    // The first one begins to read, now: its batches see to it that the event loop has its turn.
    if (this.#records !== undefined && this.#turnYield.isDueAfterWork()) {
      this.#isAskedPast = true
      return this.#inTurn(this.#turnYield.turn().then(() => this.#takeLater()))
    }
    return this.#take()
  }

  /** The offset below which all of the batch was asked past; undefined: there is no batch. */
  get unsettledFrom(): number | undefined {
    const offset = this.#current?.value?.offset
    return offset !== undefined && this.#isAskedPast ? offset + 1 : offset
  }

  async return(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    const ended = this.#batches.return?.()
    this.#records = undefined
    this.#current = undefined
    await ended
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #takeLater(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> | IteratorResult<ConsumerRecord<K, V>, undefined> {
    const taken = this.#take()
    return taken instanceof ConsumerRecord ? { value: taken, done: false } : taken
  }

  #take(): Pulled<K, V> {
    this.#isAskedPast = false
    try {
      const result = this.#batches.endsBatch() ? undefined : this.#records?.next()
      if (result !== undefined && result.done !== true) return result.value
    } catch (error) {
      // A damaged batch: `for await` does not call `return` after a `next` that failed.
      return this.return().then(() => Promise.reject(error))
    }
    return this.#inTurn(this.#nextBatch())
  }

  async #nextBatch(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    for (;;) {
      this.#records = undefined
      const batch = await this.#batches.next()
      if (batch.done === true) return { value: undefined, done: true }
      this.#records = batch.value[Symbol.iterator]()
      // A batch of control records alone has none for users.
      const result = this.#records.next()
      this.#current = result
      if (result.done !== true) return { value: result.value, done: false }
    }
  }

  /** Calls made before this one is answered wait for it, as with an async generator. */
  #inTurn(pending: Promise<IteratorResult<ConsumerRecord<K, V>, undefined>>): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    this.#pending = pending
    const over = (): void => {
      if (this.#pending === pending) this.#pending = undefined
    }
    pending.then(over, over)
    return pending
  }
}
