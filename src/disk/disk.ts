// Files, as the log needs them. Synchronous, but for syncs that are started: the I/O thread of a data directory and the workers
// that recover it have nothing else to do, and may block; broker threads never hold one.
//
// What the two kinds (file-disk.ts, and a simulated one in the tests) promise alike:
// - `write` gives all of its bytes to the file or throws; `read` is short only at the file's end.
// - What `write` took survives the process. What a `sync` that returned had before it survives a
//   power cut, up to the size of the file then. What is not synced reaches the disk in any order,
//   or in part, or not at all.
// - A new name, a rename, a removal survives a power cut after `syncDirectory` of its directory;
//   a file's own `sync` says nothing of its name.
// - Every failure is a DiskError (disk-error.ts). After a `sync` that failed nobody knows what is
//   on the disk, and the next one would succeed without writing it: the file takes no write and
//   no sync any more.
//
// Descriptors never cross threads of ours: each opens by path.

/** `read`: must exist. `write`: must exist, may be read and written. `create`: must not exist, is made empty, may be read and written. */
export type OpenFlags = 'read' | 'write' | 'create'

export interface DiskStat {
  readonly sizeInBytes: number
  /** When its bytes last changed, in milliseconds since 1970. */
  readonly modifiedMs: number
  readonly isDirectory: boolean
}

export interface Disk {
  open(path: string, flags: OpenFlags): DiskFile

  exists(path: string): boolean

  /** Throws where nothing is (`reason` is `not-found`). */
  stat(path: string): DiskStat

  /** The names in a directory, without its path, sorted by code unit. */
  list(directory: string): string[]

  /** Throws where something is. `recursive` makes the parents too, and takes a directory that is there already. */
  makeDirectory(path: string, recursive?: boolean): void

  /** In one step; a file in the place of `to` is replaced. */
  rename(from: string, to: string): void

  /** Removes a file. */
  remove(path: string): void

  /** Removes an empty directory; `recursive` removes what is in it first. Symbolic links are removed, not followed. */
  removeDirectory(path: string, recursive?: boolean): void

  /**
   * The names made, renamed and removed in this directory before survive a power cut. After one that
   * failed, this Disk syncs this directory no more.
   */
  syncDirectory(path: string): void

  /** Bytes that this process may still write to the file system that holds `path`. */
  freeBytes(path: string): number
}

export interface DiskFile {
  readonly path: string

  sizeInBytes(): number

  /** Reads the bytes from `position` on into `into[start, end)`; returns how many, fewer only at the end of the file. */
  read(into: Uint8Array, start: number, end: number, position: number): number

  /** Writes `bytes[start, end)`, which may lie in shared memory, at `position`; returns their number. An error says how many arrived. */
  write(bytes: Uint8Array, start: number, end: number, position: number): number

  /** Writes views, which may lie in shared memory, one behind the other with one call to the system; returns the number of bytes. */
  writeAll(views: readonly Uint8Array[], position: number): number

  /** Cuts the file, or lengthens it with zeros. */
  truncate(sizeInBytes: number): void

  /** The file's bytes and its size survive a power cut (fdatasync). Never tried again after it failed. */
  sync(): void

  /**
   * The same for what was written before this call, on another thread: `onEnd` is called in a later turn of the event loop, with what
   * went wrong or undefined. The file may be written meanwhile; closed, it is let go of when that has ended.
   */
  startSync(onEnd: (failure: unknown) => void): void

  /** May be called again. Syncs nothing. */
  close(): void
}
