// A record as it flows through a chain: what the consumer read, and its hold.

import type { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import type { RecordHeaders } from '../client/headers.ts'
import type { Hold, Origin } from './hold.ts'

/** A flat record of a chain. `key`, `value` and `headers` are decoded on first touch. */
export class MillraceRecord<K = string | null, V = unknown> {
  readonly #record: ConsumerRecord<K, V>
  readonly #origin: Origin

  /** Made by `fromTopic`. */
  constructor(record: ConsumerRecord<K, V>, origin: Origin) {
    this.#record = record
    this.#origin = origin
  }

  get topic(): string {
    return this.#record.topic
  }

  get partition(): number {
    return this.#record.partition
  }

  get offset(): number {
    return this.#record.offset
  }

  /** Milliseconds since the epoch. */
  get timestamp(): number {
    return this.#record.timestamp
  }

  get key(): K {
    return this.#record.key
  }

  get value(): V {
    return this.#record.value
  }

  get headers(): RecordHeaders {
    return this.#record.headers
  }

  /**
   * Keeps the record from being settled until `release()`, for work that goes on after
   * `next` has returned. Throws SETTLED_EARLY when it is settled already.
   */
  hold(): Hold {
    return this.#origin.hold()
  }
}
