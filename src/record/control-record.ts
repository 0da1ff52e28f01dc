// Control batches: what a log says to its readers, not its users: the end of a
// transaction, a change of leader (Kafka: ControlRecordType, EndTransactionMarker).
// Any thread; some a transaction or an election, so they may allocate.
//
//   the batch   one record, attribute CONTROL, a marker also TRANSACTIONAL; no sequence
//   key         int16 version 0, int16 type: 0 ABORT, 1 COMMIT, 2 LEADER_CHANGE, 3 SNAPSHOT_HEADER, 4 SNAPSHOT_FOOTER
//   value, 0 1  int16 version 0, int32 coordinatorEpoch
//   value, 2    int16 version 0 or 1, int32 leaderId, voters, granting voters, tags
//     voters    unsigned varint of their number + 1, then for each:
//               int32 id, from version 1 on a directory id of 16 bytes, tags
//     tags      unsigned varint of their number, then for each: unsigned varints of its tag and its size, bytes
//   value, 3 4  as the snapshot's owner encodes it
//
// Holds: nothing is read outside the batch, nothing allocated that its size does not account for.

import { corruptBatch } from './batch-errors.ts'
import { ATTRIBUTE_CONTROL, ATTRIBUTE_TRANSACTIONAL } from './record-batch-layout.ts'
import { RecordBatchBuilder } from './record-batch-builder.ts'
import { isControlBatch, producerEpoch, producerId, readInt16, readInt32, writeInt16, writeInt32 } from './record-batch.ts'
import { RecordCursor } from './record-cursor.ts'
import { VarintReader, writeUnsignedVarint } from './varint.ts'

const ABORT = 0
const COMMIT = 1
const LEADER_CHANGE = 2
const SNAPSHOT_HEADER = 3
const SNAPSHOT_FOOTER = 4

const KEY_BYTES = 4
const MARKER_VALUE_BYTES = 6
const VERSION_BYTES = 2
const INT32_BYTES = 4
const DIRECTORY_ID_BYTES = 16
const VARINT_BYTES_MAX = 5
/** Of a voter: its id and no tags. */
const VOTER_BYTES_MIN = INT32_BYTES + 1

