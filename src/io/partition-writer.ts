// Writes the log of one partition from log memory to its files, as far as its leader has
// published it. Runs on the I/O thread, which alone changes the files.
//
//   published log end ─▶ walked in log memory ─▶ written from there ─▶ written end ─▶ the leader is told
//                                                       └─ sync ─▶ synced end ──────▲
//
// Nothing is copied on the way: a leader gives no extent up before it is written, except that of a deleted topic.
// Holds: what is published as written is in the files, and as synced on the disk. Files that
// fail once are never written again: what is not in them by then is never acknowledged.

import { assert } from '../assert.ts'
import { MillraceError } from '../errors.ts'
import type { ControlBlock } from '../log/control-block.ts'
import { looseInt64 } from '../log/batch-walk.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { DURABILITY_DISK } from '../log/log-memory-layout.ts'
import { READ_OK, SharedLogReader } from '../log/shared-log-reader.ts'
import type { PartitionFiles } from '../storage/partition-files.ts'

/** What is written with one call of the system. */
const WRITE_BYTES_MAX = 2 * 1024 * 1024

/** When what is written is synced, acknowledged or not (Kafka: flush.messages, flush.ms). */
export interface FlushPolicy {
  readonly messages: number
  readonly ms: number
}

export class PartitionWriter {
  readonly slot: number
  readonly control: ControlBlock
  readonly files: PartitionFiles
  readonly #reader: SharedLogReader
  readonly #arena: Uint8Array
  flush: FlushPolicy
  /** When the oldest of what is not synced was written, on the monotonic clock. */
  #unsyncedSinceMs = Number.POSITIVE_INFINITY
  /** What went wrong with the files, once something has. */
  failure: MillraceError | undefined
  /** Whether that was told. */
  isFailureTold = false

  constructor(memory: LogMemory, control: ControlBlock, files: PartitionFiles, flush: FlushPolicy) {
    this.flush = flush
    this.slot = control.slot
    this.control = control
    this.files = files
    this.#arena = memory.arena
    this.#reader = new SharedLogReader(memory, control.slot, 'logEndOffset')
    this.#reader.seek(files.endOffset)
  }

  /** Whether something is published that is not written. */
  get isBehind(): boolean {
    return this.failure === undefined && this.control.logEndOffset > this.files.endOffset
  }

  /** Writes up to `budgetBytes`, one batch at least; the bytes that were written. */
  write(budgetBytes: number, nowMs: number): number {
    if (this.failure !== undefined) return 0
    let bytes = 0
    this.guard(() => {
      while (bytes < budgetBytes && this.#reader.pass(WRITE_BYTES_MAX) === READ_OK) {
        if (!this.#writePassed()) return
        bytes += this.#reader.passedBytes
      }
      if (bytes === 0) return
      this.#unsyncedSinceMs = Math.min(this.#unsyncedSinceMs, nowMs)
      this.control.publishWrittenEnd(this.files.endOffset)
    })
    return bytes
  }

  /** False where the topic was deleted meanwhile: then it may have been overwritten, and nobody will read it. */
  #writePassed(): boolean {
    const { passedFrom, passedBytes } = this.#reader
    // Readers pass over what compaction took, but a log with files is compacted in its files: here nothing may be missing.
    const isNext = looseInt64(this.#arena, passedFrom) === this.files.endOffset || this.files.endOffset === this.files.startOffset
    assert(isNext || !this.#reader.isPassedThere, 'records are neither in log memory nor in the files of their log')
    try {
      this.files.append(this.#arena, passedFrom, passedFrom + passedBytes)
    } catch (error) {
      if (this.#reader.isPassedThere || !this.#reader.isDeleted) throw error
      return false
    }
    if (this.#reader.isPassedThere) return true
    assert(this.#reader.isDeleted, 'log memory was given up before it was written')
    return false
  }

  /** Whether it is to be synced now: what is acknowledged only then waits for it, or a flush is due. */
  mustSync(nowMs: number): boolean {
    if (this.failure !== undefined || this.files.synced.unsyncedBytes === 0) return false
    if (this.isAwaitedSynced) return true
    return this.files.endOffset - this.files.syncedEndOffset >= this.flush.messages || this.flushDueMs <= nowMs
  }

  /** Whether its leader waits for syncs, and for nothing else. */
  get isAwaitedSynced(): boolean {
    return this.control.durability === DURABILITY_DISK
  }

  /** When `flush.ms` is over for something, on the monotonic clock; Infinity: for nothing. */
  get flushDueMs(): number {
    return this.failure === undefined ? this.#unsyncedSinceMs + this.flush.ms : Number.POSITIVE_INFINITY
  }

  /** Syncs what is written; false when that failed. */
  sync(): boolean {
    if (this.failure !== undefined) return false
    return this.guard(() => {
      this.files.sync()
      this.#unsyncedSinceMs = Number.POSITIVE_INFINITY
      this.control.publishSyncedEnd(this.files.syncedEndOffset)
    })
  }

  /** Starts a sync of what is written so far; `onEnd` hears of its end, or of its failure, perhaps before this returns. */
  startSync(onEnd: () => void): void {
    if (this.failure !== undefined) {
      onEnd()
      return
    }
    let isStarted = false
    this.guard(() => {
      this.#unsyncedSinceMs = Number.POSITIVE_INFINITY
      isStarted = this.files.startSync(() => {
        this.#syncEnded()
        onEnd()
      })
      if (!isStarted) this.#syncEnded()
    })
    if (!isStarted) onEnd()
  }

  #syncEnded(): void {
    if (this.failure !== undefined) return
    this.guard(() => {
      const { failure } = this.files
      if (failure instanceof Error) throw failure
      this.control.publishSyncedEnd(this.files.syncedEndOffset)
    })
  }

  /** Whether the log begins later than its files do. */
  get mustFollowStart(): boolean {
    return this.failure === undefined && this.control.logStartOffset > this.files.startOffset
  }

  /** Says where retention lets the log begin; whether its leader is to be told. */
  retain(nowMs: number): boolean {
    if (this.failure !== undefined) return false
    let isMoved = false
    this.guard(() => {
      const start = this.files.retentionStartOffset(nowMs)
      isMoved = start > this.control.logStartOffset
      if (isMoved) this.control.publishRetentionStart(start)
      this.files.removeDue(nowMs)
      this.files.expireProducers(nowMs)
    })
    return isMoved
  }

  /** Runs a change of the files; false when it failed. What is no failure of the disk is a defect, and thrown. */
  guard(change: () => void): boolean {
    try {
      change()
      return true
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code === 'ASSERTION_FAILED') throw error
      this.failure = error
      // Written and unpublished counts for nothing: the end that was published stays.
      this.control.failFiles()
      return false
    }
  }
}
