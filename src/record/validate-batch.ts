// The deep check of a batch from outside the process (Kafka: LogValidator): the wire,
// a follower's leader, a file. Any thread, on memory private to it.
//
// Holds: a batch that passes says the truth. Its bytes are as long as it says; its
// records fill it, as many as it says, each with whole fields and headers; offsets rise
// up to the last offset; the maximum timestamp is that of the records; every 64-bit
// number is a safe integer. Batches from lanes take `checkBatchHeader`. A compressed one is
// checked decompressed (batch-compression.ts), which tells its CRC from the bytes it came as.

import { corruptBatch, unsupportedCompression } from './batch-errors.ts'
import { BATCH_HEADER_BYTES, MAGIC, MAGIC_V2 } from './record-batch-layout.ts'
import {
  baseOffset,
  batchSizeInBytes,
  baseTimestamp,
  compressionType,
  isCrcValid,
  isLogAppendTime,
  lastOffsetDelta,
  maxTimestamp,
  producerId,
  recordCount,
} from './record-batch.ts'
import { RecordCursor } from './record-cursor.ts'
import { checkHeaders } from './record.ts'
import { VarintReader } from './varint.ts'

const NOTHING = new Uint8Array(0)
const cursor = new RecordCursor(true)
const headers = new VarintReader()

/**
 * Checks the one batch that fills bytes[start, end), its CRC too unless told otherwise.
 * Throws CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function validateBatch(bytes: Uint8Array, start: number, end: number, options: { readonly crc: boolean }): void {
  checkFrame(bytes, start, end)
  if (options.crc && !isCrcValid(bytes, start, end)) throw corruptBatch('a CRC that is not that of the bytes', start)
  const compression = compressionType(bytes, start)
  if (compression !== 0) throw unsupportedCompression(compression)
  checkNumbers(bytes, start)
  try {
    checkRecords(bytes, start, end)
  } finally {
    // The batch's memory must not stay alive for this.
    cursor.reset(NOTHING, 0, 0, 0)
    headers.reset(NOTHING, 0, 0)
  }
}

function checkFrame(bytes: Uint8Array, start: number, end: number): void {
  const size = end - start
  if (size < BATCH_HEADER_BYTES) throw corruptBatch(`a batch of ${size} bytes`, start)
  const sizeSaid = batchSizeInBytes(bytes, start)
  if (sizeSaid !== size) throw corruptBatch(`a batch of ${size} bytes that says it has ${sizeSaid}`, start)
  if (bytes[start + MAGIC] !== MAGIC_V2) throw corruptBatch(`magic ${bytes[start + MAGIC]}`, start)
}

/** The numbers of the header that the walk over the records does not look at. */
function checkNumbers(bytes: Uint8Array, start: number): void {
  const offset = baseOffset(bytes, start)
  const lastDelta = lastOffsetDelta(bytes, start)
  if (offset < 0 || lastDelta < 0 || lastDelta > Number.MAX_SAFE_INTEGER - offset) {
    throw corruptBatch(`${lastDelta + 1} offsets from ${offset} on`, start)
  }
  // Reading them checks them.
  baseTimestamp(bytes, start)
  maxTimestamp(bytes, start)
  producerId(bytes, start)
}

function checkRecords(bytes: Uint8Array, start: number, end: number): void {
  let timestampMax = Number.NEGATIVE_INFINITY
  cursor.reset(bytes, start, end, 0)
  while (cursor.next()) {
    const { timestamp, headerCount } = cursor
    if (!Number.isSafeInteger(timestamp)) throw corruptBatch('a timestamp that is no safe integer', cursor.headersStart)
    if (timestamp > timestampMax) timestampMax = timestamp
    if (headerCount === 0) continue
    headers.reset(bytes, cursor.headersStart, cursor.headersEnd)
    checkHeaders(headers, headerCount)
  }
  // A batch that compaction left without records keeps the timestamp of those it had.
  if (recordCount(bytes, start) === 0 || isLogAppendTime(bytes, start)) return
  const timestampSaid = maxTimestamp(bytes, start)
  if (timestampSaid !== timestampMax) throw corruptBatch(`a maximum timestamp of ${timestampSaid} that is ${timestampMax}`, start)
}
