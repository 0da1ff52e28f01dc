// Batches of group records, as they stand in `__consumer_offsets`. Pure.

import { MillraceError } from '../../errors.ts'
import { decodeCoordinatorRecord, encodeCoordinatorKey, encodeCoordinatorValue } from '../../protocol/coordinator-record.ts'
import { GROUP_RECORDS } from '../../protocol/records/group-records.ts'
import { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import { RecordCursor } from '../../record/record-cursor.ts'
import type { GroupRecord } from './group.ts'

/** Bytes that a batch's header, and each record beside its key and value, may take. */
const OVERHEAD_BYTES = 64

/** One batch: it is in a log as a whole or not at all. */
export function encodeGroupBatch(records: readonly GroupRecord[], nowMs: number): Uint8Array {
  const encoded = records.map(encodeGroupRecord)
  const sizes = encoded.map(({ key, value }) => key.length + (value?.length ?? 0) + OVERHEAD_BYTES)
  const builder = new RecordBatchBuilder(sizes.reduce((sum, size) => sum + size, OVERHEAD_BYTES))
  for (const { key, value } of encoded) builder.append(nowMs, key, value, null)
  return builder.bytes.subarray(0, builder.seal({ withCrc: true }))
}

/** Gives every record at or above `fromOffset` of the whole batches in bytes[0, length), but those of kinds that are not known. */
export function replayGroupBatches(bytes: Uint8Array, length: number, fromOffset: number, replay: (record: GroupRecord) => void): void {
  const cursor = new RecordCursor()
  cursor.reset(bytes, 0, length, fromOffset)
  while (cursor.next()) {
    // A record without a key says nothing about any group.
    if (cursor.keyStart < 0) continue
    // Copied: fields of bytes are views of it, and the memory that it was read into is used again.
    const value = cursor.valueStart < 0 ? null : bytes.slice(cursor.valueStart, cursor.valueEnd)
    const record = decodeKnown(bytes.subarray(cursor.keyStart, cursor.keyEnd), value)
    if (record !== undefined) replay(record)
  }
}

export function encodeGroupRecord(record: GroupRecord): { key: Uint8Array; value: Uint8Array | null } {
  const kind = GROUP_RECORDS[record.type] as (typeof GROUP_RECORDS)['OffsetCommit']
  const key = encodeCoordinatorKey(kind, record.key as never)
  return { key, value: record.value === null ? null : encodeCoordinatorValue(kind, record.version, record.value as never) }
}

/** Kafka passes over what a later version has written, and so does this: the rest of the log is as good as before. */
function decodeKnown(key: Uint8Array, value: Uint8Array | null): GroupRecord | undefined {
  try {
    return decodeCoordinatorRecord(GROUP_RECORDS, key, value)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'UNSUPPORTED_VERSION') return undefined
    throw error
  }
}
