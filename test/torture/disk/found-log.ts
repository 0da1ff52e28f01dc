// What is in the files of a data directory, record for record, with nothing of millrace: the parser
// of a check imports no code that it checks. Uncompressed batches alone.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface FoundRecord {
  readonly producer: number
  readonly number: number
  readonly value: Uint8Array
}

/** The records of a partition by offset, which begin at 0; what is no log is told in `faults`. */
export interface FoundLog {
  readonly records: FoundRecord[]
  readonly faults: string[]
  /** Bytes of a batch that is not whole, at the very end. */
  readonly cutBytes: number
}

const HEADER_BYTES = 61

/** `isCut`: what is behind the first that is no batch is not there, and no fault: unsynced pages reach a disk in any order. */
export function findLog(dataDir: string, topic: string, partition: number, { isCut = false } = {}): FoundLog {
  const found = readLog(dataDir, topic, partition, isCut)
  return isCut ? { ...found, faults: [] } : found
}

function readLog(dataDir: string, topic: string, partition: number, isCut: boolean): FoundLog {
  const records: FoundRecord[] = []
  const faults: string[] = []
  const homes = existsSync(dataDir) ? readdirSync(dataDir).filter((name) => name.startsWith('broker-')) : []
  const places = homes.map((name) => join(dataDir, name, `${topic}-${partition}`)).filter((path) => existsSync(path))
  if (places.length > 1) faults.push(`${topic}-${partition} is in ${places.length} places`)
  if (places.length === 0) return { records, faults, cutBytes: 0 }
  let cutBytes = 0
  const names = readdirSync(places[0]!).filter((name) => /^\d{20}\.log$/.test(name))
  for (const name of names.sort()) {
    if (isCut && faults.length + cutBytes > 0) break
    if (cutBytes > 0) faults.push(`${name} stands behind a batch that is cut`)
    const bytes = readFileSync(join(places[0]!, name))
    const where = `${topic}-${partition}/${name}`
    if (bytes.length > 0 && Number(name.slice(0, 20)) !== records.length) faults.push(`${where} follows offset ${records.length}`)
    if (isCut && faults.length > 0) break
    for (let at = 0; at < bytes.length; ) {
      const size = at + 12 <= bytes.length ? bytes.readInt32BE(at + 8) + 12 : Number.POSITIVE_INFINITY
      if (at + size > bytes.length || size < HEADER_BYTES) {
        if (size < HEADER_BYTES) faults.push(`${where}: a batch of ${size} bytes at ${at}`)
        cutBytes = bytes.length - at
        break
      }
      if (bytes.readUInt32BE(at + 17) !== crc32c(bytes, at + 21, at + size)) faults.push(`${where}: wrong CRC at ${at}`)
      if (Number(bytes.readBigInt64BE(at)) !== records.length) faults.push(`${where}: a batch at ${at} does not follow ${records.length}`)
      if (isCut && faults.length > 0) {
        cutBytes = bytes.length - at
        break
      }
      parseRecords(bytes, at, records)
      at += size
    }
  }
  return { records, faults, cutBytes }
}

function parseRecords(bytes: Buffer, batch: number, records: FoundRecord[]): void {
  const count = bytes.readInt32BE(batch + 57)
  let at = batch + HEADER_BYTES
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
  for (let i = 0; i < count; i++) {
    const length = varint()
    const end = at + length
    at++
    varint()
    varint()
    const keyBytes = Math.max(0, varint())
    at += keyBytes
    const size = varint()
    const value = bytes.subarray(at, at + size)
    records.push({ producer: value.readUInt32BE(0), number: value.readUInt32BE(4), value })
    at = end
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  return crc >>> 0
})

function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffff_ffff
  for (let at = start; at < end; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
