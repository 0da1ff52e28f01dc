// A whole batch compressed, and as if it never had been (Kafka: MemoryRecordsBuilder with a
// compression, DefaultRecordBatch.compressedIterator). Any thread, on memory private to it.
//
//   uncompressed   header │ record │ record │ …
//   compressed     header │ one stream of the codec that holds them all
//
// The headers differ in length, attributes and CRC alone: offsets, times, producer and counts
// are the records', so whoever looks at headers only need not know.
// Holds: as in Kafka, a batch that does not become smaller is compressed all the same.

import { allocateBytes } from './codec-memory.ts'
import { codecOf } from './codec-table.ts'
import {
  ATTRIBUTES,
  ATTRIBUTE_COMPRESSION_MASK,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH,
  BATCH_LENGTH_OVERHEAD_BYTES,
  CRC,
} from './record-batch-layout.ts'
import { batchSizeInBytes, compressionType, writeCrc, writeInt32 } from './record-batch.ts'

/** The most that the records of one batch may take; Kafka has no such bound, and its own clients stay far below. */
export const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024

/** Memory that grows as it is needed, by being replaced. */
export interface GrowingBytes {
  bytes: Uint8Array<ArrayBuffer>
  length: number
}

/** The uncompressed batch in bytes[start, end), compressed with that codec, in memory of its own. Without its CRC the field is 0. */
export function compressBatch(
  bytes: Uint8Array,
  start: number,
  end: number,
  compression: { readonly type: number; readonly level: number },
  options: { readonly withCrc: boolean },
): Uint8Array<ArrayBuffer> {
  const records = codecOf(compression.type).compress(bytes.subarray(start + BATCH_HEADER_BYTES, end), compression.level)
  const batch = allocateBytes(BATCH_HEADER_BYTES + records.length)
  batch.set(bytes.subarray(start, start + BATCH_HEADER_BYTES))
  batch.set(records, BATCH_HEADER_BYTES)
  writeForm(batch, 0, batch.length, compression.type)
  if (options.withCrc) writeCrc(batch, 0, batch.length)
  return batch
}

/** The batch in bytes[start, end) without its compression, in memory of its own. Throws as `appendDecompressed`. */
export function decompressBatch(bytes: Uint8Array, start: number, end: number, maxBytes = DECOMPRESSED_BYTES_MAX): Uint8Array<ArrayBuffer> {
  const target: GrowingBytes = { bytes: allocateBytes(end - start), length: 0 }
  appendDecompressed(bytes, start, end, target, maxBytes)
  return target.bytes.subarray(0, target.length)
}

/**
 * Writes the batch in bytes[start, end) behind what `target` holds, without its compression if it has one; its CRC is 0 then.
 * Throws CORRUPT_MESSAGE, RECORD_LIST_TOO_LARGE where its records take more than `maxBytes`, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function appendDecompressed(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: GrowingBytes,
  maxBytes = DECOMPRESSED_BYTES_MAX,
): void {
  const at = target.length
  const type = compressionType(bytes, start)
  // What compaction left empty has no stream.
  if (type === 0 || end - start === BATCH_HEADER_BYTES) {
    reserve(target, at + end - start)
    target.bytes.set(bytes.subarray(start, end), at)
    target.length = at + end - start
    return
  }
  const records = codecOf(type).decompress(bytes.subarray(start + BATCH_HEADER_BYTES, end), maxBytes)
  const length = at + BATCH_HEADER_BYTES + records.length
  reserve(target, length)
  target.bytes.set(bytes.subarray(start, start + BATCH_HEADER_BYTES), at)
  target.bytes.set(records, at + BATCH_HEADER_BYTES)
  writeForm(target.bytes, at, length, 0)
  target.length = length
}

/** Whether one of the whole batches that fill bytes[start, end) is compressed. */
export function hasCompressed(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += batchSizeInBytes(bytes, at)) if (compressionType(bytes, at) !== 0) return true
  return false
}

/** What the header says of the form of its records; the CRC is of another form now. */
function writeForm(bytes: Uint8Array, start: number, end: number, type: number): void {
  writeInt32(bytes, start + BATCH_LENGTH, end - start - BATCH_LENGTH_OVERHEAD_BYTES)
  bytes[start + ATTRIBUTES + 1] = (bytes[start + ATTRIBUTES + 1]! & ~ATTRIBUTE_COMPRESSION_MASK) | type
  writeInt32(bytes, start + CRC, 0)
}

function reserve(target: GrowingBytes, sizeInBytes: number): void {
  if (target.bytes.length >= sizeInBytes) return
  const before = target.bytes
  target.bytes = allocateBytes(2 ** Math.ceil(Math.log2(sizeInBytes)))
  target.bytes.set(before.subarray(0, target.length))
}
