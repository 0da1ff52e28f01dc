// What compaction leaves of one batch (Kafka: MemoryRecords.filterTo and the cleaner's
// RecordFilter). Runs on the thread of the broker that leads the log, which reads the batch
// where it lies in log memory, or where segment files are cleaned; writes what is left into
// memory private to it.
//
//   a record stays   it lies behind what was mapped, or is the last of its key and has a value,
//                    or is a tombstone whose horizon (delete.retention.ms) has not come
//   a batch keeps    its base offset, last offset delta, leader epoch, producer id, epoch and sequence;
//                    offsets do not change, and its records neither, but for the horizon
//   the horizon      when tombstones stay for the first time, the instant at which they may go is
//                    written where the base timestamp was, with a bit in the attributes (KIP-534); the
//                    records' timestamp deltas are then to it
//   an empty batch   is what is left of the last batch of a producer, so that its sequence is not
//                    forgotten, and of the last one that was mapped
//
// Control batches stay as they are, unless `isDiscardable` says that they may go as tombstones do.
// A compressed batch is decompressed, and what is left of it is compressed as it was, by the
// codec's default level, as Kafka does.
// A batch of any size is worked on in pieces: `decide` and `write` return false until they are done;
// but (de)compressing one is one piece.

import { looseInt64 } from './batch-walk.ts'
import { copyBytes } from './copy-bytes.ts'
import { DecompressedBatch } from './decompressed-batch.ts'
import { EXTENT_BYTES_MAX } from './log-memory-layout.ts'
import type { OffsetMap } from './offset-map.ts'
import { compressBatch } from '../record/batch-compression.ts'
import { corruptBatch, tooLargeDecompressed } from '../record/batch-errors.ts'
import { crc32c } from '../record/crc32c.ts'
import { RecordCursor } from '../record/record-cursor.ts'
import {
  ATTRIBUTES,
  ATTRIBUTE_DELETE_HORIZON,
  BASE_TIMESTAMP,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH,
  BATCH_LENGTH_OVERHEAD_BYTES,
  COMPRESSION_LEVELS,
  COMPRESSION_NAMES,
  CRC,
  CRC_START,
  MAX_TIMESTAMP,
  NO_TIMESTAMP,
  RECORD_COUNT,
} from '../record/record-batch-layout.ts'
import {
  batchCrc,
  compressionType,
  isControlBatch,
  isLogAppendTime,
  nextOffset,
  recordCount,
  writeInt32,
  writeInt64,
} from '../record/record-batch.ts'
import { VarintReader, sizeOfVarlong, writeVarint, writeVarlong } from '../record/varint.ts'

/** As it is: nothing need be written. */
export const BATCH_KEPT = 0
/** What is left was written. */
export const BATCH_CHANGED = 1
/** Nothing is left. */
export const BATCH_DROPPED = 2

export type BatchOutcome = typeof BATCH_KEPT | typeof BATCH_CHANGED | typeof BATCH_DROPPED

const RECORDS_A_PIECE = 256
const CRC_BYTES_A_PIECE = 128 * 1024
/** By how much a timestamp delta and the length before it may grow. */
const GROWS_BYTES_MAX = 12
const HORIZON_MAX = Number.MAX_SAFE_INTEGER - 1

export interface RecordFilterRules {
  readonly map: OffsetMap
  /** One past the last offset that was mapped. */
  readonly mappedEnd: number
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** Whether a batch that is left without records holds the last sequence of its producer. */
  readonly isLastOfProducer: (bytes: Uint8Array, start: number) => boolean
  /**
   * Asked once of each batch, in order: whether it is of an aborted transaction, so that nothing of it stays, or the marker
   * of one of which nothing is left, so that it may go when its horizon has come. Left out: none is.
   */
  readonly isDiscardable?: (bytes: Uint8Array, start: number) => boolean
  /** The largest batch that may be written; an extent's size when left out. */
  readonly batchBytesMax?: number
  /** The most that a compressed batch may hold; what a broker gives for one when left out. */
  readonly decompressedBytesMax?: number
  /** Batches have CRCs, one that is 0 too. Left out: one that is 0 is none. */
  readonly hasCrcs?: boolean
}

export class RecordFilter {
  /** What is left of the batch, [0, length), after BATCH_CHANGED. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  length = 0
  readonly #arena: Uint8Array
  readonly #rules: RecordFilterRules
  readonly #batchBytesMax: number
  readonly #cursor = new RecordCursor(true)
  readonly #varints = new VarintReader()
  readonly #decompressed: DecompressedBatch
  /** Where the batch lies: the arena, or memory that it was decompressed into. */
  #source: Uint8Array
  #compression = 0
  #hasCrc = false
  #isControl = false
  /** Nothing of it stays, or of a marker when its horizon has come. */
  #isDiscardable = false
  /** Where each record ends, from the batch's start; negative when it goes. */
  #ends = new Int32Array(1024)
  #start = 0
  #size = 0
  #count = 0
  #decided = 0
  #kept = 0
  #tombstones = 0
  #horizonMs = NO_TIMESTAMP
  #maxTimestampMs = NO_TIMESTAMP
  // Where writing stands.
  #written = 0
  #writtenFrom = 0
  #crcAt = 0
  #crc = 0
  #setsHorizon = false

