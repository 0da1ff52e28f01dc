// The producer state of a partition at an offset, `<offset>.snapshot`: of each producer
// with an id, what it last wrote below that offset. Written when a segment is full and
// when the log is closed, so that opening need not read what lies before.
// Pure; any thread.
//
//   big-endian
//   +0   int16   version   1
//   +2   uint32  crc       CRC-32C of byte 6 to the end
//   +6   int32   count     of entries
//   +10  entries of 46 bytes:
//     +0   int64  producerId
//     +8   int16  producerEpoch
//     +10  int32  lastSequence         -1 when none of this epoch was written
//     +14  int64  lastOffset           of its last batch; -1 likewise
//     +22  int32  offsetDelta          last offset less first offset of its last batch
//     +26  int64  timestamp            of its last batch or marker, in ms; -1 none
//     +34  int32  coordinatorEpoch     of its last transaction marker; -1 none
//     +38  int64  currentTxnFirstOffset  of the transaction that is open; -1 none

import { assert } from '../assert.ts'
import { crc32c } from '../record/crc32c.ts'
import { readInt16, readInt32, writeInt16, writeInt32, writeInt64 } from '../record/record-batch.ts'
import { damagedFile, newerFileFormat } from './file-errors.ts'
import { readSafeInt64 } from './safe-int64.ts'

export const PRODUCER_SNAPSHOT_HEADER_BYTES = 10
export const PRODUCER_SNAPSHOT_ENTRY_BYTES = 46

const VERSION = 1
const CRC = 2
const CRC_START = 6
const COUNT = 6

const PRODUCER_EPOCH = 8
const LAST_SEQUENCE = 10
const LAST_OFFSET = 14
const OFFSET_DELTA = 22
const TIMESTAMP = 26
const COORDINATOR_EPOCH = 34
const CURRENT_TRANSACTION_FIRST_OFFSET = 38

const REMEDY = 'Delete it while the log is closed: what producers wrote is read again from the .log files.'

/** What a snapshot says of one producer. */
export interface ProducerSnapshotEntry {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of its last batch; -1 when it wrote none in this epoch. */
  readonly lastSequence: number
  /** Of its last batch; -1 when it wrote none in this epoch. */
  readonly lastOffset: number
  /** Last offset less first offset of its last batch. */
  readonly offsetDelta: number
  /** Of its last batch or transaction marker; -1 for none. */
  readonly timestampMs: number
  /** Of its last transaction marker; -1 for none. */
  readonly coordinatorEpoch: number
  /** Where its open transaction begins; -1 when none is open. */
  readonly currentTransactionFirstOffset: number
}

export function encodeProducerSnapshot(entries: readonly ProducerSnapshotEntry[]): Uint8Array {
  const bytes = new Uint8Array(PRODUCER_SNAPSHOT_HEADER_BYTES + PRODUCER_SNAPSHOT_ENTRY_BYTES * entries.length)
  writeInt16(bytes, 0, VERSION)
  writeInt32(bytes, COUNT, entries.length)
  let at = PRODUCER_SNAPSHOT_HEADER_BYTES
  for (const entry of entries) {
    assert(entry.producerId >= 0 && entry.producerEpoch >= 0, 'a producer without an id is in a snapshot')
    writeInt64(bytes, at, entry.producerId)
    writeInt16(bytes, at + PRODUCER_EPOCH, entry.producerEpoch)
    writeInt32(bytes, at + LAST_SEQUENCE, entry.lastSequence)
    writeInt64(bytes, at + LAST_OFFSET, entry.lastOffset)
    writeInt32(bytes, at + OFFSET_DELTA, entry.offsetDelta)
    writeInt64(bytes, at + TIMESTAMP, entry.timestampMs)
    writeInt32(bytes, at + COORDINATOR_EPOCH, entry.coordinatorEpoch)
    writeInt64(bytes, at + CURRENT_TRANSACTION_FIRST_OFFSET, entry.currentTransactionFirstOffset)
    at += PRODUCER_SNAPSHOT_ENTRY_BYTES
  }
  writeInt32(bytes, CRC, crc32c(bytes, CRC_START, bytes.length))
  return bytes
}

/** Throws UNSUPPORTED_VERSION for a newer format, and KAFKA_STORAGE_ERROR for anything else that is no snapshot. */
export function decodeProducerSnapshot(path: string, bytes: Uint8Array): ProducerSnapshotEntry[] {
  if (bytes.length < PRODUCER_SNAPSHOT_HEADER_BYTES) {
    throw damagedFile(path, `${bytes.length} bytes, where a header takes ${PRODUCER_SNAPSHOT_HEADER_BYTES}`, REMEDY)
  }
  const version = readInt16(bytes, 0)
  const crc = readInt32(bytes, CRC) >>> 0
  const computed = crc32c(bytes, CRC_START, bytes.length)
  // The version is not under the CRC: one that is alone is believed.
  if (crc !== computed) throw damagedFile(path, `CRC ${crc} at byte ${CRC}, where its bytes give ${computed}`, REMEDY)
  if (version > VERSION) throw newerFileFormat(path, version, VERSION)
  if (version < VERSION) throw damagedFile(path, `version ${version} at byte 0`, REMEDY)
  const count = readInt32(bytes, COUNT)
  if (bytes.length !== PRODUCER_SNAPSHOT_HEADER_BYTES + PRODUCER_SNAPSHOT_ENTRY_BYTES * count) {
    throw damagedFile(path, `a count of ${count} at byte ${COUNT}, in a file of ${bytes.length} bytes`, REMEDY)
  }
  const entries: ProducerSnapshotEntry[] = []
  for (let at = PRODUCER_SNAPSHOT_HEADER_BYTES; at < bytes.length; at += PRODUCER_SNAPSHOT_ENTRY_BYTES) {
    entries.push(readEntry(path, bytes, at))
  }
  return entries
}

function readEntry(path: string, bytes: Uint8Array, at: number): ProducerSnapshotEntry {
  const entry = {
    producerId: readSafeInt64(bytes, at),
    producerEpoch: readInt16(bytes, at + PRODUCER_EPOCH),
    lastSequence: readInt32(bytes, at + LAST_SEQUENCE),
    lastOffset: readSafeInt64(bytes, at + LAST_OFFSET),
    offsetDelta: readInt32(bytes, at + OFFSET_DELTA),
    timestampMs: readSafeInt64(bytes, at + TIMESTAMP),
    coordinatorEpoch: readInt32(bytes, at + COORDINATOR_EPOCH),
    currentTransactionFirstOffset: readSafeInt64(bytes, at + CURRENT_TRANSACTION_FIRST_OFFSET),
  }
  const { producerId, producerEpoch, lastSequence, lastOffset, offsetDelta, timestampMs, currentTransactionFirstOffset } = entry
  // Written so that NaN is refused too.
  const isEntry =
    producerId >= 0 &&
    producerEpoch >= 0 &&
    lastSequence >= -1 &&
    lastOffset >= -1 &&
    offsetDelta >= 0 &&
    timestampMs >= -1 &&
    currentTransactionFirstOffset >= -1
  if (!isEntry) throw damagedFile(path, `no state of a producer at byte ${at}`, REMEDY)
  return entry
}
