// Batches for tests of the log: a sound header, and a body that says which batch it is,
// so that bytes of two batches mixed, or of one moved, are seen. The batch's number
// stands in baseSequence, which no leader stamps.

import {
  BASE_SEQUENCE,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH,
  LAST_OFFSET_DELTA,
  MAGIC,
  MAX_TIMESTAMP,
  RECORD_COUNT,
} from '../../src/record/record-batch-layout.ts'
import { baseOffset, baseSequence, batchSizeInBytes, nextOffset, writeInt32, writeInt64 } from '../../src/record/record-batch.ts'

export interface PatternBatch {
  readonly number: number
  readonly sizeInBytes: number
  readonly records: number
  readonly timestampMs?: number
}

export function fillBatch(bytes: Uint8Array, start: number, batch: PatternBatch): void {
  const end = start + batch.sizeInBytes
  bytes.fill(0, start, start + BATCH_HEADER_BYTES)
  writeInt32(bytes, start + BATCH_LENGTH, batch.sizeInBytes - 12)
  bytes[start + MAGIC] = 2
  writeInt32(bytes, start + LAST_OFFSET_DELTA, batch.records - 1)
  writeInt64(bytes, start + MAX_TIMESTAMP, batch.timestampMs ?? 0)
  writeInt32(bytes, start + BASE_SEQUENCE, batch.number)
  writeInt32(bytes, start + RECORD_COUNT, batch.records)
  for (let at = start + BATCH_HEADER_BYTES; at < end; at++) bytes[at] = bodyByte(batch.number, at - start)
}

export function patternBatch(batch: PatternBatch): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(batch.sizeInBytes)
  fillBatch(bytes, 0, batch)
  return bytes
}

/** What is wrong with the whole batch at `start`, undefined when nothing is. */
export function batchFault(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start < BATCH_HEADER_BYTES) return `only ${end - start} bytes at ${start}`
  const size = batchSizeInBytes(bytes, start)
  if (size < BATCH_HEADER_BYTES || size > end - start) return `a batch of ${size} bytes at ${start}, ${end - start} are there`
  const number = baseSequence(bytes, start)
  for (let at = BATCH_HEADER_BYTES; at < size; at++) {
    if (bytes[start + at] !== bodyByte(number, at)) return `byte ${at} of batch ${number} is another's`
  }
  return undefined
}

export interface SeenBatch {
  readonly number: number
  readonly baseOffset: number
  readonly nextOffset: number
  readonly sizeInBytes: number
}

/** The batches in bytes[0, length); throws when one is damaged. */
export function seenBatches(bytes: Uint8Array, length: number): SeenBatch[] {
  const seen: SeenBatch[] = []
  for (let at = 0; at < length; ) {
    const fault = batchFault(bytes, at, length)
    if (fault !== undefined) throw new Error(fault)
    const sizeInBytes = batchSizeInBytes(bytes, at)
    seen.push({ number: baseSequence(bytes, at), baseOffset: baseOffset(bytes, at), nextOffset: nextOffset(bytes, at), sizeInBytes })
    at += sizeInBytes
  }
  return seen
}

function bodyByte(number: number, at: number): number {
  return (Math.imul(number, 31) + at + (number >>> 8)) & 0xff
}