  constructor(arena: Uint8Array, rules: RecordFilterRules) {
    this.#arena = arena
    this.#source = arena
    this.#rules = rules
    this.#batchBytesMax = rules.batchBytesMax ?? EXTENT_BYTES_MAX
    this.#decompressed = new DecompressedBatch(rules.decompressedBytesMax)
  }

  /** The batch in bytes[start, start + size), of the arena when left out, is the next one; it is not to change until it is done. */
  begin(start: number, size: number, bytes: Uint8Array = this.#arena): void {
    this.#start = start
    this.#size = size
    this.#count = recordCount(bytes, start)
    this.#decided = 0
    this.#kept = 0
    this.#tombstones = 0
    this.#maxTimestampMs = NO_TIMESTAMP
    this.#horizonMs = hasHorizon(bytes, start) ? looseInt64(bytes, start + BASE_TIMESTAMP) : NO_TIMESTAMP
    this.#source = bytes
    this.#compression = 0
    this.#hasCrc = this.#rules.hasCrcs === true || batchCrc(bytes, start) !== 0
    this.#isControl = isControlBatch(bytes, start)
    this.#isDiscardable = this.#rules.isDiscardable?.(bytes, start) ?? false
    if ((this.#isControl && !this.#isDiscardable) || looseInt64(bytes, start) >= this.#rules.mappedEnd) {
      this.#decided = this.#kept = this.#count
      return
    }
    if (this.#count > 0 && compressionType(bytes, start) !== 0) this.#decompress()
    if (this.#count < 0 || this.#count > this.#size) throw corruptBatch(`${this.#count} records in ${size} bytes`, start)
    this.#cursor.reset(this.#source, this.#start, this.#start + this.#size, 0)
    if (this.#ends.length < this.#count) this.#ends = new Int32Array(2 ** Math.ceil(Math.log2(this.#count)))
  }

  #decompress(): void {
    const image = this.#decompressed
    this.#compression = compressionType(this.#source, this.#start)
    image.take(this.#source, this.#start, this.#start + this.#size)
    this.#source = image.bytes
    this.#start = 0
    this.#size = image.length
  }

  /** Decides about the next records; true when all are decided. Throws CORRUPT_MESSAGE. */
  decide(): boolean {
    const cursor = this.#cursor
    const { map, mappedEnd, nowMs } = this.#rules
    const areTombstonesKept = this.#horizonMs === NO_TIMESTAMP || nowMs < this.#horizonMs
    // Of a control batch that comes here all stays until its horizon, as tombstones do.
    const isControl = this.#isControl
    const isGone = this.#isDiscardable && (!isControl || !areTombstonesKept)
    for (let left = RECORDS_A_PIECE; left > 0 && this.#decided < this.#count; left--) {
      if (!cursor.next()) throw corruptBatch(`no record where ${this.#count - this.#decided} are left`, this.#start)
      const { offset, keyStart, keyEnd, valueStart } = cursor
      const isLatest = offset >= mappedEnd || isControl || (keyStart >= 0 && offset >= map.get(this.#source, keyStart, keyEnd))
      const isKept = !isGone && isLatest && (valueStart >= 0 || areTombstonesKept || offset >= mappedEnd)
      const end = cursor.headersEnd - this.#start
      this.#ends[this.#decided++] = isKept ? end : -end
      if (!isKept) continue
      this.#kept++
      if (valueStart < 0 || isControl) this.#tombstones++
      if (cursor.timestamp > this.#maxTimestampMs) this.#maxTimestampMs = cursor.timestamp
    }
    return this.#decided >= this.#count
  }

  /** What becomes of the batch, when all is decided; BATCH_CHANGED is to be written. */
  outcome(): BatchOutcome {
    this.#setsHorizon = this.#tombstones > 0 && this.#horizonMs === NO_TIMESTAMP
    if (this.#kept > 0) {
      if (this.#kept === this.#count && !this.#setsHorizon) return BATCH_KEPT
      this.#beginWriting(this.#setsHorizon ? this.#kept * GROWS_BYTES_MAX : 0)
      return BATCH_CHANGED
    }
    const isNeeded =
      nextOffset(this.#source, this.#start) === this.#rules.mappedEnd || this.#rules.isLastOfProducer(this.#source, this.#start)
    if (!isNeeded) return BATCH_DROPPED
    // A control batch without a record says nothing to those who read it.
    if (this.#count === 0 || this.#isControl) return BATCH_KEPT
    this.#beginWriting(0)
    return BATCH_CHANGED
  }

  /** Writes the next records that stay; true when `bytes` holds the batch. */
  write(): boolean {
    if (this.#written < this.#count) {
      if (this.#setsHorizon) this.#writeToHorizon()
      else this.#copyRuns()
      if (this.#written < this.#count) return false
      this.#writeHeader()
      if (this.#compression !== 0 && this.#kept > 0) this.#compress()
      if (this.length > this.#batchBytesMax) {
        if (!this.#setsHorizon) throw tooLargeDecompressed(COMPRESSION_NAMES[this.#compression]!, this.#batchBytesMax)
        // With the horizon it would be too large. Its tombstones stay; nothing else is lost.
        this.#setsHorizon = false
        this.#beginWriting(0)
        return false
      }
      // 0 says that there is none, and whoever takes the batch out of the process fills it in.
      if (!this.#hasCrc) return true
      this.#crcAt = CRC_START
      this.#crc = 0
    }
    return this.#addToCrc()
  }

  #beginWriting(growsBytes: number): void {
    const capacity = this.#size + growsBytes
    if (this.bytes.length < capacity) this.bytes = new Uint8Array(2 ** Math.ceil(Math.log2(capacity)))
    copyBytes(this.bytes, 0, this.#source, this.#start, this.#start + BATCH_HEADER_BYTES)
    this.length = BATCH_HEADER_BYTES
    this.#written = 0
    this.#writtenFrom = BATCH_HEADER_BYTES
  }

  /** Records that stay and lie side by side are one copy. */
  #copyRuns(): void {
    const ends = this.#ends
    const until = Math.min(this.#count, this.#written + RECORDS_A_PIECE * 4)
    let at = this.#written
    let from = this.#writtenFrom
    while (at < until) {
      if (ends[at]! < 0) {
        from = -ends[at++]!
        continue
      }
      let to = from
      while (at < until && ends[at]! > 0) to = ends[at++]!
      copyBytes(this.bytes, this.length, this.#source, this.#start + from, this.#start + to)
      this.length += to - from
      from = to
    }
    this.#written = at
    this.#writtenFrom = from
  }

  /** The timestamps of records are then said from the horizon on. */
  #writeToHorizon(): void {
    const varints = this.#varints
    const { bytes } = this
    const baseTimestampMs = looseInt64(this.#source, this.#start + BASE_TIMESTAMP)
    const horizonMs = this.#newHorizonMs()
    const until = Math.min(this.#count, this.#written + RECORDS_A_PIECE)
    for (; this.#written < until; this.#written++) {
      const end = this.#ends[this.#written]!
      const from = this.#writtenFrom
      this.#writtenFrom = Math.abs(end)
      if (end < 0) continue
      varints.reset(this.#source, this.#start + from, this.#start + end)
      varints.readVarint()
      const attributes = varints.readByte()
      const delta = baseTimestampMs + varints.readVarlong() - horizonMs
      const rest = varints.position
      const restBytes = this.#start + end - rest
      let at = writeVarint(bytes, this.length, 1 + sizeOfVarlong(delta) + restBytes)
      bytes[at++] = attributes
      at = writeVarlong(bytes, at, delta)
      copyBytes(bytes, at, this.#source, rest, rest + restBytes)
      this.length = at + restBytes
    }
  }

  #writeHeader(): void {
    const { bytes } = this
    writeInt32(bytes, BATCH_LENGTH, this.length - BATCH_LENGTH_OVERHEAD_BYTES)
    writeInt32(bytes, RECORD_COUNT, this.#kept)
    if (this.#kept === 0) {
      bytes[ATTRIBUTES + 1]! &= ~ATTRIBUTE_DELETE_HORIZON
      writeInt64(bytes, BASE_TIMESTAMP, NO_TIMESTAMP)
      return
    }
    if (!isLogAppendTime(bytes, 0)) writeInt64(bytes, MAX_TIMESTAMP, this.#maxTimestampMs)
    if (!this.#setsHorizon) return
    bytes[ATTRIBUTES + 1]! |= ATTRIBUTE_DELETE_HORIZON
    writeInt64(bytes, BASE_TIMESTAMP, this.#newHorizonMs())
  }

  #compress(): void {
    const compression = { type: this.#compression, level: COMPRESSION_LEVELS[this.#compression]! }
    this.bytes = compressBatch(this.bytes, 0, this.length, compression, { withCrc: false })
    this.length = this.bytes.length
  }

  #newHorizonMs(): number {
    return Math.min(HORIZON_MAX, this.#rules.nowMs + this.#rules.deleteRetentionMs)
  }

  #addToCrc(): boolean {
    const to = Math.min(this.length, this.#crcAt + CRC_BYTES_A_PIECE)
    this.#crc = crc32c(this.bytes, this.#crcAt, to, this.#crc)
    this.#crcAt = to
    if (to < this.length) return false
    writeInt32(this.bytes, CRC, this.#crc)
    return true
  }
}

export function hasHorizon(bytes: Uint8Array, start: number): boolean {
  return (bytes[start + ATTRIBUTES + 1]! & ATTRIBUTE_DELETE_HORIZON) !== 0
}
