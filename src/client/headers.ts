// Record headers as users give and read them: order and duplicates kept, as in Kafka
// (KIP-82). Values given as text are written as UTF-8.

import { MillraceError } from '../errors.ts'
import type { RecordHeader } from '../record/record.ts'

export type HeaderValue = string | Uint8Array | null

/** Headers to send: an object, or pairs where a name stands twice. */
export type Headers = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, HeaderValue]>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function toRecordHeaders(headers: Headers): RecordHeader[] {
  const pairs = Symbol.iterator in headers ? headers : Object.entries(headers as Readonly<Record<string, HeaderValue>>)
  const result: RecordHeader[] = []
  for (const [key, value] of pairs as Iterable<readonly [string, HeaderValue]>) {
    if (typeof key !== 'string') throw new MillraceError('SERIALIZATION', `a header name must be a string, not ${typeof key}`)
    if (value !== null && typeof value !== 'string' && !(value instanceof Uint8Array)) {
      throw new MillraceError('SERIALIZATION', `header "${key}" must be a string, a Uint8Array or null, not ${typeof value}`)
    }
    result.push({ key, value: typeof value === 'string' ? encoder.encode(value) : value })
  }
  return result
}

/** The headers of a record that was read. */
export class RecordHeaders implements Iterable<RecordHeader> {
  readonly #headers: readonly RecordHeader[]

  constructor(headers: readonly RecordHeader[]) {
    this.#headers = headers
  }

  get size(): number {
    return this.#headers.length
  }

  /** The last header of that name as text; undefined where there is none, null where its value is null. */
  get(name: string): string | null | undefined {
    const value = this.getBytes(name)
    return value === undefined || value === null ? value : decoder.decode(value)
  }

  /** The same as bytes. */
  getBytes(name: string): Uint8Array | null | undefined {
    for (let i = this.#headers.length - 1; i >= 0; i--) if (this.#headers[i]!.key === name) return this.#headers[i]!.value
    return undefined
  }

  /** Every header of that name, in order. */
  getAll(name: string): (string | null)[] {
    return this.#headers.filter((header) => header.key === name).map(({ value }) => (value === null ? null : decoder.decode(value)))
  }

  [Symbol.iterator](): Iterator<RecordHeader> {
    return this.#headers[Symbol.iterator]()
  }
}
