// The segment files of a log directory, as readers open them: asynchronously, on the
// reader's own thread. The real ones are read on the pool of libuv, which users share:
// so a reader has one read in flight. Writing is the I/O thread's, and not here.
// Any thread; a file that was opened stays on it.

import { open, readdir } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

/** One open file. It stays readable when its name goes. */
export interface SegmentFile {
  /** Reads up to `length` bytes at `position` of the file into into[at, …); gives how many: fewer only where the file ends. */
  read(into: Uint8Array, at: number, length: number, position: number): Promise<number>
  sizeInBytes(): Promise<number>
  /** Ends when the read that is in flight has ended. */
  close(): Promise<void>
}

/** What readers ask of a disk. Rejects with Node.js' system errors: their `code` says which. */
export interface SegmentFiles {
  /** The names of the files of a directory, in any order. */
  list(directory: string): Promise<string[]>
  open(path: string): Promise<SegmentFile>
}

/** Where the files of partitions are. */
export interface PartitionFiles {
  readonly files: SegmentFiles
  /** The directory of a partition now; undefined where it has none, or it is not known now. */
  readonly directoryOf: (topic: string, partition: number) => string | undefined
}

/** The files of the machine. */
export const nodeSegmentFiles: SegmentFiles = {
  list: (directory) => readdir(directory),
  open: async (path) => new NodeSegmentFile(await open(path, 'r')),
}

class NodeSegmentFile implements SegmentFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async read(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    let done = 0
    while (done < length) {
      const { bytesRead } = await this.#handle.read(into, at + done, length - done, position + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  }

  async sizeInBytes(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
