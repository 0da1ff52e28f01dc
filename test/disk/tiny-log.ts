// The smallest log that a disk can lose: one number a record, files that roll, a checkpoint that is
// renamed into place. Right, or with one of the mistakes that a simulated disk must catch.

import { dirname } from 'node:path'
import { DiskError } from '../../src/disk/disk-error.ts'
import type { Disk, DiskFile } from '../../src/disk/disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { crc32c } from '../../src/record/crc32c.ts'

export const MISTAKES = [
  'no-sync',
  'sync-before-write',
  'no-directory-sync-after-create',
  'no-parent-sync-after-make-directory',
  'ack-before-write',
  'retry-a-failed-sync',
  'rename-before-sync',
  'no-directory-sync-after-rename',
] as const

export type Mistake = (typeof MISTAKES)[number]

// number u32 · length u32 · bytes that follow from the number · crc32c of all before u32
const HEADER_BYTES = 8
const CRC_BYTES = 4

export interface TinyLogOptions {
  readonly recordBytes: number
  readonly recordsAFile: number
  readonly mistake?: Mistake | undefined
}

export class TinyLog {
  /** How many records are promised to be there. */
  acked = 0
  /** The last checkpoint that is promised to be there. */
  ackedCheckpoint = 0
  readonly #disk: Disk
  readonly #directory: string
  readonly #options: TinyLogOptions
  #file: DiskFile | undefined
  #position = 0
  #next = 0

  constructor(disk: Disk, directory: string, options: TinyLogOptions) {
    this.#disk = disk
    this.#directory = directory
    this.#options = options
    disk.makeDirectory(directory)
    if (options.mistake !== 'no-parent-sync-after-make-directory') disk.syncDirectory(dirname(directory))
  }

  append(): void {
    const { recordBytes, recordsAFile, mistake } = this.#options
    if (this.#next % recordsAFile === 0) this.#roll()
    const record = recordOf(this.#next, recordBytes)
    if (mistake === 'ack-before-write') this.acked++
    if (mistake === 'sync-before-write') this.#sync()
    this.#file!.write(record, 0, record.byteLength, this.#position)
    this.#position += record.byteLength
    this.#next++
    if (mistake !== 'no-sync' && mistake !== 'sync-before-write') this.#sync()
    this.acked = this.#next
  }

  /** Keeps how many records there are, in a file that is replaced. */
  checkpoint(): void {
    const { mistake } = this.#options
    const [path, temporary] = [checkpointPath(this.#directory), `${checkpointPath(this.#directory)}.tmp`]
    const text = new TextEncoder().encode(`${this.#next}.`)
    const file = this.#disk.open(temporary, 'create')
    file.write(text, 0, text.byteLength, 0)
    if (mistake === 'rename-before-sync') this.#disk.rename(temporary, path)
    file.sync()
    file.close()
    if (mistake !== 'rename-before-sync') this.#disk.rename(temporary, path)
    if (mistake !== 'no-directory-sync-after-rename') this.#disk.syncDirectory(this.#directory)
    this.ackedCheckpoint = this.#next
  }

  #roll(): void {
    this.#file?.close()
    this.#position = 0
    this.#file = this.#disk.open(`${this.#directory}/${String(this.#next).padStart(8, '0')}.log`, 'create')
    if (this.#options.mistake !== 'no-directory-sync-after-create') this.#disk.syncDirectory(this.#directory)
  }

  #sync(): void {
    const file = this.#file!
    try {
      file.sync()
    } catch (error) {
      if (this.#options.mistake !== 'retry-a-failed-sync' || !(error instanceof DiskError)) throw error
      file.close()
      this.#file = this.#disk.open(file.path, 'write')
      this.#file.sync()
    }
  }
}

export interface RecoveredLog {
  readonly records: number
  readonly checkpoint: number
}

/** Opens a log after a crash: records up to the first that is not whole. Throws where the checkpoint is damaged. */
export function recoverTinyLog(disk: Disk, directory: string, recordBytes: number): RecoveredLog {
  let records = 0
  let checkpoint = 0
  if (!disk.exists(directory)) return { records, checkpoint }
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`
    if (path === checkpointPath(directory)) checkpoint = checkpointOf(readWhole(disk, path, 100))
    if (!name.endsWith('.log') || Number(name.slice(0, -4)) !== records) continue
    const bytes = readWhole(disk, path, 1 << 24)
    let position = 0
    while (isRecord(bytes, position, records, recordBytes)) {
      position += HEADER_BYTES + recordBytes + CRC_BYTES
      records++
    }
  }
  return { records, checkpoint }
}

function checkpointPath(directory: string): string {
  return `${directory}/checkpoint`
}

function checkpointOf(bytes: Uint8Array): number {
  const text = new TextDecoder().decode(bytes)
  if (!/^\d+\.$/.test(text)) throw new Error(`a damaged checkpoint: ${JSON.stringify(text)}`)
  return Number(text.slice(0, -1))
}

function recordOf(number: number, recordBytes: number): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + recordBytes + CRC_BYTES)
  const view = new DataView(record.buffer)
  view.setUint32(0, number)
  view.setUint32(4, recordBytes)
  for (let i = 0; i < recordBytes; i++) record[HEADER_BYTES + i] = (number * 31 + i * 7) & 0xff
  view.setUint32(HEADER_BYTES + recordBytes, crc32c(record, 0, HEADER_BYTES + recordBytes))
  return record
}

function isRecord(bytes: Uint8Array, position: number, number: number, recordBytes: number): boolean {
  const end = position + HEADER_BYTES + recordBytes
  if (end + CRC_BYTES > bytes.byteLength) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (view.getUint32(position) !== number || view.getUint32(position + 4) !== recordBytes) return false
  return view.getUint32(end) === crc32c(bytes, position, end)
}
