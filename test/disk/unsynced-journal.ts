// What was done to a simulated disk and not yet synced, in order: what a power cut may take.
//
// A page that is written keeps all that was written to it before, as a page cache does; so an
// operation may be lost and a later one on the same page bring it back, but never the other way.

import { ALL_SECTORS, PAGE_BYTES, SECTOR_BYTES, SECTORS_A_PAGE, cutPages, zeroBehindEnd } from './disk-image.ts'
import type { DiskImage, Inode } from './disk-image.ts'

interface OfInode {
  readonly inode: number
  /** A sync that should have brought it to the disk failed: no later one does, though it may have arrived. */
  readonly lost: boolean
}

export interface WriteOp extends OfInode {
  readonly kind: 'write'
  readonly position: number
  readonly lengthInBytes: number
  /** Its pages as they were afterwards. */
  readonly pages: ReadonlyMap<number, Uint8Array>
}

export interface TruncateOp extends OfInode {
  readonly kind: 'truncate'
  readonly sizeInBytes: number
}

/** A name made, in `directory`; of a rename the old name goes in the same step. */
export interface LinkOp extends OfInode {
  readonly kind: 'link'
  readonly isDirectory: boolean
  readonly directory: number
  readonly name: string
  readonly from?: { readonly directory: number; readonly name: string }
}

export interface UnlinkOp extends OfInode {
  readonly kind: 'unlink'
  readonly directory: number
  readonly name: string
}

export type UnsyncedOp = WriteOp | TruncateOp | LinkOp | UnlinkOp

export function isEntryOp(op: UnsyncedOp): op is LinkOp | UnlinkOp {
  return op.kind === 'link' || op.kind === 'unlink'
}

/** What of an operation reached the disk. */
export interface Arrived {
  /** Of a write: how far its new size reaches, at most; 0 for a size that did not arrive. */
  readonly sizeMax: number
  /** Of a write: which sectors of a page, as a bit mask. */
  sectorsOf(page: number): number
}

export const ARRIVED_WHOLE: Arrived = { sizeMax: Number.POSITIVE_INFINITY, sectorsOf: () => ALL_SECTORS }

/** Does an operation on an image; pages may stand behind the end of their file until it is settled. */
export function applyOp(image: DiskImage, op: UnsyncedOp, arrived: Arrived = ARRIVED_WHOLE): void {
  switch (op.kind) {
    case 'write':
      applyWrite(image.ensure(op.inode, false), op, arrived)
      break
    case 'truncate':
      cutPages(image.ensure(op.inode, false), op.sizeInBytes)
      break
    case 'link': {
      image.ensure(op.inode, op.isDirectory)
      // Nothing has two names, whichever of its renames arrived.
      if (op.from !== undefined) for (const directory of [op.from.directory, op.directory]) unname(image, directory, op.inode)
      image.ensure(op.directory, true).entries.set(op.name, op.inode)
      break
    }
    case 'unlink':
      unlink(image, op.directory, op.name, op.inode)
      break
    default:
      op satisfies never
  }
}

function applyWrite(inode: Inode, op: WriteOp, arrived: Arrived): void {
  for (const [number, after] of op.pages) {
    const sectors = arrived.sectorsOf(number)
    if (sectors === 0) continue
    inode.pages.set(number, sectors === ALL_SECTORS ? after : mixed(inode.pages.get(number), after, sectors))
  }
  const sizeInBytes = Math.min(op.position + op.lengthInBytes, arrived.sizeMax)
  if (sizeInBytes > inode.sizeInBytes) inode.sizeInBytes = sizeInBytes
}

function mixed(before: Uint8Array | undefined, after: Uint8Array, sectors: number): Uint8Array {
  const page = before === undefined ? new Uint8Array(PAGE_BYTES) : before.slice()
  for (let sector = 0; sector < SECTORS_A_PAGE; sector++) {
    if ((sectors & (1 << sector)) === 0) continue
    const start = sector * SECTOR_BYTES
    page.set(after.subarray(start, start + SECTOR_BYTES), start)
  }
  return page
}

function unname(image: DiskImage, directory: number, inode: number): void {
  for (const [name, id] of image.get(directory)?.entries ?? []) if (id === inode) image.mutable(directory).entries.delete(name)
}

// Only while the name still means this file: an operation in between may not have arrived.
function unlink(image: DiskImage, directory: number, name: string, inode: number): void {
  if (image.get(directory)?.entries.get(name) === inode) image.mutable(directory).entries.delete(name)
}

export class UnsyncedJournal {
  #ops: UnsyncedOp[]

  constructor(ops: readonly UnsyncedOp[] = []) {
    this.#ops = [...ops]
  }

  get ops(): readonly UnsyncedOp[] {
    return this.#ops
  }

  push(op: UnsyncedOp): void {
    this.#ops.push(op)
  }

  /** Puts another operation, or none, in the place of the last. */
  replaceLast(op: UnsyncedOp | undefined): void {
    this.#ops.pop()
    if (op !== undefined) this.#ops.push(op)
  }

  /** A file's bytes and size go to the disk; of `only` these operations, where it is given. */
  syncFile(durable: DiskImage, inode: number, only?: ReadonlySet<UnsyncedOp>): void {
    const isOut = (op: UnsyncedOp): boolean => only !== undefined && !only.has(op)
    const newer = new Set<number>()
    let keptBytes = Number.POSITIVE_INFINITY
    for (const op of this.#ops) {
      if (op.inode !== inode || op.lost || isEntryOp(op) || isOut(op)) continue
      applyOp(durable, op)
      if (op.kind === 'write') for (const page of op.pages.keys()) newer.add(page)
      else keptBytes = Math.min(keptBytes, op.sizeInBytes)
    }
    // What a failed sync lost may have arrived late, but not over what was written after it.
    this.#ops = this.#ops.flatMap((op) => {
      if (op.inode !== inode || isEntryOp(op) || isOut(op)) return [op]
      if (!op.lost || op.kind !== 'write') return []
      const pages = new Map([...op.pages].filter(([page]) => !newer.has(page) && (page + 1) * PAGE_BYTES <= keptBytes))
      return pages.size === 0 ? [] : [{ ...op, pages }]
    })
    if (durable.get(inode) !== undefined) zeroBehindEnd(durable.mutable(inode))
  }

  /** The names of a directory go to the disk; tells whether one was taken away. */
  syncDirectory(durable: DiskImage, directory: number): boolean {
    let taken = false
    this.#ops = this.#ops.filter((op) => {
      if (!isEntryOp(op) || op.directory !== directory || op.lost) return true
      if (op.kind === 'unlink' || durable.get(directory)?.entries.has(op.name) === true) taken = true
      applyOp(durable, op)
      return false
    })
    return taken
  }

  /** The system has marked the pages clean, and they are not on the disk; sizes go with the next sync. */
  failFile(inode: number): void {
    this.#ops = this.#ops.flatMap((op): UnsyncedOp[] => {
      if (op.inode !== inode || op.kind !== 'write' || op.lost) return [op]
      return [
        { ...op, lost: true },
        { ...op, pages: new Map() },
      ]
    })
  }

  failDirectory(directory: number): void {
    this.#ops = this.#ops.map((op) => (isEntryOp(op) && op.directory === directory ? { ...op, lost: true } : op))
  }

  /** Forgets files that no name will ever lead to again. */
  forget(isGone: (inode: number) => boolean): void {
    this.#ops = this.#ops.filter((op) => !isGone(op.inode))
  }
}
