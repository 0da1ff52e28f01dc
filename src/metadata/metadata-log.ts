// `__cluster_metadata-0` as records: append some as one batch, or read all again.
// Runs on the thread of the broker that leads it.
// Holds: a call of `append` is one batch, so it is in the log as a whole or not at all.

import { killPoint } from '../kill-points.ts'
import { MillraceError } from '../errors.ts'
import type { Slot } from '../ids.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { APPEND_NO_MEMORY } from '../log/partition-log.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { READ_OK, SharedLogReader } from '../log/shared-log-reader.ts'
import { RecordBatchBuilder } from '../record/record-batch-builder.ts'
import { RecordCursor } from '../record/record-cursor.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from './metadata-records.ts'
import type { MetadataRecord } from './metadata-records.ts'

const READ_BYTES = 1024 * 1024
/** Bytes a record may need beside its value. */
const RECORD_OVERHEAD_BYTES = 64

export class MetadataLog {
  readonly #log: PartitionLog
  readonly #memory: LogMemory
  readonly #slot: Slot

  constructor(log: PartitionLog, memory: LogMemory, slot: Slot) {
    this.#log = log
    this.#memory = memory
    this.#slot = slot
  }

  /** Appends and commits; false when log memory has no room now. */
  append(records: readonly MetadataRecord[], nowMs: number): boolean {
    if (records.length === 0) return true
    const values = records.map((record) => Buffer.from(encodeMetadataRecord(record)))
    const capacity = values.reduce((sum, value) => sum + value.length + RECORD_OVERHEAD_BYTES, RECORD_OVERHEAD_BYTES)
    const builder = new RecordBatchBuilder(capacity)
    for (const value of values) builder.append(nowMs, null, value, null)
    const size = builder.seal({ withCrc: false })
    const offset = this.#log.append(builder.bytes, 0, size)
    if (offset === APPEND_NO_MEMORY) return false
    if (offset < 0) {
      const message = `the metadata log takes no batch of ${size} bytes: make topics of fewer partitions`
      throw new MillraceError('KAFKA_STORAGE_ERROR', message, { retriable: false })
    }
    this.#log.publishEnds()
    this.#log.publishHighWatermark(this.#log.endOffset)
    killPoint('controller.appended')
    return true
  }

  /** Calls `replay` for every committed record, from the first. */
  readAll(replay: (record: MetadataRecord) => void): void {
    const reader = new SharedLogReader(this.#memory, this.#slot)
    const target = { bytes: new Uint8Array(READ_BYTES), length: 0 }
    const cursor = new RecordCursor()
    while (reader.read(target, READ_BYTES) === READ_OK) {
      cursor.reset(target.bytes, 0, target.length, 0)
      while (cursor.next()) {
        const value = Buffer.from(target.bytes.buffer, target.bytes.byteOffset + cursor.valueStart, cursor.valueEnd - cursor.valueStart)
        replay(decodeMetadataRecord(value.toString('utf8')))
      }
    }
  }
}
