// Batches of metadata records, as they stand in the metadata log and in its snapshots. Pure.

import { RecordBatchBuilder } from '../record/record-batch-builder.ts'
import { RecordCursor } from '../record/record-cursor.ts'
import { decodeMetadataRecord } from '../protocol/metadata-record-frame.ts'
import { encodeRecord } from './metadata-records.ts'
import type { MetadataRecord, ReplayedRecord } from './metadata-records.ts'

/** Bytes that a batch's header, and each record beside its value, may take. */
const OVERHEAD_BYTES = 64

/** One batch: it is in a log as a whole or not at all. */
export function encodeBatch(records: readonly MetadataRecord[], nowMs: number): Uint8Array {
  const values = records.map(encodeRecord)
  const builder = new RecordBatchBuilder(values.reduce((sum, value) => sum + value.length + OVERHEAD_BYTES, OVERHEAD_BYTES))
  for (const value of values) builder.append(nowMs, null, value, null)
  return builder.bytes.subarray(0, builder.seal({ withCrc: true }))
}

/** Gives every record at or above `fromOffset` of the whole batches in bytes[0, length); control batches are passed over. */
export function replayBatches(bytes: Uint8Array, length: number, fromOffset: number, replay: (record: ReplayedRecord) => void): void {
  const cursor = new RecordCursor()
  cursor.reset(bytes, 0, length, fromOffset)
  while (cursor.next()) replay(decodeMetadataRecord(bytes.subarray(cursor.valueStart, cursor.valueEnd)))
}
