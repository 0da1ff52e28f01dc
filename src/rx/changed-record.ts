// What a record of a chain has, and one of which something was changed. Private to the
// subscriber's thread.

import { INSPECT, inspectedRecord, recordJson } from '../client/consumer/consumer-record.ts'
import { headersAsRead } from '../client/headers.ts'
import type { Headers, RecordHeaders } from '../client/headers.ts'

/** A ConsumerRecord is one. */
export interface RecordFields<K, V> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: K
  readonly value: V
  readonly headers: RecordHeaders
  toJSON(): object
  [INSPECT](): object
}

interface Changes<K, V> {
  readonly key?: K
  readonly value?: V
  readonly timestamp?: number
  readonly headers?: Headers
}

/** Where nothing was changed, the record before is asked: nothing is decoded for that. */
export class ChangedRecord<K, V> implements RecordFields<K, V> {
  readonly #before: RecordFields<unknown, unknown>
  readonly #changes: Changes<K, V>
  #headers: RecordHeaders | undefined

  constructor(before: RecordFields<unknown, unknown>, changes: Changes<K, V>) {
    this.#before = before
    this.#changes = changes
  }

  /** What it was made of. */
  get before(): RecordFields<unknown, unknown> {
    return this.#before
  }

  get topic(): string {
    return this.#before.topic
  }

  get partition(): number {
    return this.#before.partition
  }

  get offset(): number {
    return this.#before.offset
  }

  get timestamp(): number {
    return this.#changes.timestamp ?? this.#before.timestamp
  }

  get key(): K {
    return ('key' in this.#changes ? this.#changes.key : this.#before.key) as K
  }

  get value(): V {
    return ('value' in this.#changes ? this.#changes.value : this.#before.value) as V
  }

  /** Throws SERIALIZATION for what are no headers. */
  get headers(): RecordHeaders {
    if (this.#changes.headers === undefined) return this.#before.headers
    this.#headers ??= headersAsRead(this.#changes.headers)
    return this.#headers
  }

  toJSON(): object {
    return recordJson(this)
  }

  [INSPECT](): object {
    return inspectedRecord(this)
  }
}
