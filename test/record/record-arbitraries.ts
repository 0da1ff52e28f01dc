// Records of all kinds for property tests, as a producer hands them over.

import fc from 'fast-check'
import { EncodedHeaders } from '../../src/record/encoded-headers.ts'
import type { RecordBytes } from '../../src/record/record.ts'
import type { PlainRecord } from './plain-batch.ts'

export interface SentHeader {
  readonly key: string
  readonly value: RecordBytes
}

export interface SentRecord {
  readonly timestamp: number
  readonly key: RecordBytes
  readonly value: RecordBytes
  readonly headers: readonly SentHeader[] | null
}

const utf8 = new TextEncoder()

/** Texts of any UTF-16: surrogates come in pairs, alone and the wrong way round. */
const wideTexts = fc
  .array(fc.oneof(fc.nat(0x7f), fc.integer({ min: 0x80, max: 0xffff }), fc.integer({ min: 0xd800, max: 0xdfff })), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes))
const asciiTexts = fc.string({ unit: 'binary-ascii', maxLength: 100 })
const bytes = fc.uint8Array({ maxLength: 100 })

/** Beside these lengths a varint grows, or a field or its record leaves the builder's short way. */
const edgeLengths = fc
  .tuple(fc.constantFrom(12, 16, 63, 0xff0, 4_096, 8_192), fc.integer({ min: -8, max: 2 }))
  .map(([length, step]) => length + step)
const edges = fc
  .tuple(edgeLengths, fc.constantFrom('a', 'ü', '中', '😀', '\ud800'), fc.boolean())
  .map(([length, unit, isText]) => (isText ? unit.repeat(length) : new Uint8Array(length).fill(unit.charCodeAt(0))))
/** One wide character at the end of a text, which the builder must not take for ASCII. */
const lateTexts = fc
  .tuple(fc.nat(40), fc.constantFrom('\u0080', 'é', '中', '😀', '\udfff'))
  .map(([length, character]) => 'x'.repeat(length) + character)

const fields: fc.Arbitrary<RecordBytes> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: bytes },
  { weight: 3, arbitrary: asciiTexts },
  { weight: 3, arbitrary: wideTexts },
  { weight: 2, arbitrary: lateTexts },
  { weight: 1, arbitrary: edges },
)

const headers: fc.Arbitrary<readonly SentHeader[] | null> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.record({ key: fc.oneof(asciiTexts, wideTexts, lateTexts), value: fc.oneof(fc.option(bytes), asciiTexts, wideTexts, lateTexts) }),
      { maxLength: 5 },
    ),
  },
)

/** Timestamps are near each other or far apart, in any order. */
export const TIMESTAMP_MAX = Number.MAX_SAFE_INTEGER - 1
const timestamps = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_003 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_020_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -1, max: TIMESTAMP_MAX }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, TIMESTAMP_MAX) },
)

export const sentRecords = fc.record({ timestamp: timestamps, key: fields, value: fields, headers })

function toBytes(sent: RecordBytes): Uint8Array<ArrayBuffer> | null {
  return sent === null ? null : typeof sent === 'string' ? utf8.encode(sent) : new Uint8Array(sent)
}

/** The record as its bytes should be. */
export function toPlain({ timestamp, key, value, headers: sent }: SentRecord): PlainRecord {
  return {
    timestamp,
    key: toBytes(key),
    value: toBytes(value),
    headers: (sent ?? []).map((header) => ({ key: utf8.encode(header.key), value: toBytes(header.value) })),
  }
}

/** Headers as the builder takes them. */
export function toEncoded(sent: readonly SentHeader[] | null): EncodedHeaders | null {
  if (sent === null) return null
  const encoded = new EncodedHeaders()
  for (const { key, value } of sent) encoded.add(key, value)
  return encoded
}
