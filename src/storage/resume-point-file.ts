// The resume points of a log directory, in `resume-points`, ours. On the thread that writes the data directory.
//
//   big-endian
//   +0   uint32  magic     "MDRP"
//   +4   uint16  version   1
//   +6   uint16  length    of the boot id in bytes
//   +8   uint32  crc       CRC-32C of the boot id
//   +12  the boot id, then entries end to end, a partition each:
//     +0    int32   length    of the entry in bytes, these 4 too
//     +4    uint32  crc       CRC-32C of byte 8 to the end of the entry
//     +8    16 bytes  topicId
//     +24   int32   partition
//     +28   int32   nameLength   of the topic's name in bytes
//     +32   int64   baseOffset   of the segment
//     +40   int64   endOffset
//     +48   int32   position
//     +52   int32   lastBatchPosition
//     +56   uint32  lastBatchCrc
//     +60   int32   leaderEpoch
//     +64   int64   firstTimestampMs
//     +72   int32   offsetEntries
//     +76   int32   timeEntries
//     +80   int32   transactionEntries
//     +84   int32   bytesSinceLastEntry    of the indexes
//     +88   int64   lastTimestampMs
//     +96   int64   lastTimestampOffset
//     +104  the name, then the producers in the bytes of Kafka's snapshot
//
// It is replaced in one step and never synced: only who opens it under the same boot of the machine
// believes it, and finds it whole. An entry that is not is as if it were not there.

import { DiskError } from '../disk/disk-error.ts'
import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { crc32c } from '../record/crc32c.ts'
import { readInt32, writeInt32, writeInt64 } from '../record/record-batch.ts'
import type { MarkedPartition } from './durable-end-file.ts'
import type { ResumePoint } from './resume-point.ts'
import { readSafeInt64 } from './safe-int64.ts'

export const RESUME_POINTS_FILE = 'resume-points'
const VERSION = 1
const MAGIC = 0x4d445250
const HEADER_BYTES = 12
const ENTRY_BYTES = 104
/** Points that do not fit are left out: those partitions are read whole. */
const FILE_BYTES_MAX = 32 * 1024 * 1024

export class ResumePoints {
  readonly #disk: Disk
  readonly #path: string
  readonly #bootId: string
  /** By topic and partition, their entries. */
  readonly #entries = new Map<string, Uint8Array>()

  /** What was written under this boot of the machine; nothing where that is not known. Changes nothing. */
  static read(disk: Disk, path: string, bootId: string): ResumePoints {
    const points = new ResumePoints(disk, path, bootId)
    if (bootId !== '') points.#read()
    return points
  }

  private constructor(disk: Disk, path: string, bootId: string) {
    this.#disk = disk
    this.#path = path
    this.#bootId = bootId
  }

  get(partition: MarkedPartition): ResumePoint | undefined {
    const entry = this.#entries.get(keyOf(partition))
    if (entry === undefined || !partition.topicId.every((word, i) => word === readInt32(entry, 8 + 4 * i))) return undefined
    return decodeEntry(entry)
  }

  put(partition: MarkedPartition, point: ResumePoint): void {
    this.#entries.set(keyOf(partition), encodeEntry(partition, point))
  }

  drop(partition: MarkedPartition): void {
    this.#entries.delete(keyOf(partition))
  }

