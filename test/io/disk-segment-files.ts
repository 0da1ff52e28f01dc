// The files of a simulated disk, as readers open them.

import { DiskError } from '../../src/disk/disk-error.ts'
import type { Disk, DiskFile } from '../../src/disk/disk.ts'
import type { SegmentFile, SegmentFiles } from '../../src/storage/segment-files.ts'

export function segmentFilesOf(disk: Disk): SegmentFiles {
  return {
    list: (directory) => attempt(() => disk.list(directory)),
    open: (path) => attempt(() => new DiskSegmentFile(disk.open(path, 'read'))),
  }
}

class DiskSegmentFile implements SegmentFile {
  readonly #file: DiskFile

  constructor(file: DiskFile) {
    this.#file = file
  }

  read(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    return attempt(() => this.#file.read(into, at, at + length, position))
  }

  sizeInBytes(): Promise<number> {
    return attempt(() => this.#file.sizeInBytes())
  }

  close(): Promise<void> {
    return attempt(() => this.#file.close())
  }
}

/** Fails as the system does: readers know errors by their errno. */
async function attempt<Result>(call: () => Result): Promise<Result> {
  await Promise.resolve()
  try {
    return call()
  } catch (error) {
    if (!(error instanceof DiskError) || error.reason !== 'not-found') throw error
    throw Object.assign(new Error(error.message), { code: 'ENOENT' })
  }
}
