// The calls of a system with a page cache and a disk behind it, in memory.
//
//   calls ──▶ cache (what processes see) ──▶ journal (not synced) ──sync──▶ durable (survives a power cut)

import type { DiskCalls, DiskEntry } from '../../src/disk/disk-calls.ts'
import type { DiskStat, OpenFlags } from '../../src/disk/disk.ts'
import { cutPages, DiskImage, PAGE_BYTES, pagesAfter, readPages, ROOT } from './disk-image.ts'
import type { Inode } from './disk-image.ts'
import { errnoError, FaultPlan, SimulatedStop } from './disk-faults.ts'
import type { CallName, FaultKind } from './disk-faults.ts'
import { namesOf } from './path-names.ts'
import { applyOp, isEntryOp, UnsyncedJournal } from './unsynced-journal.ts'
import type { LinkOp, UnsyncedOp, WriteOp } from './unsynced-journal.ts'

/** The write in which the process ended. */
interface CutWrite {
  readonly op: WriteOp
  readonly sizeBefore: number
  readonly pagesBefore: ReadonlyMap<number, Uint8Array | undefined>
}

interface StartedSync {
  readonly inode: number
  readonly path: string
  readonly ops: ReadonlySet<UnsyncedOp>
  readonly onEnd: (error: unknown) => void
}

interface Place {
  readonly directory: Inode
  readonly name: string
  readonly inode: Inode | undefined
}

const UNLIMITED_BYTES = 2 ** 40

export class SimulatedCalls implements DiskCalls {
  cache: DiskImage
  readonly durable: DiskImage
  readonly journal: UnsyncedJournal
  faults = new FaultPlan([])
  capacityBytes = Number.POSITIVE_INFINITY
  stopped = false
  cutWrite: CutWrite | undefined
  readonly #nowMs: () => number
  readonly #open = new Map<number, { readonly inode: number; readonly path: string }>()
  readonly #unnamed = new Set<number>()
  #started: StartedSync[] = []
  #nextDescriptor = 3
  #nextInode: number

  constructor(
    nowMs: () => number,
    durable = new DiskImage(),
    journal = new UnsyncedJournal(),
    cache = durable.fork(),
    nextInode = ROOT + 1,
  ) {
    this.#nowMs = nowMs
    this.durable = durable
    this.journal = journal
    this.cache = cache
    this.#nextInode = nextInode
  }

  /** The same files for another process: nothing is open, no fault is planned. */
  fork(durable: DiskImage, journal: UnsyncedJournal, cache?: DiskImage): SimulatedCalls {
    if (cache !== undefined) for (const id of this.#unnamed) cache.delete(id)
    const fork = new SimulatedCalls(this.#nowMs, durable, journal, cache, this.#nextInode)
    fork.capacityBytes = this.capacityBytes
    return fork
  }

  open(path: string, flags: OpenFlags): number {
    return this.#call('open', path, 0, () => {
      const { directory, name, inode } = this.#place('open', path)
      if (flags === 'create' && inode !== undefined) throw errnoError('EEXIST', 'open', path)
      if (flags !== 'create' && inode === undefined) throw errnoError('ENOENT', 'open', path)
      if (inode?.isDirectory === true) throw errnoError('EISDIR', 'open', path)
      const id = inode?.id ?? this.#link(directory.id, name, false)
      this.#open.set(this.#nextDescriptor, { inode: id, path })
      return this.#nextDescriptor++
    })
  }

