// Segments that are gone and whose files stay a while, for readers that have them open or look for
// them by name (Kafka: `file.delete.delay.ms`). Runs on the thread that has the partition's files.
//
//   <base offset>.log  ->  <base offset>.log.deleted  ->  removed when due
//
// Holds: a segment whose .log is renamed does not come back; what is left of it is removed when
// the partition is opened.

import { SEGMENT_FILE_KINDS, logFileName } from './log-file-names.ts'
import type { PartitionDirectory } from './partition-directory.ts'

export class DeletedFiles {
  readonly #directory: PartitionDirectory
  /** Falls due in this order. */
  readonly #waiting: { readonly names: readonly string[]; readonly dueMs: number }[] = []

  constructor(directory: PartitionDirectory) {
    this.#directory = directory
  }

  get size(): number {
    return this.#waiting.length
  }

  /** The files of a segment go, at `dueMs`. */
  add(baseOffset: number, dueMs: number): void {
    const names: string[] = []
    for (const kind of SEGMENT_FILE_KINDS) {
      const name = logFileName(baseOffset, kind)
      const deleted = logFileName(baseOffset, kind, 'deleted')
      // Every segment has a .log, which goes first.
      if (kind !== 'log' && !this.#directory.exists(name)) continue
      this.#directory.rename(name, deleted)
      // Nobody asks for what is in it any more.
      this.#directory.markSynced(deleted)
      names.push(deleted)
    }
    this.#waiting.push({ names, dueMs })
  }

  /** Removes what is due; the number of segments. */
  removeDue(nowMs: number): number {
    let removed = 0
    for (; this.#waiting.length > 0 && this.#waiting[0]!.dueMs <= nowMs; removed++) {
      for (const name of this.#waiting.shift()!.names) this.#directory.remove(name)
    }
    return removed
  }
}
