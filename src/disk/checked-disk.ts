// A Disk over the bare calls of a system: whole writes, typed errors, and no trust after a failed sync.
// The real and the simulated disk are both this, so what stands here is tested under every fault.

import { dirname, join } from 'node:path'
import { CheckedFile } from './checked-file.ts'
import type { DiskCalls } from './disk-calls.ts'
import { DiskError, errnoOf } from './disk-error.ts'
import type { DiskOperation } from './disk-error.ts'
import type { Disk, DiskFile, DiskStat, OpenFlags } from './disk.ts'

// A directory that could not even be opened to be synced has lost nothing.
const COULD_NOT_OPEN: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EMFILE', 'ENFILE'])

export class CheckedDisk implements Disk {
  readonly #calls: DiskCalls
  readonly #untrustedDirectories = new Set<string>()

  constructor(calls: DiskCalls) {
    this.#calls = calls
  }

  open(path: string, flags: OpenFlags): DiskFile {
    return new CheckedFile(
      this.#calls,
      path,
      this.#try('open', path, () => this.#calls.open(path, flags)),
      flags !== 'read',
    )
  }

  exists(path: string): boolean {
    return this.#statOrUndefined(path) !== undefined
  }

  stat(path: string): DiskStat {
    const stat = this.#statOrUndefined(path)
    if (stat === undefined) throw new DiskError({ path, operation: 'stat', reason: 'not-found' })
    return stat
  }

  list(directory: string): string[] {
    return this.#try('list', directory, () => this.#calls.list(directory).map(({ name }) => name)).sort()
  }

  makeDirectory(path: string, recursive = false): void {
    if (!recursive) {
      this.#try('make-directory', path, () => this.#calls.makeDirectory(path))
      return
    }
    if (this.#isDirectory(path)) return
    const parent = dirname(path)
    if (parent !== path && !this.exists(parent)) this.makeDirectory(parent, true)
    try {
      this.#calls.makeDirectory(path)
    } catch (cause) {
      // Another thread may have made it meanwhile.
      if (errnoOf(cause) !== 'EEXIST' || !this.#isDirectory(path)) throw diskFailure('make-directory', path, cause)
    }
  }

  rename(from: string, to: string): void {
    this.#try('rename', from, () => this.#calls.rename(from, to))
  }

  remove(path: string): void {
    this.#try('remove', path, () => this.#calls.remove(path))
  }

  removeDirectory(path: string, recursive = false): void {
    if (recursive) {
      for (const { name, isDirectory } of this.#try('list', path, () => this.#calls.list(path))) {
        const below = join(path, name)
        if (isDirectory) this.removeDirectory(below, true)
        else this.remove(below)
      }
    }
    this.#try('remove-directory', path, () => this.#calls.removeDirectory(path))
  }

  syncDirectory(path: string): void {
    if (this.#untrustedDirectories.has(path)) throw new DiskError({ path, operation: 'sync-directory', reason: 'sync-failed' })
    try {
      this.#calls.syncDirectory(path)
    } catch (cause) {
      if (!COULD_NOT_OPEN.has(errnoOf(cause))) this.#untrustedDirectories.add(path)
      throw diskFailure('sync-directory', path, cause)
    }
  }

  freeBytes(path: string): number {
    return this.#try('free-bytes', path, () => this.#calls.freeBytes(path))
  }

  #isDirectory(path: string): boolean {
    return this.#statOrUndefined(path)?.isDirectory === true
  }

  #statOrUndefined(path: string): DiskStat | undefined {
    return this.#try('stat', path, () => this.#calls.stat(path))
  }

  #try<Result>(operation: DiskOperation, path: string, call: () => Result): Result {
    try {
      return call()
    } catch (cause) {
      throw diskFailure(operation, path, cause)
    }
  }
}

// What is no failure of the system goes on as it is: a defect must not look like a bad disk.
function diskFailure(operation: DiskOperation, path: string, cause: unknown): unknown {
  return errnoOf(cause) === undefined ? cause : new DiskError({ path, operation, cause })
}