  /** Forgets all other partitions. */
  retain(present: readonly Pick<MarkedPartition, 'topic' | 'partition'>[]): void {
    const kept = new Set(present.map(keyOf))
    for (const key of this.#entries.keys()) if (!kept.has(key)) this.#entries.delete(key)
  }

  /** Puts what there is in the place of the file. Throws what the disk throws; then the file is as it was. */
  write(): void {
    if (this.#bootId === '') return
    const header = encodeHeader(this.#bootId)
    const parts = [header]
    let size = header.length
    for (const entry of this.#entries.values()) {
      if (size + entry.length > FILE_BYTES_MAX) continue
      parts.push(entry)
      size += entry.length
    }
    const bytes = Buffer.concat(parts, size)
    const temporary = `${this.#path}.tmp`
    if (this.#disk.exists(temporary)) this.#disk.remove(temporary)
    const file = this.#disk.open(temporary, 'create')
    try {
      file.write(bytes, 0, size, 0)
    } finally {
      file.close()
    }
    this.#disk.rename(temporary, this.#path)
  }

  #read(): void {
    let bytes: Uint8Array
    try {
      bytes = readWhole(this.#disk, this.#path, FILE_BYTES_MAX)
    } catch (error) {
      // Everything can be found without it.
      if (error instanceof DiskError) return
      throw error
    }
    const header = encodeHeader(this.#bootId)
    if (bytes.length < header.length || Buffer.compare(bytes.subarray(0, header.length), header) !== 0) return
    for (let at = header.length; at + ENTRY_BYTES <= bytes.length; ) {
      const length = readInt32(bytes, at)
      if (length < ENTRY_BYTES || at + length > bytes.length || readInt32(bytes, at + 4) >>> 0 !== crc32c(bytes, at + 8, at + length))
        return
      const entry = bytes.slice(at, at + length)
      const name = new TextDecoder().decode(entry.subarray(ENTRY_BYTES, ENTRY_BYTES + readInt32(entry, 28)))
      this.#entries.set(keyOf({ topic: name, partition: readInt32(entry, 24) }), entry)
      at += length
    }
  }
}

function keyOf({ topic, partition }: Pick<MarkedPartition, 'topic' | 'partition'>): string {
  return `${topic}-${partition}`
}

function encodeHeader(bootId: string): Uint8Array {
  const id = new TextEncoder().encode(bootId)
  const bytes = new Uint8Array(HEADER_BYTES + id.length)
  writeInt32(bytes, 0, MAGIC)
  writeInt32(bytes, 4, (VERSION << 16) | id.length)
  writeInt32(bytes, 8, crc32c(id, 0, id.length))
  bytes.set(id, HEADER_BYTES)
  return bytes
}

function encodeEntry({ topic, partition, topicId }: MarkedPartition, point: ResumePoint): Uint8Array {
  const name = new TextEncoder().encode(topic)
  const bytes = new Uint8Array(ENTRY_BYTES + name.length + point.producers.length)
  writeInt32(bytes, 0, bytes.length)
  for (const [i, word] of topicId.entries()) writeInt32(bytes, 8 + 4 * i, word)
  writeInt32(bytes, 24, partition)
  writeInt32(bytes, 28, name.length)
  writeInt64(bytes, 32, point.baseOffset)
  writeInt64(bytes, 40, point.endOffset)
  writeInt32(bytes, 48, point.position)
  writeInt32(bytes, 52, point.lastBatchPosition)
  writeInt32(bytes, 56, point.lastBatchCrc)
  writeInt32(bytes, 60, point.leaderEpoch)
  writeInt64(bytes, 64, point.firstTimestampMs)
  writeInt32(bytes, 72, point.offsetEntries)
  writeInt32(bytes, 76, point.timeEntries)
  writeInt32(bytes, 80, point.transactionEntries)
  writeInt32(bytes, 84, point.bytesSinceLastEntry)
  writeInt64(bytes, 88, point.lastTimestampMs)
  writeInt64(bytes, 96, point.lastTimestampOffset)
  bytes.set(name, ENTRY_BYTES)
  bytes.set(point.producers, ENTRY_BYTES + name.length)
  writeInt32(bytes, 4, crc32c(bytes, 8, bytes.length))
  return bytes
}

function decodeEntry(bytes: Uint8Array): ResumePoint {
  return {
    baseOffset: readSafeInt64(bytes, 32),
    endOffset: readSafeInt64(bytes, 40),
    position: readInt32(bytes, 48),
    lastBatchPosition: readInt32(bytes, 52),
    lastBatchCrc: readInt32(bytes, 56) >>> 0,
    leaderEpoch: readInt32(bytes, 60),
    firstTimestampMs: readSafeInt64(bytes, 64),
    offsetEntries: readInt32(bytes, 72),
    timeEntries: readInt32(bytes, 76),
    transactionEntries: readInt32(bytes, 80),
    bytesSinceLastEntry: readInt32(bytes, 84),
    lastTimestampMs: readSafeInt64(bytes, 88),
    lastTimestampOffset: readSafeInt64(bytes, 96),
    producers: bytes.slice(ENTRY_BYTES + readInt32(bytes, 28)),
  }
}
