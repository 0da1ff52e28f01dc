// The headers of a record: pairs of a text key and a value, in order; keys may repeat (KIP-82).
// Pure; decoded on the reader's thread, only when asked for.
// Holds: nothing is read outside the given range, and nothing is allocated that the
// range's size does not account for, whatever the bytes say.

import { corruptBatch } from './batch-errors.ts'
import { HEADER_BYTES_MIN } from './record-batch-layout.ts'
import { VarintReader } from './varint.ts'

/** A header: a name, which may stand several times in a record, and its value as bytes or null. */
export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** A key or value to write: bytes, a text that is written as UTF-8, or null. */
export type RecordBytes = Uint8Array | string | null

const NO_HEADERS: readonly RecordHeader[] = []
// The mark that begins some UTF-8 files is part of a key like any other character.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const reader = new VarintReader()

/**
 * Reads the `count` headers that fill bytes[start, end), as a cursor gives them.
 * Values are views of `bytes`. Throws CORRUPT_MESSAGE when the bytes are no such headers.
 */
export function readHeaders(bytes: Uint8Array, start: number, end: number, count: number): readonly RecordHeader[] {
  if (count === 0 && start === end) return NO_HEADERS
  reader.reset(bytes, start, end)
  checkHeaderCount(reader, count)
  const headers: RecordHeader[] = []
  for (let i = 0; i < count; i++) {
    const keyLength = reader.readLength(false)
    const key = decoder.decode(bytes.subarray(reader.position, reader.position + keyLength))
    reader.position += keyLength
    const valueLength = reader.readLength(true)
    const value = valueLength < 0 ? null : bytes.subarray(reader.position, reader.position + valueLength)
    reader.position += Math.max(0, valueLength)
    headers.push({ key, value })
  }
  checkHeadersEnd(reader)
  return headers
}

/** Checks the `count` headers from the reader's position to its limit, and decodes none. */
export function checkHeaders(headers: VarintReader, count: number): void {
  checkHeaderCount(headers, count)
  for (let i = 0; i < count; i++) {
    // In two steps: `+=` would take the position from before the length was read.
    const keyLength = headers.readLength(false)
    headers.position += keyLength
    const valueLength = headers.readLength(true)
    headers.position += Math.max(0, valueLength)
  }
  checkHeadersEnd(headers)
}

function checkHeaderCount(headers: VarintReader, count: number): void {
  if (count >= 0 && count * HEADER_BYTES_MIN <= headers.limit - headers.position) return
  throw corruptBatch(`${count} headers in ${headers.limit - headers.position} bytes`, headers.position)
}

function checkHeadersEnd(headers: VarintReader): void {
  if (headers.position === headers.limit) return
  throw corruptBatch(`${headers.limit - headers.position} bytes behind the last header`, headers.position)
}
