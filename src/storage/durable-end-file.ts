// How far each partition of a broker is synced: `durable-ends`, a file of our own beside Kafka's
// checkpoints. After a reboot, a bad batch below a partition's durable end is damage; above it, a
// torn tail. On the thread that writes the data directory.
//
// All integers big-endian; a place belongs to one partition, the header is as large as a place:
//
//   header   +0 "MRDE"   +4 version uint16 (1)   +6 bytes a place uint16 (128)   +8 zeros
//   place n, at 128 * (n + 1): two copies
//
//   copy     +0   crc         uint32   CRC-32C of bytes 4 to 63
//   64       +4   partition   int32
//   bytes    +8   topicId     16 bytes
//            +24  topicCrc    uint32   CRC-32C of the topic's name: a directory of an old Kafka has no topic id
//            +28  zeros
//            +32  sequence    int64    from 1, one higher with each write of the place
//            +40  durableEnd  int64    records below it were synced
//            +48  zeros
//
// A write goes to the copy that is not the newest, so one that is torn leaves the one before; the
// sound copy with the highest sequence counts. A mark is written after the sync that it tells of and is
// synced by a later one, so it never leads, and may lag. Only a mark that goes down, because its
// log was cut or is gone, is synced at once, in both copies: one that stayed too high would call a torn tail damage.

import { assert } from '../assert.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { replaceFile } from '../disk/replace-file.ts'
import type { TopicId } from '../ids.ts'
import { crc32c } from '../record/crc32c.ts'
import { newerFileFormat } from './file-errors.ts'

export const DURABLE_ENDS_FILE = 'durable-ends'
export const DURABLE_ENDS_VERSION = 1
export const PLACE_BYTES = 128
const COPY_BYTES = 64
const MAGIC = 0x4d524445
const FILE_BYTES_MAX = 1 << 27

/** Whose durable end. */
export interface MarkedPartition {
  readonly topic: string
  readonly partition: number
  readonly topicId: TopicId
}

/** The place of a partition: an index, from 0. */
export type MarkPlace = number

interface Place {
  /** Undefined: free. */
  identity: string | undefined
  sequence: number
  durableEnd: number
  /** The file says nothing of it yet. */
  isNew: boolean
}

export class DurableEndFile {
  readonly #file: DiskFile
  readonly #places: Place[]
  readonly #free: MarkPlace[] = []
  readonly #placeOf = new Map<string, MarkPlace>()
  readonly #bytes = new Uint8Array(PLACE_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  /** Of each place, what does not change in it: partition, topic id, name. */
  readonly #identityBytes: Uint8Array[] = []
  #isSynced = true

  private constructor(file: DiskFile, places: Place[], identities: Uint8Array[]) {
    this.#file = file
    this.#places = places
    this.#identityBytes = identities
    for (const [place, { identity }] of places.entries()) {
      if (identity === undefined) this.#free.push(place)
      else this.#placeOf.set(identity, place)
    }
    // The lowest is given first.
    this.#free.reverse()
  }

  /**
   * Opens the file, or makes it. One that cannot be read is as if empty, and `log` is told. Marks of partitions that are
   * gone are there until `retain`.
   */
  static open(disk: Disk, path: string, log: (message: string) => void): DurableEndFile {
    const bytes = disk.exists(path) ? readWhole(disk, path, FILE_BYTES_MAX) : undefined
    if (bytes === undefined || !hasHeader(bytes, path)) {
      if (bytes !== undefined) log(`${path} is damaged: it does not begin as such a file does. No partition has a durable end`)
      replaceFile(disk, path, header())
    }
    const found = bytes !== undefined && hasHeader(bytes, path) ? bytes : header()
    const places: Place[] = []
    const identities: Uint8Array[] = []
    for (let at = PLACE_BYTES; at < found.byteLength; at += PLACE_BYTES) {
      const newest = newestCopy(found, at)
      places.push(newest?.place ?? { identity: undefined, sequence: 0, durableEnd: 0, isNew: true })
      identities.push(newest?.identityBytes ?? new Uint8Array(0))
    }
    return new DurableEndFile(disk.open(path, 'write'), places, identities)
  }

  /** Whether the partition had files in this log directory, and nobody said that they are gone. */
  isKnown(partition: MarkedPartition): boolean {
    return this.#placeOf.has(textOf(identityOf(partition)))
  }

  /** Records below it were synced; 0 where nothing is known. */
  durableEnd(partition: MarkedPartition): number {
    const place = this.#placeOf.get(textOf(identityOf(partition)))
    return place === undefined ? 0 : this.#places[place]!.durableEnd
  }

  /** The partition's place; it has one from now on, until `erase`. Writes nothing. */
  placeOf(partition: MarkedPartition): MarkPlace {
    const bytes = identityOf(partition)
    const identity = textOf(bytes)
    const known = this.#placeOf.get(identity)
    if (known !== undefined) return known
    const place = this.#free.pop() ?? this.#places.length
    // The sequence goes on: what a write to the other copy leaves of the one before is older.
    this.#places[place] = { identity, sequence: this.#places[place]?.sequence ?? 0, durableEnd: 0, isNew: true }
    this.#identityBytes[place] = bytes
    this.#placeOf.set(identity, place)
    return place
  }