  close(descriptor: number): void {
    const { inode, path } = this.#file('close', descriptor)
    this.#call('close', path, 0, () => {
      this.#open.delete(descriptor)
      if (!this.#unnamed.has(inode.id)) return
      this.#forgetUnnamed(inode)
      this.#forgetGone()
    })
  }

  size(descriptor: number): number {
    const { inode, path } = this.#file('size', descriptor)
    return this.#call('size', path, 0, () => inode.sizeInBytes)
  }

  read(descriptor: number, into: Uint8Array, start: number, lengthInBytes: number, position: number): number {
    const { inode, path } = this.#file('read', descriptor)
    return this.#call('read', path, lengthInBytes, (fault) => readPages(inode, into, start, shortened(lengthInBytes, fault), position))
  }

  write(descriptor: number, bytes: Uint8Array, start: number, lengthInBytes: number, position: number): number {
    return this.#write('write', descriptor, [bytes.subarray(start, start + lengthInBytes)], lengthInBytes, position)
  }

  writeViews(descriptor: number, views: readonly Uint8Array[], position: number): number {
    const lengthInBytes = views.reduce((sum, { byteLength }) => sum + byteLength, 0)
    return this.#write('writeViews', descriptor, views, lengthInBytes, position)
  }

  truncate(descriptor: number, sizeInBytes: number): void {
    const { inode, path } = this.#file('truncate', descriptor)
    this.#call('truncate', path, 0, () => {
      const changed = this.cache.mutable(inode.id)
      changed.modifiedMs = this.#nowMs()
      cutPages(changed, sizeInBytes)
      this.journal.push({ kind: 'truncate', inode: inode.id, sizeInBytes, lost: false })
    })
  }

  sync(descriptor: number): void {
    const { inode, path } = this.#file('sync', descriptor)
    this.#call(
      'sync',
      path,
      0,
      () => this.journal.syncFile(this.durable, inode.id),
      () => this.journal.failFile(inode.id),
    )
  }

  startSync(descriptor: number, onEnd: (error: unknown) => void): void {
    const { inode, path } = this.#file('sync', descriptor)
    // Only what was done before is sure to be on the disk when it ends.
    this.#started.push({ inode: inode.id, path, ops: new Set(this.journal.ops), onEnd })
  }

  /** Ends the syncs that were started before this call; their number. */
  endSyncs(): number {
    const started = this.#started
    this.#started = []
    for (const { inode, path, ops, onEnd } of started) {
      let error: unknown
      try {
        this.#call(
          'sync',
          path,
          0,
          () => this.journal.syncFile(this.durable, inode, ops),
          () => this.journal.failFile(inode),
        )
      } catch (cause) {
        if (cause instanceof SimulatedStop) throw cause
        error = cause
      }
      onEnd(error)
    }
    return started.length
  }

  stat(path: string): DiskStat | undefined {
    return this.#call('stat', path, 0, () => {
      const inode = this.#find(path)
      return inode && { sizeInBytes: inode.sizeInBytes, modifiedMs: inode.modifiedMs, isDirectory: inode.isDirectory }
    })
  }

  list(path: string): DiskEntry[] {
    return this.#call('list', path, 0, () => {
      const { entries } = this.#directory('list', path)
      return [...entries].map(([name, id]) => ({ name, isDirectory: this.cache.get(id)!.isDirectory }))
    })
  }

  makeDirectory(path: string): void {
    this.#call('makeDirectory', path, 0, () => {
      const { directory, name, inode } = this.#place('makeDirectory', path)
      if (inode !== undefined) throw errnoError('EEXIST', 'makeDirectory', path)
      this.#link(directory.id, name, true)
    })
  }

  rename(from: string, to: string): void {
    this.#call('rename', from, 0, () => {
      const source = this.#place('rename', from)
      const target = this.#place('rename', to)
      const { inode } = source
      if (inode === undefined) throw errnoError('ENOENT', 'rename', from)
      if (inode === target.inode) return
      if (`${to}/`.startsWith(`${from}/`)) throw errnoError('EINVAL', 'rename', to)
      if (target.inode !== undefined) {
        if (target.inode.isDirectory && !inode.isDirectory) throw errnoError('EISDIR', 'rename', to)
        if (!target.inode.isDirectory && inode.isDirectory) throw errnoError('ENOTDIR', 'rename', to)
        if (target.inode.entries.size > 0) throw errnoError('ENOTEMPTY', 'rename', to)
      }
      this.#do({
        kind: 'link',
        inode: inode.id,
        isDirectory: inode.isDirectory,
        directory: target.directory.id,
        name: target.name,
        from: { directory: source.directory.id, name: source.name },
        lost: false,
      })
      if (target.inode !== undefined) this.#loseName(target.inode)
    })
  }

  remove(path: string): void {
    this.#call('remove', path, 0, () => {
      const { directory, name, inode } = this.#place('remove', path)
      if (inode === undefined) throw errnoError('ENOENT', 'remove', path)
      if (inode.isDirectory) throw errnoError('EISDIR', 'remove', path)
      this.#unlink(directory.id, name, inode)
    })
  }

  removeDirectory(path: string): void {
    this.#call('removeDirectory', path, 0, () => {
      const { directory, name, inode } = this.#place('removeDirectory', path)
      if (inode === undefined) throw errnoError('ENOENT', 'removeDirectory', path)
      if (!inode.isDirectory) throw errnoError('ENOTDIR', 'removeDirectory', path)
      if (inode.entries.size > 0) throw errnoError('ENOTEMPTY', 'removeDirectory', path)
      this.#unlink(directory.id, name, inode)
    })
  }

  syncDirectory(path: string): void {
    let id = ROOT
    this.#call(
      'syncDirectory',
      path,
      0,
      () => {
        id = this.#directory('syncDirectory', path).id
        if (this.journal.syncDirectory(this.durable, id)) this.#forgetGone()
      },
      () => {
        const directory = this.#find(path)
        if (directory !== undefined) this.journal.failDirectory(directory.id)
      },
    )
  }

  freeBytes(path: string): number {
    return this.#call('freeBytes', path, 0, () => {
      if (this.#find(path) === undefined) throw errnoError('ENOENT', 'freeBytes', path)
      return this.#freeBytes()
    })
  }

  /** Clean pages are read from the disk again, so what a failed sync lost shows. */
  dropCaches(): void {
    const fresh = this.durable.fork()
    for (const op of this.journal.ops) if (!op.lost || isEntryOp(op)) applyOp(fresh, op)
    for (const id of [...fresh.ids()]) if (this.cache.get(id) === undefined) fresh.delete(id)
    for (const id of this.cache.ids()) {
      const cached = this.cache.get(id)!
      const inode = fresh.ensure(id, cached.isDirectory)
      inode.modifiedMs = cached.modifiedMs
      // The size is in the inode, which stays.
      cutPages(inode, cached.sizeInBytes)
    }
    this.cache = fresh
  }

  #write(call: 'write' | 'writeViews', descriptor: number, views: readonly Uint8Array[], lengthInBytes: number, position: number): number {
    const { inode, path } = this.#file(call, descriptor)
    return this.#call(call, path, lengthInBytes, (fault) => {
      const length = this.#fitting(inode, shortened(lengthInBytes, fault), position)
      if (lengthInBytes === 0) return 0
      if (length === 0) throw errnoError('ENOSPC', call, path)
      const pages = pagesAfter(inode, views, length, position)
      const op: WriteOp = { kind: 'write', inode: inode.id, position, lengthInBytes: length, pages, lost: false }
      if (fault === 'stop') {
        const pagesBefore = new Map([...pages.keys()].map((page) => [page, inode.pages.get(page)]))
        this.cutWrite = { op, sizeBefore: inode.sizeInBytes, pagesBefore }
      }
      this.#do(op)
      this.cache.mutable(inode.id).modifiedMs = this.#nowMs()
      return length
    })
  }

  #fitting(inode: Inode, lengthInBytes: number, position: number): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return lengthInBytes
    let free = Math.floor(this.#freeBytes() / PAGE_BYTES)
    for (let page = Math.floor(position / PAGE_BYTES); page * PAGE_BYTES < position + lengthInBytes; page++) {
      if (!inode.pages.has(page) && --free < 0) return Math.max(0, page * PAGE_BYTES - position)
    }
    return lengthInBytes
  }

  #freeBytes(): number {
    return this.capacityBytes === Number.POSITIVE_INFINITY ? UNLIMITED_BYTES : Math.max(0, this.capacityBytes - this.cache.usedBytes())
  }

  // Counts the call and lets its fault happen. A call that fails has done nothing, but a sync, which has done harm.
  #call<Result>(call: CallName, path: string, lengthInBytes: number, body: (fault?: FaultKind) => Result, fail?: () => void): Result {
    if (this.stopped) throw new SimulatedStop('the process has ended')
    const fault = this.faults.next(call, path, lengthInBytes)
    if (fault !== undefined && fault !== 'short' && fault !== 'stop') {
      fail?.()
      throw errnoError(fault, call, path)
    }
    if (fault !== 'stop') return body(fault)
    this.stopped = true
    try {
      body(fault)
    } catch {
      // A call that would have failed has done nothing, and nobody is there to hear of it.
    }
    throw new SimulatedStop(`the process ended after ${call} of ${path}`)
  }

  #do(op: WriteOp | LinkOp): void {
    applyOp(this.cache, op)
    this.journal.push(op)
  }

  #link(directory: number, name: string, isDirectory: boolean): number {
    const inode = this.#nextInode++
    this.#do({ kind: 'link', inode, isDirectory, directory, name, lost: false })
    this.cache.mutable(inode).modifiedMs = this.#nowMs()
    return inode
  }

  #unlink(directory: number, name: string, inode: Inode): void {
    const op = { kind: 'unlink', inode: inode.id, directory, name, lost: false } as const
    applyOp(this.cache, op)
    this.journal.push(op)
    this.#loseName(inode)
  }

  #loseName(inode: Inode): void {
    this.#unnamed.add(inode.id)
    this.#forgetUnnamed(inode)
  }

  // A file without a name gives its space back when nobody has it open any more.
  #forgetUnnamed({ id }: Inode): void {
    for (const { inode } of this.#open.values()) if (inode === id) return
    this.cache.delete(id)
    this.#unnamed.delete(id)
  }

  #forgetGone(): void {
    const kept = new Set<number>([ROOT, ...this.cache.ids()])
    for (const id of this.durable.ids()) for (const one of this.durable.get(id)!.entries.values()) kept.add(one)
    for (const op of this.journal.ops) if (op.kind === 'link') kept.add(op.inode)
    for (const id of [...this.durable.ids()]) if (!kept.has(id)) this.durable.delete(id)
    this.journal.forget((inode) => !kept.has(inode))
  }

  #file(call: CallName, descriptor: number): { inode: Inode; path: string } {
    const open = this.#open.get(descriptor)
    if (open === undefined) throw errnoError('EBADF', call, `descriptor ${descriptor}`)
    return { inode: this.cache.get(open.inode)!, path: open.path }
  }

  #find(path: string): Inode | undefined {
    let inode: Inode | undefined = this.cache.get(ROOT)
    for (const name of namesOf(path)) inode = inode && this.#below(inode, name)
    return inode
  }

  #below(directory: Inode, name: string): Inode | undefined {
    const id = directory.entries.get(name)
    return id === undefined ? undefined : this.cache.get(id)
  }

  #directory(call: CallName, path: string, names = namesOf(path)): Inode {
    let directory = this.cache.get(ROOT)!
    for (const name of names) {
      const below = this.#below(directory, name)
      if (below === undefined) throw errnoError(directory.isDirectory ? 'ENOENT' : 'ENOTDIR', call, path)
      directory = below
    }
    if (!directory.isDirectory) throw errnoError('ENOTDIR', call, path)
    return directory
  }

  #place(call: CallName, path: string): Place {
    const names = namesOf(path)
    const name = names.at(-1)
    if (name === undefined) throw errnoError('EEXIST', call, path)
    const directory = this.#directory(call, path, names.slice(0, -1))
    return { directory, name, inode: this.#below(directory, name) }
  }
}

function shortened(lengthInBytes: number, fault: FaultKind | undefined): number {
  return fault === 'short' ? Math.floor(lengthInBytes / 2) : lengthInBytes
}
