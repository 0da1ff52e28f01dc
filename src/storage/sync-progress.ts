// How far the .log files of a partition are synced while they are appended to. Any thread.
//
//   appended:  ──────────────────────────────▶
//   synced:    ───────────▶ · · · · · ▶          the sync that goes on reaches to where it was started
//
// Holds: a sync that ends says nothing of what was appended after it was started, or of a log that was cut meanwhile.

import { assert } from '../assert.ts'

export class SyncProgress {
  #endOffset: number
  #appendedBytes: number
  #syncedBytes = 0
  #isSyncing = false
  #restarts = 0

  constructor(endOffset: number, unsyncedBytes: number) {
    this.#endOffset = endOffset
    this.#appendedBytes = unsyncedBytes
  }

  /** One past the last batch that survives a power cut. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** That were synced so far. */
  get bytes(): number {
    return this.#syncedBytes
  }

  get unsyncedBytes(): number {
    return this.#appendedBytes - this.#syncedBytes
  }

  get isSyncing(): boolean {
    return this.#isSyncing
  }

  noteAppended(sizeInBytes: number): void {
    this.#appendedBytes += sizeInBytes
  }

  /** All up to the end of the log is synced. */
  all(endOffset: number): void {
    this.#endOffset = endOffset
    this.#syncedBytes = this.#appendedBytes
  }

  /** The log was cut, and what is left of it synced. */
  restart(endOffset: number): void {
    this.#restarts++
    this.all(endOffset)
  }

  /** A sync of what was appended up to `endOffset`; `start` says whether one goes on, or none was needed. */
  start(endOffset: number, start: (onEnd: (isSynced: boolean) => void) => boolean): boolean {
    assert(!this.#isSyncing, 'a sync is started while another one goes on')
    const appendedBytes = this.#appendedBytes
    const restarts = this.#restarts
    this.#isSyncing = start((isSynced) => {
      this.#isSyncing = false
      if (!isSynced || restarts !== this.#restarts) return
      this.#endOffset = Math.max(this.#endOffset, endOffset)
      this.#syncedBytes = Math.max(this.#syncedBytes, appendedBytes)
    })
    if (!this.#isSyncing) this.all(endOffset)
    return this.#isSyncing
  }
}
