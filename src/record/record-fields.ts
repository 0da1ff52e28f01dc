// The sizes of a record's fields as they will lie in a batch, and the copy of one.
// Pure; runs on the producer's thread.

import type { RecordBytes } from './record.ts'
import { sizeOfVarint } from './varint.ts'

/** Up to here a loop beats the fixed cost of a native copy (about 12 ns). */
export const LOOP_BYTES_MAX = 16
/** Up to here a loop beats the fixed cost of Node's own writing of text (about 40 ns). */
export const LOOP_CHARACTERS_MAX = 12
/** UTF-8 of a UTF-16 code unit: a pair of them takes four bytes. */
export const UTF8_BYTES_MAX = 3
/** A record of two fields below this is itself below 8,192. */
export const SMALL_FIELD = 0xff0

/** Bytes of a field; -1 for null. */
export function utf8Bytes(field: RecordBytes): number {
  if (field === null) return -1
  if (typeof field !== 'string') return field.length
  const length = field.length
  if (length > LOOP_CHARACTERS_MAX) return Buffer.byteLength(field)
  let seen = 0
  for (let i = 0; i < length; i++) seen |= field.charCodeAt(i)
  return seen < 0x80 ? length : Buffer.byteLength(field)
}

/** Bytes of a key or value with its length before it; -1 is null. */
export function sizeOfField(length: number): number {
  return sizeOfVarint(length) + (length < 0 ? 0 : length)
}

export function isLong(field: RecordBytes): boolean {
  return field !== null && field.length >= SMALL_FIELD
}

export function copyField(bytes: Uint8Array, at: number, source: Uint8Array, length: number): void {
  if (length > LOOP_BYTES_MAX) bytes.set(source, at)
  else for (let i = 0; i < length; i++) bytes[at + i] = source[i]!
}