  /** After a sync: all records below `durableEnd` were synced. Not lower than before. One small write. */
  mark(place: MarkPlace, durableEnd: number): void {
    const { durableEnd: before } = this.#placeAt(place)
    assert(durableEnd >= before, `a durable end that goes from ${before} down to ${durableEnd} is lowered, not marked`)
    if (durableEnd > before) this.#write(place, durableEnd)
  }

  /** The partition has files from now on, and nothing of them is synced yet. One small write, the first time. */
  note(place: MarkPlace): void {
    const { durableEnd, isNew } = this.#placeAt(place)
    if (isNew) this.#write(place, durableEnd)
  }

  /** Before records from `durableEnd` on are cut off. Synced when it returns; a mark that is lower stays. */
  lower(place: MarkPlace, durableEnd: number): void {
    if (this.#placeAt(place).durableEnd <= durableEnd) return
    this.#write(place, durableEnd)
    this.#write(place, durableEnd)
    this.sync()
  }

  /** The partition's log is gone from here. Its place is free; synced when it returns. */
  erase(partition: MarkedPartition): void {
    const identity = textOf(identityOf(partition))
    const place = this.#placeOf.get(identity)
    if (place === undefined) return
    this.#erase(identity, place)
    this.sync()
  }

  /** What was marked before survives a power cut. */
  sync(): void {
    if (this.#isSynced) return
    this.#file.sync()
    this.#isSynced = true
  }

  /** Syncs nothing. */
  close(): void {
    this.#file.close()
  }

  /** Erases the marks of all others, so that none of them meets a later log by the same name. Synced when it returns. */
  retain(present: readonly MarkedPartition[]): void {
    const kept = new Set(present.map((partition) => textOf(identityOf(partition))))
    for (const [identity, place] of [...this.#placeOf]) if (!kept.has(identity)) this.#erase(identity, place)
    this.sync()
  }

  #erase(identity: string, place: MarkPlace): void {
    this.#bytes.fill(0)
    this.#file.write(this.#bytes, 0, PLACE_BYTES, (place + 1) * PLACE_BYTES)
    this.#isSynced = false
    this.#places[place] = { identity: undefined, sequence: 0, durableEnd: 0, isNew: true }
    this.#placeOf.delete(identity)
    this.#free.push(place)
  }

  #placeAt(place: MarkPlace): Place {
    const found = this.#places[place]
    assert(found?.identity !== undefined, `place ${place} of the durable ends belongs to a partition`)
    return found
  }

  #write(place: MarkPlace, durableEnd: number): void {
    const one = this.#placeAt(place)
    const sequence = one.sequence + 1
    const copyAt = (sequence & 1) * COPY_BYTES
    this.#bytes.fill(0, 0, COPY_BYTES)
    this.#bytes.set(this.#identityBytes[place]!, 4)
    this.#view.setBigInt64(32, BigInt(sequence))
    this.#view.setBigInt64(40, BigInt(durableEnd))
    this.#view.setUint32(0, crc32c(this.#bytes, 4, COPY_BYTES))
    this.#isSynced = false
    this.#file.write(this.#bytes, 0, COPY_BYTES, (place + 1) * PLACE_BYTES + copyAt)
    one.sequence = sequence
    one.durableEnd = durableEnd
    one.isNew = false
  }
}

/** Bytes 4 to 27 of a copy: whose it is. */
function identityOf({ topic, partition, topicId }: MarkedPartition): Uint8Array {
  const bytes = new Uint8Array(24)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, partition)
  for (const [i, word] of topicId.entries()) view.setInt32(4 + i * 4, word)
  const name = new TextEncoder().encode(topic)
  view.setUint32(20, crc32c(name, 0, name.byteLength))
  return bytes
}

function textOf(identity: Uint8Array): string {
  return String.fromCharCode(...identity)
}

function header(): Uint8Array {
  const bytes = new Uint8Array(PLACE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  view.setUint16(4, DURABLE_ENDS_VERSION)
  view.setUint16(6, PLACE_BYTES)
  return bytes
}

function hasHeader(bytes: Uint8Array, path: string): boolean {
  if (bytes.byteLength < PLACE_BYTES) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (view.getUint32(0) !== MAGIC) return false
  const version = view.getUint16(4)
  if (version > DURABLE_ENDS_VERSION) throw newerFileFormat(path, version, DURABLE_ENDS_VERSION)
  return view.getUint16(6) === PLACE_BYTES
}

function newestCopy(bytes: Uint8Array, at: number): { place: Place; identityBytes: Uint8Array } | undefined {
  let newest: { place: Place; identityBytes: Uint8Array } | undefined
  for (const copyAt of [at, at + COPY_BYTES]) {
    const end = copyAt + COPY_BYTES
    if (end > bytes.byteLength) continue
    const view = new DataView(bytes.buffer, bytes.byteOffset + copyAt)
    const sequence = Number(view.getBigInt64(32))
    const durableEnd = Number(view.getBigInt64(40))
    if (view.getUint32(0) !== crc32c(bytes, copyAt + 4, end) || sequence < 1 || durableEnd < 0) continue
    if (newest !== undefined && newest.place.sequence > sequence) continue
    const identityBytes = bytes.slice(copyAt + 4, copyAt + 28)
    newest = { place: { identity: textOf(identityBytes), sequence, durableEnd, isNew: false }, identityBytes }
  }
  return newest
}
