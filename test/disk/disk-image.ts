// What stands on a simulated disk, or in the cache before it: files as pages, directories as names.
// Images share what they have in common: a page is never changed once made, a file or directory is
// copied by the first image that changes it. So a fork costs one small Map, however long its files are.

export const PAGE_BYTES = 4096
/** What a disk writes whole, or not at all. */
export const SECTOR_BYTES = 512
export const SECTORS_A_PAGE = PAGE_BYTES / SECTOR_BYTES
export const ALL_SECTORS = (1 << SECTORS_A_PAGE) - 1
export const ROOT = 0

export interface Inode {
  readonly id: number
  readonly isDirectory: boolean
  /** The image that may change it. */
  readonly owner: object
  sizeInBytes: number
  modifiedMs: number
  /** By page number; a page that is missing holds zeros. Behind `sizeInBytes` all is zero. */
  readonly pages: Map<number, Uint8Array>
  /** Of a directory: name to id. */
  readonly entries: Map<string, number>
}

export class DiskImage {
  #inodes = new Map<number, Inode>()
  #owner = {}

  constructor() {
    this.ensure(ROOT, true)
  }

  /** Another image of the same content; each goes its own way from here. */
  fork(): DiskImage {
    const fork = new DiskImage()
    fork.#inodes = new Map(this.#inodes)
    this.#owner = {}
    return fork
  }

  get(id: number): Inode | undefined {
    return this.#inodes.get(id)
  }

  ids(): Iterable<number> {
    return this.#inodes.keys()
  }

  /** For a change. */
  mutable(id: number): Inode {
    const inode = this.#inodes.get(id)!
    if (inode.owner === this.#owner) return inode
    const own = { ...inode, owner: this.#owner, pages: new Map(inode.pages), entries: new Map(inode.entries) }
    this.#inodes.set(id, own)
    return own
  }

  /** For a change, made empty where it is missing. */
  ensure(id: number, isDirectory: boolean): Inode {
    if (this.#inodes.has(id)) return this.mutable(id)
    const made: Inode = { id, isDirectory, owner: this.#owner, sizeInBytes: 0, modifiedMs: 1, pages: new Map(), entries: new Map() }
    this.#inodes.set(id, made)
    return made
  }

  delete(id: number): void {
    this.#inodes.delete(id)
  }

  usedBytes(): number {
    let pages = 0
    for (const inode of this.#inodes.values()) pages += inode.pages.size
    return pages * PAGE_BYTES
  }
}

export function readPages(inode: Inode, into: Uint8Array, start: number, lengthInBytes: number, position: number): number {
  const end = Math.min(position + lengthInBytes, inode.sizeInBytes)
  let at = position
  while (at < end) {
    const number = Math.floor(at / PAGE_BYTES)
    const from = at - number * PAGE_BYTES
    const count = Math.min(PAGE_BYTES - from, end - at)
    const page = inode.pages.get(number)
    const to = start + at - position
    if (page === undefined) into.fill(0, to, to + count)
    else into.set(page.subarray(from, from + count), to)
    at += count
  }
  return Math.max(0, end - position)
}

/** The pages of a file as they are once `views` are written at `position`; of the views, the first `lengthInBytes`. */
export function pagesAfter(inode: Inode, views: readonly Uint8Array[], lengthInBytes: number, position: number): Map<number, Uint8Array> {
  const pages = new Map<number, Uint8Array>()
  const end = position + lengthInBytes
  let view = 0
  let inView = 0
  for (let at = position; at < end; ) {
    const number = Math.floor(at / PAGE_BYTES)
    const pageEnd = Math.min((number + 1) * PAGE_BYTES, end)
    const before = pageEnd - at < PAGE_BYTES ? inode.pages.get(number) : undefined
    const page = before === undefined ? new Uint8Array(PAGE_BYTES) : before.slice()
    while (at < pageEnd) {
      const bytes = views[view]!
      const count = Math.min(bytes.byteLength - inView, pageEnd - at)
      page.set(inView === 0 && count === bytes.byteLength ? bytes : bytes.subarray(inView, inView + count), at - number * PAGE_BYTES)
      at += count
      inView += count
      if (inView === bytes.byteLength) {
        view++
        inView = 0
      }
    }
    pages.set(number, page)
  }
  return pages
}

/** Cuts a file, or lengthens it with zeros. */
export function cutPages(inode: Inode, sizeInBytes: number): void {
  inode.sizeInBytes = sizeInBytes
  zeroBehindEnd(inode)
}

/** Makes what is behind the end of a file zero. */
export function zeroBehindEnd(inode: Inode): void {
  const last = Math.floor(inode.sizeInBytes / PAGE_BYTES)
  const kept = inode.sizeInBytes % PAGE_BYTES
  for (const number of inode.pages.keys()) if (number > last || (number === last && kept === 0)) inode.pages.delete(number)
  const page = inode.pages.get(last)
  if (page === undefined) return
  for (let i = kept; i < PAGE_BYTES; i++) {
    if (page[i] === 0) continue
    const cut = new Uint8Array(PAGE_BYTES)
    cut.set(page.subarray(0, kept))
    inode.pages.set(last, cut)
    return
  }
}
