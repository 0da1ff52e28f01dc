// One record batch in place: its header's fields read and stamped where they lie.
// Any thread; `bytes` may be a view of shared memory, then what was read must be
// checked again as its owner prescribes.
// Holds: nothing here allocates, but for the error that is thrown; picture of the
// bytes in record-batch-layout.ts.

import { KAFKA_ERRORS } from '../errors.ts'
import { corruptBatch } from './batch-errors.ts'
import { crc32c } from './crc32c.ts'
import {
  ATTRIBUTE_COMPRESSION_MASK,
  ATTRIBUTE_CONTROL,
  ATTRIBUTE_LOG_APPEND_TIME,
  ATTRIBUTE_TRANSACTIONAL,
  ATTRIBUTES,
  BASE_OFFSET,
  BASE_SEQUENCE,
  BASE_TIMESTAMP,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH,
  BATCH_LENGTH_OVERHEAD_BYTES,
  COMPRESSION_NAMES,
  CRC,
  CRC_START,
  LAST_OFFSET_DELTA,
  LEADER_EPOCH,
  MAGIC,
  MAGIC_V2,
  MAX_TIMESTAMP,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  RECORD_BYTES_MIN,
  RECORD_COUNT,
} from './record-batch-layout.ts'

const TWO_POW_32 = 0x1_0000_0000
/** The high words of safe integers lie between this and its negative. */
const SAFE_HIGH_WORD = 0x20_0000

/** Whole bytes of the batch at `start`, header included, as its header says. */
export function batchSizeInBytes(bytes: Uint8Array, start: number): number {
  return readInt32(bytes, start + BATCH_LENGTH) + BATCH_LENGTH_OVERHEAD_BYTES
}

export function baseOffset(bytes: Uint8Array, start: number): number {
  return readInt64(bytes, start + BASE_OFFSET)
}

export function lastOffsetDelta(bytes: Uint8Array, start: number): number {
  return readInt32(bytes, start + LAST_OFFSET_DELTA)
}

/** The offset behind the batch's last: where the next batch begins. */
export function nextOffset(bytes: Uint8Array, start: number): number {
  return baseOffset(bytes, start) + lastOffsetDelta(bytes, start) + 1
}

export function leaderEpoch(bytes: Uint8Array, start: number): number {
  return readInt32(bytes, start + LEADER_EPOCH)
}

export function recordCount(bytes: Uint8Array, start: number): number {
  return readInt32(bytes, start + RECORD_COUNT)
}

export function attributes(bytes: Uint8Array, start: number): number {
  return readInt16(bytes, start + ATTRIBUTES)
}

/** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export function compressionType(bytes: Uint8Array, start: number): number {
  return bytes[start + ATTRIBUTES + 1]! & ATTRIBUTE_COMPRESSION_MASK
}

export function isLogAppendTime(bytes: Uint8Array, start: number): boolean {
  return (bytes[start + ATTRIBUTES + 1]! & ATTRIBUTE_LOG_APPEND_TIME) !== 0
}

export function isTransactional(bytes: Uint8Array, start: number): boolean {
  return (bytes[start + ATTRIBUTES + 1]! & ATTRIBUTE_TRANSACTIONAL) !== 0
}

export function isControlBatch(bytes: Uint8Array, start: number): boolean {
  return (bytes[start + ATTRIBUTES + 1]! & ATTRIBUTE_CONTROL) !== 0
}

export function baseTimestamp(bytes: Uint8Array, start: number): number {
  return readInt64(bytes, start + BASE_TIMESTAMP)
}

export function maxTimestamp(bytes: Uint8Array, start: number): number {
  return readInt64(bytes, start + MAX_TIMESTAMP)
}

export function producerId(bytes: Uint8Array, start: number): number {
  return readInt64(bytes, start + PRODUCER_ID)
}

export function producerEpoch(bytes: Uint8Array, start: number): number {
  return readInt16(bytes, start + PRODUCER_EPOCH)
}

export function baseSequence(bytes: Uint8Array, start: number): number {
  return readInt32(bytes, start + BASE_SEQUENCE)
}

export function batchCrc(bytes: Uint8Array, start: number): number {
  return readInt32(bytes, start + CRC) >>> 0
}

/** Whether the CRC in the header is that of the bytes; [start, end) is one batch. */
export function isCrcValid(bytes: Uint8Array, start: number, end: number): boolean {
  return batchCrc(bytes, start) === crc32c(bytes, start + CRC_START, end)
}

