// Record headers as users give and read them: order and duplicates kept, as in Kafka
// (KIP-82). Values given as text are written as UTF-8.

import { show } from '../config-def.ts'
import { MillraceError } from '../errors.ts'
import type { RecordHeader } from '../record/record.ts'

/** The value of a header to send: text, written as UTF-8, bytes, or null. */
export type HeaderValue = string | Uint8Array | null

/** Headers to send: an object, pairs where a name stands twice or order matters, or those of a record that was read. */
export type Headers = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, HeaderValue]> | RecordHeaders

const encoder = new TextEncoder()
// The mark that begins some UTF-8 files is part of a value like any other character.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Headers as the batch builder takes them; throws SERIALIZATION. */
export function toRecordHeaders(headers: Headers): readonly RecordHeader[] {
  if (headers instanceof RecordHeaders) return [...headers]
  if (typeof headers !== 'object' || headers === null) {
    throw new MillraceError('SERIALIZATION', `headers are an object { name: value } or pairs [[name, value], …], not ${show(headers)}`)
  }
  const pairs: Iterable<unknown> = Symbol.iterator in headers ? headers : Object.entries(headers)
  const result: RecordHeader[] = []
  for (const pair of pairs) {
    if (!Array.isArray(pair)) throw new MillraceError('SERIALIZATION', `a header is a pair [name, value], not ${show(pair)}`)
    const [key, value] = pair as [unknown, unknown]
    if (typeof key !== 'string') throw new MillraceError('SERIALIZATION', `a header name must be a string, not ${typeof key}`)
    if (value !== null && typeof value !== 'string' && !(value instanceof Uint8Array)) {
      throw new MillraceError('SERIALIZATION', `header "${key}" must be a string, a Uint8Array or null, not ${typeof value}`)
    }
    result.push({ key, value: typeof value === 'string' ? encoder.encode(value) : value })
  }
  return result
}

/**
 * The headers of a record that was read, in order; a name may stand several times (KIP-82).
 * Iterating gives `{ key, value }` each, the value as bytes or null. `send` takes them as
 * they are: `headers: record.headers`.
 */
export class RecordHeaders implements Iterable<RecordHeader> {
  readonly #headers: readonly RecordHeader[]

  constructor(headers: readonly RecordHeader[]) {
    this.#headers = headers
  }

  /** How many there are, duplicates counted. */
  get size(): number {
    return this.#headers.length
  }

  /** The last header of that name as text; undefined where there is none, null where its value is null. */
  get(name: string): string | null | undefined {
    const value = this.getBytes(name)
    return value === undefined || value === null ? value : decoder.decode(value)
  }

  /** The last header of that name as bytes; undefined where there is none, null where its value is null. */
  getBytes(name: string): Uint8Array | null | undefined {
    for (let i = this.#headers.length - 1; i >= 0; i--) if (this.#headers[i]!.key === name) return this.#headers[i]!.value
    return undefined
  }

  /** Every value of that name as text, in order; null where a value is null. */
  getAll(name: string): (string | null)[] {
    return this.#headers.filter((header) => header.key === name).map(({ value }) => (value === null ? null : decoder.decode(value)))
  }

  /** Pairs of name and text. */
  toJSON(): [string, string | null][] {
    return this.#headers.map(({ key, value }) => [key, value === null ? null : decoder.decode(value)])
  }

  [Symbol.iterator](): Iterator<RecordHeader> {
    return this.#headers[Symbol.iterator]()
  }
}
