// What a disk does under checked-disk.ts: the calls of the system, as bare as it has them. A write or
// read may be short; failures are errors with an errno code in `code`, as Node.js throws them.

import type { DiskStat, OpenFlags } from './disk.ts'

export interface DiskCalls {
  /** A descriptor. */
  open(path: string, flags: OpenFlags): number
  close(descriptor: number): void
  size(descriptor: number): number
  read(descriptor: number, into: Uint8Array, start: number, lengthInBytes: number, position: number): number
  write(descriptor: number, bytes: Uint8Array, start: number, lengthInBytes: number, position: number): number
  writeViews(descriptor: number, views: readonly Uint8Array[], position: number): number
  truncate(descriptor: number, sizeInBytes: number): void
  /** fdatasync */
  sync(descriptor: number): void
  /** Never calls back before it returns. */
  startSync(descriptor: number, onEnd: (error: unknown) => void): void
  /** undefined where nothing is. */
  stat(path: string): DiskStat | undefined
  /** In any order; a symbolic link is no directory. */
  list(directory: string): DiskEntry[]
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  remove(path: string): void
  removeDirectory(path: string): void
  syncDirectory(path: string): void
  freeBytes(path: string): number
}

export interface DiskEntry {
  readonly name: string
  readonly isDirectory: boolean
}
