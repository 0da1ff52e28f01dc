// One open file of a CheckedDisk.

import { assert } from '../assert.ts'
import type { DiskCalls } from './disk-calls.ts'
import { DiskError, errnoOf } from './disk-error.ts'
import type { DiskFailure } from './disk-error.ts'
import type { DiskFile } from './disk.ts'

export class CheckedFile implements DiskFile {
  readonly path: string
  readonly #calls: DiskCalls
  readonly #descriptor: number
  readonly #writable: boolean
  #closed = false
  /** Syncs that were started and have not ended: until then the descriptor must not be given to another file. */
  #syncing = 0
  /** What the sync that failed threw. */
  #syncFailure: DiskError | undefined

  constructor(calls: DiskCalls, path: string, descriptor: number, writable: boolean) {
    this.#calls = calls
    this.path = path
    this.#descriptor = descriptor
    this.#writable = writable
  }

  sizeInBytes(): number {
    this.#assertOpen()
    try {
      return this.#calls.size(this.#descriptor)
    } catch (cause) {
      throw this.#failure({ operation: 'size', cause })
    }
  }

  read(into: Uint8Array, start: number, end: number, position: number): number {
    this.#assertOpen()
    assertRange(into, start, end, position)
    let read = 0
    try {
      while (start + read < end) {
        const bytes = this.#calls.read(this.#descriptor, into, start + read, end - start - read, position + read)
        if (bytes === 0) break
        read += bytes
      }
    } catch (cause) {
      throw this.#failure({ operation: 'read', position: position + read, wantedBytes: end - start - read, cause })
    }
    return read
  }

  write(bytes: Uint8Array, start: number, end: number, position: number): number {
    assertRange(bytes, start, end, position)
    this.#assertWritable('write', position)
    const wantedBytes = end - start
    let written = 0
    while (written < wantedBytes) {
      let taken = 0
      try {
        taken = this.#calls.write(this.#descriptor, bytes, start + written, wantedBytes - written, position + written)
      } catch (cause) {
        throw this.#failure({ operation: 'write', position, arrivedBytes: written, wantedBytes, cause })
      }
      if (taken === 0) throw this.#tookNothing(position, written, wantedBytes)
      written += taken
    }
    return written
  }

  writeAll(views: readonly Uint8Array[], position: number): number {
    assert(Number.isSafeInteger(position) && position >= 0, `a position in a file: ${position}`)
    this.#assertWritable('write', position)
    let wantedBytes = 0
    for (const view of views) wantedBytes += view.byteLength
    let rest = views
    let written = 0
    while (written < wantedBytes) {
      let taken = 0
      try {
        taken = this.#calls.writeViews(this.#descriptor, rest, position + written)
      } catch (cause) {
        throw this.#failure({ operation: 'write', position, arrivedBytes: written, wantedBytes, cause })
      }
      if (taken === 0) throw this.#tookNothing(position, written, wantedBytes)
      written += taken
      if (written < wantedBytes) rest = behind(rest, taken)
    }
    return written
  }

  truncate(sizeInBytes: number): void {
    assert(Number.isSafeInteger(sizeInBytes) && sizeInBytes >= 0, `a size of a file: ${sizeInBytes}`)
    this.#assertWritable('truncate', sizeInBytes)
    try {
      this.#calls.truncate(this.#descriptor, sizeInBytes)
    } catch (cause) {
      throw this.#failure({ operation: 'truncate', position: sizeInBytes, cause })
    }
  }

  sync(): void {
    this.#assertOpen()
    if (this.#syncFailure !== undefined) throw this.#refusal('sync')
    try {
      this.#calls.sync(this.#descriptor)
    } catch (cause) {
      const failure = this.#failure({ operation: 'sync', cause })
      if (failure instanceof DiskError) this.#syncFailure = failure
      throw failure
    }
  }

  startSync(onEnd: (failure: unknown) => void): void {
    this.#assertOpen()
    if (this.#syncFailure !== undefined) throw this.#refusal('sync')
    this.#syncing++
    this.#calls.startSync(this.#descriptor, (cause) => {
      this.#syncing--
      const failure = cause === undefined ? undefined : this.#failure({ operation: 'sync', cause })
      if (failure instanceof DiskError) this.#syncFailure ??= failure
      if (this.#closed && this.#syncing === 0) this.#letGo()
      onEnd(failure)
    })
  }

  close(): void {
    if (this.#closed) return
    // Also when it fails: the system has let go of the descriptor, and may give its number to another file.
    this.#closed = true
    if (this.#syncing === 0) this.#letGo()
  }

  #letGo(): void {
    try {
      this.#calls.close(this.#descriptor)
    } catch (cause) {
      throw this.#failure({ operation: 'close', cause })
    }
  }

  #assertOpen(): void {
    assert(!this.#closed, `${this.path} is used after it was closed`)
  }

  #assertWritable(operation: 'write' | 'truncate', position: number): void {
    this.#assertOpen()
    assert(this.#writable, `${this.path} was opened to be read`)
    if (this.#syncFailure !== undefined) throw this.#refusal(operation, position)
  }

  #refusal(operation: 'write' | 'truncate' | 'sync', position?: number): DiskError {
    return new DiskError({
      path: this.path,
      operation,
      reason: 'sync-failed',
      cause: this.#syncFailure,
      ...(position === undefined ? {} : { position }),
    })
  }

  #tookNothing(position: number, arrivedBytes: number, wantedBytes: number): DiskError {
    const cause = new Error('the system took no byte of it')
    return new DiskError({ path: this.path, operation: 'write', position, arrivedBytes, wantedBytes, cause })
  }

  // What is no failure of the system goes on as it is: a defect must not look like a bad disk.
  #failure(failure: Omit<DiskFailure, 'path'>): unknown {
    return errnoOf(failure.cause) === undefined ? failure.cause : new DiskError({ path: this.path, ...failure })
  }
}

function assertRange(bytes: Uint8Array, start: number, end: number, position: number): void {
  assert(start >= 0 && start <= end && end <= bytes.byteLength, `bytes ${start} to ${end} of ${bytes.byteLength}`)
  assert(Number.isSafeInteger(position) && position >= 0, `a position in a file: ${position}`)
}

/** What is left of views when the first `taken` bytes are gone. */
function behind(views: readonly Uint8Array[], taken: number): Uint8Array[] {
  let i = 0
  while (taken >= views[i]!.byteLength) taken -= views[i++]!.byteLength
  return [views[i]!.subarray(taken), ...views.slice(i + 1)]
}
