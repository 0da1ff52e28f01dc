// Record headers as users give and read them: order and duplicates kept, as in Kafka
// (KIP-82). Values given as text are written as UTF-8.

import { show } from '../config-def.ts'
import { MillraceError } from '../errors.ts'
import { EncodedHeaders } from '../record/encoded-headers.ts'
import { readHeaders } from '../record/record.ts'
import type { RecordHeader } from '../record/record.ts'

/** The value of a header to send: text, written as UTF-8, bytes, or null. */
export type HeaderValue = string | Uint8Array | null

/** Headers to send: an object, pairs where a name stands twice or order matters, or those of a record that was read. */
export type Headers = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, HeaderValue]> | RecordHeaders

// The mark that begins some UTF-8 files is part of a value like any other character.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Headers as the batch builder takes them, written to memory that is used again. Private
 * to the producer's thread. Reading a user's headers may run the user's code, which may
 * send other records: they get other memory while this one is in use.
 */
export class HeaderEncoder {
  #spare: EncodedHeaders | undefined

  /** To be given back with `done`. Throws SERIALIZATION. */
  encode(headers: Headers | undefined): EncodedHeaders | null {
    if (headers === undefined) return null
    const encoded = this.#spare ?? new EncodedHeaders()
    this.#spare = undefined
    encodeHeaders(encoded, headers)
    return encoded
  }

  /** They are in their batch, or not sent. */
  done(encoded: EncodedHeaders | null): void {
    if (encoded !== null) this.#spare = encoded
  }
}

function encodeHeaders(encoded: EncodedHeaders, headers: Headers): void {
  encoded.reset()
  if (headers instanceof RecordHeaders) {
    for (const { key, value } of headers) encoded.add(key, value)
    return
  }
  if (typeof headers !== 'object' || headers === null) {
    throw new MillraceError('SERIALIZATION', `headers are an object { name: value } or pairs [[name, value], …], not ${show(headers)}`)
  }
  if (!(Symbol.iterator in headers)) {
    // Unlike Object.keys it makes no array.
    for (const name in headers) if (Object.hasOwn(headers, name)) addHeader(encoded, name, headers[name])
    return
  }
  for (const pair of headers as Iterable<unknown>) {
    if (!Array.isArray(pair)) throw new MillraceError('SERIALIZATION', `a header is a pair [name, value], not ${show(pair)}`)
    const [name, value] = pair as [unknown, unknown]
    if (typeof name !== 'string') throw new MillraceError('SERIALIZATION', `a header name must be a string, not ${typeof name}`)
    addHeader(encoded, name, value)
  }
}

function addHeader(encoded: EncodedHeaders, name: string, value: unknown): void {
  if (typeof value === 'string' || value === null || value instanceof Uint8Array) encoded.add(name, value)
  else throw new MillraceError('SERIALIZATION', `header "${name}" must be a string, a Uint8Array or null, not ${typeof value}`)
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

/** Headers to send, as they are read. Throws SERIALIZATION. */
export function headersAsRead(headers: Headers): RecordHeaders {
  if (headers instanceof RecordHeaders) return headers
  const encoded = new EncodedHeaders()
  encodeHeaders(encoded, headers)
  return new RecordHeaders(readHeaders(encoded.bytes, 0, encoded.length, encoded.count))
}
