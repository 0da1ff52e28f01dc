// Partitions that are to be synced, and the syncs that go on, in the order in which they were asked for.
// Runs on the I/O thread.
//
//   add ─▶ waiting ─▶ started, SYNCS_AT_ONCE at most ─▶ ended
//
// Holds: a partition waits or is synced once at a time; all batches of it that wait share one sync.

import type { PartitionWriter } from './partition-writer.ts'

/** Syncs run on the four threads that Node.js keeps for files; one is left to the rest of the process. */
export const SYNCS_AT_ONCE = 3

export class SyncQueue {
  readonly #start: (writer: PartitionWriter, onEnd: () => void) => void
  readonly #onEnd: (writer: PartitionWriter) => void
  readonly #waiting = new Set<PartitionWriter>()
  #running = 0

  /** `onEnd`: a sync has ended, or failed. */
  constructor(start: (writer: PartitionWriter, onEnd: () => void) => void, onEnd: (writer: PartitionWriter) => void) {
    this.#start = start
    this.#onEnd = onEnd
  }

  add(writer: PartitionWriter): void {
    if (!writer.files.synced.isSyncing) this.#waiting.add(writer)
  }

  /** Its topic is deleted. */
  remove(writer: PartitionWriter): void {
    this.#waiting.delete(writer)
  }

  clear(): void {
    this.#waiting.clear()
  }

  /** Starts what may be started. */
  pump(): void {
    for (const writer of this.#waiting) {
      if (this.#running >= SYNCS_AT_ONCE) return
      this.#waiting.delete(writer)
      this.#running++
      this.#start(writer, () => {
        this.#running--
        this.#onEnd(writer)
      })
    }
  }
}
