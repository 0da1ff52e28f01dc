// Segment files of a test's own making, and a disk under its hand: one that counts what is
// open, holds reads back until they are let go, and refuses what it is told to.

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batchSizeInBytes, nextOffset, stampBatch } from '../../src/record/record-batch.ts'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexAppender } from '../../src/storage/offset-index.ts'
import { nodeSegmentFiles } from '../../src/storage/segment-files.ts'
import type { SegmentFile, SegmentFiles } from '../../src/storage/segment-files.ts'
import { segmentPath } from '../../src/storage/segment-listing.ts'
import { plainBatch } from '../record/plain-batch.ts'
import type { PlainBatchFields } from '../record/plain-batch.ts'

/** A batch of records with a key each; `offset` is its base. */
export function batchAt(
  offset: number,
  values: readonly string[],
  fields: PlainBatchFields = {},
  timestamps: readonly number[] = [],
): Uint8Array {
  const text = new TextEncoder()
  const records = values.map((value, i) => ({
    timestamp: timestamps[i] ?? 0,
    key: text.encode(`k${i}`),
    value: text.encode(value),
    headers: [],
  }))
  const batch = plainBatch(records, fields)
  stampBatch(batch, 0, offset, 3)
  return batch
}

/** `count` batches of `perBatch` records of so many bytes each, one behind the other from `offset` on. */
export function batchesFrom(offset: number, count: number, perBatch = 2, valueBytes = 20): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const at = offset + i * perBatch
    return batchAt(
      at,
      Array.from({ length: perBatch }, (_each, j) => `${at + j} `.padEnd(valueBytes, '.')),
    )
  })
}

export function joined(batches: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(batches.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const batch of batches) {
    bytes.set(batch, at)
    at += batch.length
  }
  return bytes
}

/** The index of a segment that holds these batches. */
export function indexOf(baseOffset: number, bytes: Uint8Array, intervalBytes: number): Uint8Array {
  const appender = new OffsetIndexAppender(baseOffset, intervalBytes)
  const index = new Uint8Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at += batchSizeInBytes(bytes, at)) {
    length += appender.append(nextOffset(bytes, at) - 1, at, batchSizeInBytes(bytes, at), index, length)
  }
  return index.subarray(0, length - (length % OFFSET_INDEX_ENTRY_BYTES))
}

/** A partition's directory under a temporary one. */
export class SegmentDirectory {
  readonly root = mkdtempSync(join(tmpdir(), 'segments-'))
  path = join(this.root, 'topic-0')

  constructor() {
    mkdirSync(this.path)
  }

  /** A segment of these bytes, whatever they are, without an index. */
  writeBytes(baseOffset: number, bytes: Uint8Array): string {
    const path = segmentPath(this.path, baseOffset, 'log')
    writeFileSync(path, bytes)
    rmSync(segmentPath(this.path, baseOffset, 'index'), { force: true })
    return path
  }

  /** A segment with these batches, and an index unless told otherwise. */
  write(baseOffset: number, batches: readonly Uint8Array[], indexIntervalBytes: number | undefined = 64): string {
    const bytes = joined(batches)
    const path = segmentPath(this.path, baseOffset, 'log')
    writeFileSync(path, bytes)
    if (indexIntervalBytes !== undefined) {
      writeFileSync(segmentPath(this.path, baseOffset, 'index'), indexOf(baseOffset, bytes, indexIntervalBytes))
    }
    return path
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** The files of the machine, under the test's hand. */
export class HandFiles implements SegmentFiles {
  /** How many files are open. */
  openFiles = 0
  openFilesMost = 0
  opened: string[] = []
  lists = 0
  reads = 0
  bytesRead = 0
  /** While it is set, reads of .log files wait. */
  holds = false
  /** Thrown, once each, by the next of these operations. */
  readonly faults: { list: unknown[]; open: unknown[]; read: unknown[] } = { list: [], open: [], read: [] }
  /** Called before a directory is listed, a file opened. */
  before: (what: 'list' | 'open', path: string) => void = () => undefined
  readonly #held: (() => void)[] = []

  async list(directory: string): Promise<string[]> {
    this.lists++
    this.before('list', directory)
    throwNext(this.faults.list)
    return nodeSegmentFiles.list(directory)
  }

  async open(path: string): Promise<SegmentFile> {
    this.before('open', path)
    throwNext(this.faults.open)
    const file = await nodeSegmentFiles.open(path)
    this.openFiles++
    this.openFilesMost = Math.max(this.openFilesMost, this.openFiles)
    this.opened.push(path)
    return {
      read: async (into, at, length, position) => {
        if (path.endsWith('.log')) {
          this.reads++
          if (this.holds) await new Promise<void>((resolve) => this.#held.push(resolve))
          throwNext(this.faults.read)
        }
        const bytes = await file.read(into, at, length, position)
        this.bytesRead += bytes
        return bytes
      },
      sizeInBytes: () => file.sizeInBytes(),
      close: async () => {
        await file.close()
        this.openFiles--
      },
    }
  }

  /** How many reads are held back. */
  get held(): number {
    return this.#held.length
  }

  /** Lets the reads that are held back go, and holds none from now on. */
  letGo(): void {
    this.holds = false
    for (const resolve of this.#held.splice(0)) resolve()
  }
}

/** A system error, as Node.js throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code })
}

function throwNext(faults: unknown[]): void {
  if (faults.length > 0) throw faults.shift()
}
