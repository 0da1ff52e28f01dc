// One record as a consumer hands it out: positions in its batch, decoded on first touch.
// Private to the consumer's thread.

import { readHeaders } from '../../record/record.ts'
import { RecordHeaders } from '../headers.ts'
import { deserializeField } from '../serde.ts'
import { latin1Text } from '../latin1.ts'
import { noGroupError } from './group-errors.ts'
import type { RecordSource } from './record-source.ts'

/** The name by which Node.js asks an object how to print it. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * A record read from a topic. `key`, `value` and `headers` are decoded on first touch
 * and kept. The bytes they come from never change; keeping a record keeps its batch,
 * `copy()` lets go of it.
 */
export class ConsumerRecord<K = unknown, V = unknown> {
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly partition: number
  private readonly source: RecordSource
  private readonly bytes: Uint8Array<ArrayBuffer>
  private readonly keyStart: number
  private readonly keyEnd: number
  private readonly valueStart: number
  private readonly valueEnd: number
  private readonly headersStart: number
  private readonly headersEnd: number
  private readonly headerCount: number
  private decodedKey: K | undefined
  private decodedValue: V | undefined
  private decodedHeaders: RecordHeaders | undefined

  /** Made by the batch that holds it. */
  constructor(source: RecordSource, partition: number, bytes: Uint8Array<ArrayBuffer>, at: RecordPosition) {
    this.offset = at.offset
    this.timestamp = at.timestamp
    this.partition = partition
    this.source = source
    this.bytes = bytes
    this.keyStart = at.keyStart
    this.keyEnd = at.keyEnd
    this.valueStart = at.valueStart
    this.valueEnd = at.valueEnd
    this.headersStart = at.headersStart
    this.headersEnd = at.headersEnd
    this.headerCount = at.headerCount
    this.decodedKey = undefined
    this.decodedValue = undefined
    this.decodedHeaders = undefined
  }

  get topic(): string {
    return this.source.name
  }

  /** Throws DESERIALIZATION, naming topic, partition and offset, for bytes that the serde cannot decode. */
  get key(): K {
    if (this.decodedKey === undefined) this.decodedKey = this.#decode('key', this.keyStart, this.keyEnd) as K
    return this.decodedKey
  }

  /** Throws DESERIALIZATION, naming topic, partition and offset, for bytes that the serde cannot decode. */
  get value(): V {
    if (this.decodedValue === undefined) this.decodedValue = this.#decode('value', this.valueStart, this.valueEnd) as V
    return this.decodedValue
  }

  get headers(): RecordHeaders {
    this.decodedHeaders ??= new RecordHeaders(readHeaders(this.bytes, this.headersStart, this.headersEnd, this.headerCount))
    return this.decodedHeaders
  }

  /**
   * Settles this record, and no other, and commits, now: one past the highest offset below
   * which all is settled. Rejects as `batch.commit()`.
   */
  async commit(): Promise<void> {
    const { commits } = this.source
    if (commits === undefined) throw noGroupError('record.commit()')
    await commits.commitRecord(this.offset)
  }

  /** The same record in memory of its own: keep it as long as you like, its batch goes. */
  copy(): ConsumerRecord<K, V> {
    const starts = [this.keyStart, this.valueStart, this.headersStart].filter((start) => start >= 0)
    const from = Math.min(...starts, this.headersEnd)
    const shift = (position: number): number => (position < 0 ? position : position - from)
    const bytes = this.bytes.slice(from, this.headersEnd)
    return new ConsumerRecord<K, V>(this.source, this.partition, bytes, {
      offset: this.offset,
      timestamp: this.timestamp,
      keyStart: shift(this.keyStart),
      keyEnd: shift(this.keyEnd),
      valueStart: shift(this.valueStart),
      valueEnd: shift(this.valueEnd),
      headersStart: shift(this.headersStart),
      headersEnd: shift(this.headersEnd),
      headerCount: this.headerCount,
    })
  }

  /** What `JSON.stringify` shows: the record, and not the batch that it lies in. Throws DESERIALIZATION. */
  toJSON(): object {
    return recordJson(this)
  }

  /** What `console.log` shows. */
  [INSPECT](): object {
    return inspectedRecord(this)
  }

  #decode(field: 'key' | 'value', start: number, end: number): unknown {
    const serde = field === 'key' ? this.source.keySerde : this.source.valueSerde
    return deserializeField(serde, this.bytes, start, end, field, this.source.name, this.partition, this.offset)
  }
}

/** Where a record's parts lie in its batch; a RecordCursor is one. */
export interface RecordPosition {
  readonly offset: number
  readonly timestamp: number
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  readonly headersStart: number
  readonly headersEnd: number
  readonly headerCount: number
}

// --- for what is like a record -----------------------------------------------------

interface ShownRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: RecordHeaders
}

/** What `JSON.stringify` shows of it. Throws DESERIALIZATION. */
export function recordJson({ topic, partition, offset, timestamp, key, value, headers }: ShownRecord): object {
  return { topic, partition, offset, timestamp, key, value, headers: headers.toJSON() }
}

/** What `console.log` shows of it: where it cannot be decoded, the error. */
export function inspectedRecord(record: ShownRecord & { toJSON(): object }): object {
  try {
    return record.toJSON()
  } catch (error) {
    const { topic, partition, offset, timestamp } = record
    return { topic, partition, offset, timestamp, error }
  }
}

// --- for what works on records as bytes ------------------------------------------

/** The bytes of a record's key, a character each; null where it has none. It tells keys apart whatever their serde does. */
export function keyAsText(record: ConsumerRecord): string | null {
  const start = record['keyStart']
  return start < 0 ? null : latin1Text(record['bytes'], start, record['keyEnd'])
}

/** A record's key and value as they were written: views of its batch. */
export function rawRecord(record: ConsumerRecord): { key: Uint8Array | null; value: Uint8Array | null } {
  const part = (start: number, end: number): Uint8Array | null => (start < 0 ? null : record['bytes'].subarray(start, end))
  return { key: part(record['keyStart'], record['keyEnd']), value: part(record['valueStart'], record['valueEnd']) }
}

/** A copy in memory of its own, and how many bytes that is. */
export function detachedRecord<K, V>(record: ConsumerRecord<K, V>): { record: ConsumerRecord<K, V>; bytes: number } {
  const copy = record.copy()
  return { record: copy, bytes: copy['bytes'].length }
}
