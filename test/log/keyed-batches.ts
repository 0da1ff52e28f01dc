// Batches of real records with keys, as compaction needs them, and what a reader finds of
// them. Worker threads import this, so nothing of a test runner may be imported here.

import { compressBatch, decompressBatch } from '../../src/record/batch-compression.ts'
import { ATTRIBUTE_DELETE_HORIZON, ATTRIBUTES, BASE_TIMESTAMP, COMPRESSION_LEVELS } from '../../src/record/record-batch-layout.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import {
  baseOffset,
  batchCrc,
  batchSizeInBytes,
  compressionType,
  isCrcValid,
  nextOffset,
  producerId,
  readInt64,
  recordCount,
} from '../../src/record/record-batch.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import type { LogMemory } from '../../src/log/log-memory.ts'
import { READ_OK, SharedLogReader } from '../../src/log/shared-log-reader.ts'

export interface KeyedRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
}

export interface KeyedBatchOptions {
  readonly withCrc?: boolean
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  /** The number of a codec; 0: none. */
  readonly compression?: number
}

export function keyedBatch(records: readonly KeyedRecord[], { compression = 0, ...options }: KeyedBatchOptions = {}): Uint8Array {
  const bytes = records.reduce((sum, { key, value }) => sum + 64 + (key?.length ?? 0) * 3 + (value?.length ?? 0) * 3, 128)
  const builder = new RecordBatchBuilder(bytes)
  for (const { key, value, timestampMs } of records) {
    if (!builder.append(timestampMs, key, value, null)) throw new Error('the batch was thought larger')
  }
  const size = builder.seal({ withCrc: false, ...options })
  if (compression === 0) return builder.bytes.slice(0, size)
  const withCrc = options.withCrc === true
  return compressBatch(builder.bytes, 0, size, { type: compression, level: COMPRESSION_LEVELS[compression]! }, { withCrc })
}

export interface SeenRecord extends KeyedRecord {
  readonly offset: number
}

export interface SeenKeyedBatch {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly count: number
  readonly producerId: number
  /** When its tombstones may go, undefined when that was not said yet. */
  readonly horizonMs: number | undefined
  readonly compression: number
  readonly crc: 'none' | 'valid' | 'wrong'
  readonly records: readonly SeenRecord[]
}

/** All committed batches from `offset` on, as a new reader finds them. */
export function readKeyed(memory: LogMemory, slot: number, offset?: number): SeenKeyedBatch[] {
  const reader = new SharedLogReader(memory, slot)
  reader.seek(offset ?? reader.logStartOffset)
  const target = { bytes: new Uint8Array(64 * 1024), length: 0 }
  const seen: SeenKeyedBatch[] = []
  for (;;) {
    const from = reader.position
    const result = reader.read(target, 64 * 1024)
    if (result === READ_OK) seen.push(...keyedBatches(target.bytes, target.length, from))
    else if (!reader.hasNews) return seen
    else if (reader.position === from) throw new Error(`the reader stands at ${from} of ${reader.endOffset}: ${result}`)
  }
}

export function keyedBatches(bytes: Uint8Array, length: number, from: number): SeenKeyedBatch[] {
  const seen: SeenKeyedBatch[] = []
  for (let at = 0; at < length; at += batchSizeInBytes(bytes, at)) {
    const end = at + batchSizeInBytes(bytes, at)
    const hasHorizon = (bytes[at + ATTRIBUTES + 1]! & ATTRIBUTE_DELETE_HORIZON) !== 0
    const crc = batchCrc(bytes, at) === 0 ? 'none' : isCrcValid(bytes, at, end) ? 'valid' : 'wrong'
    seen.push({
      baseOffset: baseOffset(bytes, at),
      nextOffset: nextOffset(bytes, at),
      count: recordCount(bytes, at),
      producerId: producerId(bytes, at),
      horizonMs: hasHorizon ? readInt64(bytes, at + BASE_TIMESTAMP) : undefined,
      compression: compressionType(bytes, at),
      crc,
      records: recordsOf(decompressBatch(bytes, at, end), from),
    })
  }
  return seen
}

function recordsOf(bytes: Uint8Array, from: number): SeenRecord[] {
  const cursor = new RecordCursor()
  cursor.reset(bytes, 0, bytes.length, from)
  const text = (at: number, to: number): string | null => (at < 0 ? null : Buffer.from(bytes.subarray(at, to)).toString())
  const records: SeenRecord[] = []
  while (cursor.next()) {
    const { offset, timestamp: timestampMs, keyStart, keyEnd, valueStart, valueEnd } = cursor
    records.push({ offset, key: text(keyStart, keyEnd), value: text(valueStart, valueEnd), timestampMs })
  }
  return records
}
