// A record as it flows through a chain: what the consumer read, and its hold.

import { INSPECT } from '../client/consumer/consumer-record.ts'
import type { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import type { Headers, RecordHeaders } from '../client/headers.ts'
import { ChangedRecord } from './changed-record.ts'
import type { RecordFields } from './changed-record.ts'
import { Hold } from './hold.ts'
import type { Origin } from './hold.ts'

/** What `record.with` puts in the place of what the record has; what is left out stays. */
export interface RecordChanges<K, V> {
  readonly key?: K
  readonly value?: V
  /** Milliseconds since the epoch. */
  readonly timestamp?: number
  readonly headers?: Headers
}

/**
 * A record of a chain, as `fromTopic` emits it. `key`, `value` and `headers` are decoded on
 * first touch; the first two throw DESERIALIZATION, naming topic, partition and offset, for
 * bytes that the topic's serde cannot decode. The bytes never change, and keeping a record
 * keeps its batch.
 */
export class MillraceRecord<K = string | null, V = unknown> {
  private readonly record: RecordFields<K, V>
  private readonly origin: Origin | undefined
  private isTouched: boolean

  /** Made by `fromTopic`. */
  constructor(record: RecordFields<K, V>, origin: Origin | undefined, isTouched = false) {
    this.record = record
    this.origin = origin
    this.isTouched = isTouched
  }

  get topic(): string {
    return this.record.topic
  }

  get partition(): number {
    return this.record.partition
  }

  get offset(): number {
    return this.record.offset
  }

  /** Milliseconds since the epoch. */
  get timestamp(): number {
    return this.record.timestamp
  }

  get key(): K {
    if (!this.isTouched) this.#touch()
    return this.record.key
  }

  get value(): V {
    if (!this.isTouched) this.#touch()
    return this.record.value
  }

  get headers(): RecordHeaders {
    if (!this.isTouched) this.#touch()
    return this.record.headers
  }

  /**
   * Keeps the record from being settled until `release()`, for work that goes on after
   * `next` has returned. Throws SETTLED_EARLY when it is settled already. Under
   * `lossless: false` there is nothing to keep.
   */
  hold(): Hold {
    return new Hold(this.origin ?? [])
  }

  /** A record with another key, value, time or headers, that came from where this one did, and is held with it. */
  with<K2 = K, V2 = V>(changes: RecordChanges<K2, V2>): MillraceRecord<K2, V2> {
    return new MillraceRecord(new ChangedRecord<K2, V2>(this.record, changes), this.origin, this.isTouched)
  }

  /** What `JSON.stringify` shows. Throws DESERIALIZATION. */
  toJSON(): object {
    return this.record.toJSON()
  }

  /** What `console.log` shows. */
  [INSPECT](): object {
    return this.record[INSPECT]()
  }

  #touch(): void {
    this.isTouched = true
    if (this.origin?.settled === true && !this.origin.isLossy) warnOfLateTouch(this.topic)
  }
}

/** Where a record came from, for operators; undefined under `lossless: false`. */
export function originOf(record: MillraceRecord<never, never> | MillraceRecord<unknown, unknown>): Origin | undefined {
  return record['origin']
}

/** What was read, whatever was made of it since. */
export function readRecordOf(record: MillraceRecord<never, never> | MillraceRecord<unknown, unknown>): ConsumerRecord {
  let fields: RecordFields<unknown, unknown> = record['record']
  while (fields instanceof ChangedRecord) fields = fields.before
  return fields as ConsumerRecord
}

let warned = false

/** Work that begins after a record was settled is lost when the process ends; it may be meant, so it is said once. */
function warnOfLateTouch(topic: string): void {
  if (warned) return
  warned = true
  const message =
    `a record of topic ${topic} was first read after it was settled: an RxJS operator (mergeMap, delay, bufferTime …) kept it for later, ` +
    'and what it keeps is lost when the process ends. Do that work inside process(…), or take record.hold() in the call that brings the ' +
    'record, and release() it after the work'
  process.emitWarning(message, 'MillraceWarning')
}
