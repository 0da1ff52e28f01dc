// The directory of one partition: its files by name, and what of them no sync has reached yet.
// Runs on the thread that has the partition's files.
//
// Holds: after `sync` all that was written and named here before survives a power cut.

import { readWhole } from '../disk/read-whole.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'

export class PartitionDirectory {
  readonly disk: Disk
  readonly path: string
  /** Files that were written since their last sync. */
  readonly #unsynced = new Set<string>()
  /** Names were made, renamed or removed. */
  #isChanged = false
  #isNew = false

  constructor(disk: Disk, path: string) {
    this.disk = disk
    this.path = path
  }

  pathOf(name: string): string {
    return `${this.path}/${name}`
  }

  /** Makes the directory, whose parent must be there. */
  make(): void {
    this.disk.makeDirectory(this.path)
    this.#isNew = true
  }

  exists(name: string): boolean {
    return this.disk.exists(this.pathOf(name))
  }

  /** A new file, empty and open. */
  create(name: string): DiskFile {
    const file = this.disk.open(this.pathOf(name), 'create')
    this.#isChanged = true
    this.#unsynced.add(name)
    return file
  }

  /** A file that is there, or a new one. */
  openOrCreate(name: string): DiskFile {
    return this.exists(name) ? this.disk.open(this.pathOf(name), 'write') : this.create(name)
  }

  read(name: string): DiskFile {
    return this.disk.open(this.pathOf(name), 'read')
  }

  /** All of a file; undefined when it is not there. */
  readWhole(name: string, maxBytes: number): Uint8Array | undefined {
    return this.exists(name) ? readWhole(this.disk, this.pathOf(name), maxBytes) : undefined
  }

  /** A file with these bytes, in the place of another: after the death of the process there is one or the other. */
  replace(name: string, bytes: Uint8Array): void {
    const temporary = `${name}.tmp`
    if (this.exists(temporary)) this.remove(temporary)
    const file = this.create(temporary)
    try {
      file.write(bytes, 0, bytes.length, 0)
    } finally {
      file.close()
    }
    this.rename(temporary, name)
  }

  /** The same, and after a power cut too. */
  replaceDurably(name: string, bytes: Uint8Array): void {
    const temporary = `${name}.tmp`
    if (this.exists(temporary)) this.remove(temporary)
    const file = this.create(temporary)
    try {
      file.write(bytes, 0, bytes.length, 0)
      file.sync()
    } finally {
      file.close()
    }
    this.#unsynced.delete(temporary)
    this.disk.rename(this.pathOf(temporary), this.pathOf(name))
    this.#unsynced.delete(name)
    this.disk.syncDirectory(this.path)
  }

  rename(from: string, to: string): void {
    this.disk.rename(this.pathOf(from), this.pathOf(to))
    this.#isChanged = true
    if (this.#unsynced.delete(from)) this.#unsynced.add(to)
    else this.#unsynced.delete(to)
  }

  remove(name: string): void {
    this.disk.remove(this.pathOf(name))
    this.#isChanged = true
    this.#unsynced.delete(name)
  }

  removeIfThere(name: string): void {
    if (this.exists(name)) this.remove(name)
  }

  /** The file was written by a descriptor of its own and is not synced. */
  markUnsynced(name: string): void {
    this.#unsynced.add(name)
  }

  /** The owner of an open file synced it. */
  markSynced(name: string): void {
    this.#unsynced.delete(name)
  }

  sync(): void {
    for (const name of this.#unsynced) {
      const file = this.disk.open(this.pathOf(name), 'write')
      try {
        file.sync()
      } finally {
        file.close()
      }
    }
    this.#unsynced.clear()
    this.syncNames()
  }

  syncNames(): void {
    if (this.#isChanged) this.disk.syncDirectory(this.path)
    this.#isChanged = false
    if (this.#isNew) this.disk.syncDirectory(parentOf(this.path))
    this.#isNew = false
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}
