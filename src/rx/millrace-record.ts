// A record as it flows through a chain: what the consumer read, and its hold.

import { INSPECT } from '../client/consumer/consumer-record.ts'
import type { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import type { RecordHeaders } from '../client/headers.ts'
import { Hold } from './hold.ts'
import type { Origin } from './hold.ts'

/**
 * A record of a chain, as `fromTopic` emits it. `key`, `value` and `headers` are decoded on
 * first touch; the first two throw DESERIALIZATION, naming topic, partition and offset, for
 * bytes that the topic's serde cannot decode. The bytes never change, and keeping a record
 * keeps its batch.
 */
export class MillraceRecord<K = string | null, V = unknown> {
  readonly #record: ConsumerRecord<K, V>
  readonly #origin: Origin | undefined
  #touched = false

  /** Made by `fromTopic`. */
  constructor(record: ConsumerRecord<K, V>, origin: Origin | undefined) {
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
    this.#touch()
    return this.#record.key
  }

  get value(): V {
    this.#touch()
    return this.#record.value
  }

  get headers(): RecordHeaders {
    this.#touch()
    return this.#record.headers
  }

  /**
   * Keeps the record from being settled until `release()`, for work that goes on after
   * `next` has returned. Throws SETTLED_EARLY when it is settled already. Under
   * `lossless: false` there is nothing to keep.
   */
  hold(): Hold {
    return this.#origin === undefined ? new Hold([]) : this.#origin.hold()
  }

  /** What `JSON.stringify` shows. Throws DESERIALIZATION. */
  toJSON(): object {
    return this.#record.toJSON()
  }

  /** What `console.log` shows. */
  [INSPECT](): object {
    return this.#record[INSPECT]()
  }

  #touch(): void {
    if (this.#touched) return
    this.#touched = true
    if (this.#origin?.settled === true) warnOfLateTouch(this.topic)
  }
}

let warned = false

/** Work that begins after a record was settled is lost when the process ends; it may be meant, so it is said once. */
function warnOfLateTouch(topic: string): void {
  if (warned) return
  warned = true
  const message =
    `a record of topic ${topic} was first read after it was settled: an RxJS operator (mergeMap, delay, bufferTime …) kept it for later, ` +
    'and what it keeps is lost when the process ends. Take record.hold() in the call that brings the record, and release() it after the work'
  process.emitWarning(message, 'MillraceWarning')
}
