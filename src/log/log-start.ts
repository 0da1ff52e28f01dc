// Where a log in memory begins, and everything that moves that: memory retention, retention
// by age and by size, deleted records, files that hold the oldest extents too (Kafka:
// UnifiedLog.deleteOldSegments and maybeIncrementLogStartOffset). Runs on the thread of the
// broker that leads the log.
//
//   log start moves ─▶ extents wholly below it go         records go, counted by what took them
//   files hold an extent ─▶ it goes, the log start stays   only memory begins later: when room is needed,
//                                                          or when the files are compacted that far
//
// Holds: nothing goes that is not committed, nor, where there are files, that is not in them.

import { killPoint } from '../kill-points.ts'
import type { ControlBlock } from './control-block.ts'
import type { ExtentChain } from './extent-chain.ts'
import type { LogConfig } from './log-config.ts'
import type { LogMemory } from './log-memory.ts'

/** Kafka's log.retention.check.interval.ms: what came with old timestamps stays so long there as well. */
const STAYS_AT_LEAST_MS = 300_000

/** What a log is at the moment. */
export interface LogEnds {
  readonly endOffset: number
  readonly highWatermark: number
  readonly config: LogConfig
}

export class LogStart {
  offset: number
  readonly #control: ControlBlock
  readonly #memory: LogMemory
  readonly #chain: ExtentChain
  readonly #hasFiles: boolean
  readonly #log: LogEnds
  /** The last extent went. */
  readonly #onEmpty: () => void

  constructor(control: ControlBlock, memory: LogMemory, chain: ExtentChain, hasFiles: boolean, log: LogEnds, onEmpty: () => void) {
    this.offset = control.logStartOffset
    this.#control = control
    this.#memory = memory
    this.#chain = chain
    this.#hasFiles = hasFiles
    this.#log = log
    this.#onEmpty = onEmpty
  }

  trimOldest(): number {
    if (this.#hasFiles) return this.#evictOldest()
    const trimmed = this.#recordsOfOldest()
    if (trimmed < 0) return 0
    if (trimmed > 0) this.#control.addTrimmedRecords(trimmed)
    this.#giveUpOldest()
    return trimmed
  }

  trimToBytes(retentionBytes: number): number {
    let expired = 0
    for (;;) {
      const oldest = this.#chain.first
      if (oldest < 0 || this.#chain.sizeInBytes - this.#memory.extents.end(oldest) < retentionBytes) return expired
      const records = this.#expireOldest()
      if (records < 0) return expired
      expired += records
    }
  }

  expiresInMs(nowMs: number, monotonicMs: number): number {
    const { isDeleted, retentionMs } = this.#log.config
    const oldest = this.#chain.first
    if (!isDeleted || retentionMs < 0 || oldest < 0) return Number.POSITIVE_INFINITY
    const latestMs = this.#memory.extents.maxTimestamp(oldest)
    // One that has no timestamp at all has no age.
    if (latestMs < 0) return Number.POSITIVE_INFINITY
    const stayedMs = monotonicMs - this.#memory.extents.begunMs(oldest)
    return Math.max(0, latestMs + retentionMs + 1 - nowMs, Math.min(retentionMs, STAYS_AT_LEAST_MS) - stayedMs)
  }

  trimExpired(nowMs: number, monotonicMs: number, segmentsMax: number): number {
    let expired = 0
    for (let i = 0; i < segmentsMax && this.expiresInMs(nowMs, monotonicMs) === 0; i++) {
      const records = this.#expireOldest()
      if (records < 0) break
      expired += records
    }
    return expired
  }

  applyRetention(): number {
    if (this.#hasFiles) this.#leaveCompacted()
    const newStart = Math.min(this.#control.retentionStartOffset, this.#log.highWatermark)
    const expired = newStart - this.offset
    if (expired <= 0) return 0
    this.#control.addExpiredRecords(expired)
    this.moveTo(newStart)
    return expired
  }

  /** What is below goes: from memory at once, from files when the thread that writes them sees it. */
  moveTo(newStart: number): void {
    this.offset = newStart
    this.#control.publishLogStart(newStart)
    while (this.#chain.first >= 0 && this.#chain.endOfFirst(this.#log.endOffset) <= newStart) this.#dropOldest()
    if (this.#hasFiles) this.#memory.writeWanted.mark(this.#control.slot)
  }

  /** The oldest extent goes from memory alone, if files hold all of it. No record goes. */
  #evictOldest(): number {
    if (this.#chain.first < 0) return 0
    const end = this.#chain.endOfFirst(this.#log.endOffset)
    if (end <= Math.min(this.#control.writtenEndOffset, this.#log.highWatermark)) this.#dropOldest()
    return 0
  }

  /** What is compacted in files is read there from now on: memory, which has it as it was written, begins behind it. */
  #leaveCompacted(): void {
    const start = Math.min(this.#control.cleanedOffset, this.#control.writtenEndOffset, this.#log.highWatermark)
    while (this.#chain.first >= 0 && this.#chain.endOfFirst(this.#log.endOffset) <= start) this.#dropOldest()
    // It may lie in an extent, which stays for what is behind.
    if (this.#control.memoryStartOffset < start) this.#control.publishMemoryStart(start)
  }

  /** How many offsets would go with the oldest extent; -1 when there is none, or what is not committed would go. */
  #recordsOfOldest(): number {
    if (this.#chain.first < 0) return -1
    const newStart = this.#chain.endOfFirst(this.#log.endOffset)
    // What is not committed must stay: its records may yet be acknowledged.
    return newStart > this.#log.highWatermark ? -1 : Math.max(0, newStart - this.offset)
  }

  /** The records that went by age or by size, -1 when they cannot. */
  #expireOldest(): number {
    const records = this.#recordsOfOldest()
    if (records < 0) return -1
    if (records > 0) this.#control.addExpiredRecords(records)
    this.#giveUpOldest()
    return records
  }

  #giveUpOldest(): void {
    const newStart = this.#chain.endOfFirst(this.#log.endOffset)
    if (newStart > this.offset) {
      this.offset = newStart
      this.#control.publishLogStart(newStart)
    }
    killPoint('log.trim.started')
    this.#dropOldest()
  }

  #dropOldest(): void {
    if (!this.#chain.dropFirst(this.#log.endOffset)) this.#onEmpty()
  }
}