/**
 * The check of a batch that comes off a lane, of its header only: 0, or the code of
 * Kafka's error. [start, end) is the one batch; nothing is thrown, nothing allocated.
 * Batches from outside the process take `validateBatch`.
 */
export function checkBatchHeader(bytes: Uint8Array, start: number, end: number): number {
  const size = end - start
  if (size < BATCH_HEADER_BYTES || batchSizeInBytes(bytes, start) !== size) return KAFKA_ERRORS.CORRUPT_MESSAGE
  if (bytes[start + MAGIC] !== MAGIC_V2) return KAFKA_ERRORS.CORRUPT_MESSAGE
  const compression = compressionType(bytes, start)
  if (compression >= COMPRESSION_NAMES.length) return KAFKA_ERRORS.UNSUPPORTED_COMPRESSION_TYPE
  if (isControlBatch(bytes, start)) return KAFKA_ERRORS.INVALID_RECORD
  const count = recordCount(bytes, start)
  const room = size - BATCH_HEADER_BYTES
  // How many records a stream of so many bytes may hold, only its readers find out.
  if (count < 1 || (compression === 0 ? count > room / RECORD_BYTES_MIN : room === 0)) return KAFKA_ERRORS.CORRUPT_MESSAGE
  if (lastOffsetDelta(bytes, start) !== count - 1) return KAFKA_ERRORS.CORRUPT_MESSAGE
  if (!isSafe(bytes, start + BASE_TIMESTAMP) || !isSafe(bytes, start + MAX_TIMESTAMP)) return KAFKA_ERRORS.CORRUPT_MESSAGE
  return isSafe(bytes, start + PRODUCER_ID) ? 0 : KAFKA_ERRORS.CORRUPT_MESSAGE
}

/** The twelve bytes that a leader writes into an appended batch; neither range is under the CRC. */
export function stampBatch(bytes: Uint8Array, start: number, offset: number, epoch: number): void {
  writeInt64(bytes, start + BASE_OFFSET, offset)
  writeInt32(bytes, start + LEADER_EPOCH, epoch)
}

/** Stamps another producer epoch and sequence into a batch that was built; its CRC must be written anew. */
export function stampProducer(bytes: Uint8Array, start: number, id: number, epoch: number, sequence: number): void {
  writeInt64(bytes, start + PRODUCER_ID, id)
  writeInt16(bytes, start + PRODUCER_EPOCH, epoch)
  writeInt32(bytes, start + BASE_SEQUENCE, sequence)
}

/** Makes the append time the timestamp of every record (LogAppendTime); the CRC must be written anew. */
export function stampLogAppendTime(bytes: Uint8Array, start: number, timestampMs: number): void {
  bytes[start + ATTRIBUTES + 1]! |= ATTRIBUTE_LOG_APPEND_TIME
  writeInt64(bytes, start + MAX_TIMESTAMP, timestampMs)
}

/** Computes the CRC of the one batch in [start, end) and writes it. */
export function writeCrc(bytes: Uint8Array, start: number, end: number): void {
  writeInt32(bytes, start + CRC, crc32c(bytes, start + CRC_START, end))
}

export function readInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16)) >> 16
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** A 64-bit field as a number; one beyond 2^53 - 1 is refused. */
export function readInt64(bytes: Uint8Array, at: number): number {
  if (!isSafe(bytes, at)) throw corruptBatch('a 64-bit number that is no safe integer', at)
  return readInt32(bytes, at) * TWO_POW_32 + (readInt32(bytes, at + 4) >>> 0)
}

export function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

/** Writes a safe integer as a 64-bit field. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  writeInt32(bytes, at, Math.floor(value / TWO_POW_32))
  // ToInt32 takes a number modulo 2^32, so this is the low word of negative numbers too.
  writeInt32(bytes, at + 4, value | 0)
}

function isSafe(bytes: Uint8Array, at: number): boolean {
  const high = readInt32(bytes, at)
  if (high >= SAFE_HIGH_WORD || high < -SAFE_HIGH_WORD) return false
  // -2^53 alone has a safe high word and is not safe.
  return high !== -SAFE_HIGH_WORD || readInt32(bytes, at + 4) !== 0
}