/** The end of a transaction in one partition, as its coordinator decided. */
export interface TransactionMarker {
  readonly type: 'ABORT' | 'COMMIT'
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/** The first record of a leader's epoch in a log that elects its leader itself (KRaft). */
export interface LeaderChange {
  readonly type: 'LEADER_CHANGE'
  readonly leaderId: number
  readonly voterIds: readonly number[]
  /** The voters that elected it. */
  readonly grantingVoterIds: readonly number[]
}

/** The first or the last record of a snapshot (KIP-630). */
export interface SnapshotMark {
  readonly type: 'SNAPSHOT_HEADER' | 'SNAPSHOT_FOOTER'
  readonly value: Uint8Array
}

/** A control record of a type that is not known here: to be passed over. */
export interface UnknownControl {
  readonly type: 'UNKNOWN'
}

export type ControlRecord = TransactionMarker | LeaderChange | SnapshotMark | UnknownControl

/** A batch with the marker, for the leader to append and stamp; its CRC is in it. */
export function transactionMarkerBatch(marker: TransactionMarker, timestampMs: number): Uint8Array {
  const value = new Uint8Array(MARKER_VALUE_BYTES)
  writeInt32(value, VERSION_BYTES, marker.coordinatorEpoch)
  const builder = controlBatch(marker.type === 'COMMIT' ? COMMIT : ABORT, value, timestampMs)
  const attributes = ATTRIBUTE_CONTROL | ATTRIBUTE_TRANSACTIONAL
  const size = builder.seal({ withCrc: true, attributes, producerId: marker.producerId, producerEpoch: marker.producerEpoch })
  return builder.bytes.subarray(0, size)
}

/** A batch with the change, of version 0, for the leader to append and stamp; its CRC is in it. */
export function leaderChangeBatch(change: LeaderChange, timestampMs: number): Uint8Array {
  const voters = change.voterIds.length + change.grantingVoterIds.length
  const value = new Uint8Array(VERSION_BYTES + INT32_BYTES + voters * VOTER_BYTES_MIN + 2 * VARINT_BYTES_MAX + 1)
  let at = VERSION_BYTES
  writeInt32(value, at, change.leaderId)
  at = writeVoters(value, at + INT32_BYTES, change.voterIds)
  at = writeVoters(value, at, change.grantingVoterIds)
  at = writeUnsignedVarint(value, at, 0)
  const builder = controlBatch(LEADER_CHANGE, value.subarray(0, at), timestampMs)
  const size = builder.seal({ withCrc: true, attributes: ATTRIBUTE_CONTROL })
  return builder.bytes.subarray(0, size)
}

/** A batch with the mark, for the leader to append and stamp; its CRC is in it. */
export function snapshotMarkBatch(mark: SnapshotMark, timestampMs: number): Uint8Array {
  const builder = controlBatch(mark.type === 'SNAPSHOT_HEADER' ? SNAPSHOT_HEADER : SNAPSHOT_FOOTER, mark.value, timestampMs)
  const size = builder.seal({ withCrc: true, attributes: ATTRIBUTE_CONTROL })
  return builder.bytes.subarray(0, size)
}

/** Reads the control batch that fills bytes[start, end). Throws CORRUPT_MESSAGE when it is none. */
export function readControlRecord(bytes: Uint8Array, start: number, end: number): ControlRecord {
  const cursor = new RecordCursor(true)
  cursor.reset(bytes, start, end, 0)
  if (!cursor.next()) throw corruptBatch('a control batch without a record', start)
  if (!isControlBatch(bytes, start)) throw corruptBatch('a batch that is no control batch', start)
  const { keyStart, keyEnd, valueStart, valueEnd } = cursor
  if (keyEnd - keyStart < KEY_BYTES || readInt16(bytes, keyStart) < 0) throw corruptBatch('a key that is of no control record', keyStart)
  const type = readInt16(bytes, keyStart + VERSION_BYTES)
  if (type === LEADER_CHANGE) return readLeaderChange(bytes, valueStart, valueEnd)
  if (type === SNAPSHOT_HEADER || type === SNAPSHOT_FOOTER) {
    return {
      type: type === SNAPSHOT_HEADER ? 'SNAPSHOT_HEADER' : 'SNAPSHOT_FOOTER',
      value: bytes.slice(valueStart, Math.max(valueStart, valueEnd)),
    }
  }
  if (type !== COMMIT && type !== ABORT) return { type: 'UNKNOWN' }
  if (valueEnd - valueStart < MARKER_VALUE_BYTES || readInt16(bytes, valueStart) < 0) {
    throw corruptBatch('a value that is of no transaction marker', valueStart)
  }
  return {
    type: type === COMMIT ? 'COMMIT' : 'ABORT',
    producerId: producerId(bytes, start),
    producerEpoch: producerEpoch(bytes, start),
    coordinatorEpoch: readInt32(bytes, valueStart + VERSION_BYTES),
  }
}

function controlBatch(type: number, value: Uint8Array, timestampMs: number): RecordBatchBuilder {
  const key = new Uint8Array(KEY_BYTES)
  writeInt16(key, VERSION_BYTES, type)
  const builder = new RecordBatchBuilder(RecordBatchBuilder.sizeUpperBound(key, value, null))
  builder.append(timestampMs, key, value, null)
  return builder
}

function writeVoters(value: Uint8Array, at: number, ids: readonly number[]): number {
  at = writeUnsignedVarint(value, at, ids.length + 1)
  for (const id of ids) {
    writeInt32(value, at, id)
    at = writeUnsignedVarint(value, at + INT32_BYTES, 0)
  }
  return at
}

function readLeaderChange(bytes: Uint8Array, start: number, end: number): LeaderChange {
  if (end - start < VERSION_BYTES + INT32_BYTES) throw corruptBatch('a value that is of no leader change', start)
  const version = readInt16(bytes, start)
  if (version !== 0 && version !== 1) throw corruptBatch(`a leader change of version ${version}`, start)
  const leaderId = readInt32(bytes, start + VERSION_BYTES)
  const reader = new VarintReader()
  reader.reset(bytes, start + VERSION_BYTES + INT32_BYTES, end)
  const idBytes = INT32_BYTES + (version === 0 ? 0 : DIRECTORY_ID_BYTES)
  const voterIds = readVoters(reader, idBytes)
  const grantingVoterIds = readVoters(reader, idBytes)
  skipTags(reader)
  if (reader.position !== end) throw corruptBatch(`${end - reader.position} bytes behind a leader change`, reader.position)
  return { type: 'LEADER_CHANGE', leaderId, voterIds, grantingVoterIds }
}

function readVoters(reader: VarintReader, idBytes: number): number[] {
  const count = reader.readUnsignedVarint() - 1
  if (count < 0) throw corruptBatch(`${count} voters`, reader.position)
  const ids: number[] = []
  // A voter takes bytes, as a tag does, so a count that lies ends where they do.
  for (let i = 0; i < count; i++) {
    if (idBytes > reader.limit - reader.position) throw corruptBatch('the end of the bytes inside a voter', reader.position)
    ids.push(readInt32(reader.bytes, reader.position))
    reader.position += idBytes
    skipTags(reader)
  }
  return ids
}

function skipTags(reader: VarintReader): void {
  const count = reader.readUnsignedVarint()
  if (count < 0) throw corruptBatch(`${count} tags`, reader.position)
  for (let i = 0; i < count; i++) {
    reader.readUnsignedVarint()
    const size = reader.readUnsignedVarint()
    if (size < 0 || size > reader.limit - reader.position) throw corruptBatch(`a tag of ${size} bytes`, reader.position)
    reader.position += size
  }
}
