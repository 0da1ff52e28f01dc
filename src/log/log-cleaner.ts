// Which of a broker's compacted logs is compacted next, one at a time, a little a turn
// (Kafka: LogCleaner, with its threads). One object a broker, on its thread.
//
//   a log begins an extent, or time has come ──▶ a candidate ──▶ dirty enough? ──▶ compacted
//
// Holds: a turn works no longer than it is given, or than one compressed batch takes. A log in which something is no batch is
// left alone, and nothing else suffers from it.

import { MillraceError } from '../errors.ts'
import { cleanableRange } from './cleanable-range.ts'
import { COMPACTION_DONE, COMPACTION_WORKING, LogCompaction } from './log-compaction.ts'
import type { CompactionOptions } from './log-compaction.ts'
import type { MemoryLog } from './memory-log.ts'

/** What is no batch, or takes more memory than a broker gives for one. */
const UNCLEANABLE: ReadonlySet<string> = new Set(['CORRUPT_MESSAGE', 'RECORD_LIST_TOO_LARGE', 'UNSUPPORTED_COMPRESSION_TYPE'])

export interface LogCleanerOptions extends CompactionOptions {
  /** A log was compacted: it may be looked at anew. */
  readonly onCleaned: (slot: number) => void
}

export class LogCleaner {
  readonly #options: LogCleanerOptions
  /** Whose turn it is: those that wait longest first. The value: whether any dirt is enough. */
  readonly #candidates = new Map<MemoryLog, boolean>()
  readonly #uncleanable = new Set<MemoryLog>()
  #current: LogCompaction | undefined
  #isWaiting = false
  #cleanings = 0

  constructor(options: LogCleanerOptions) {
    this.#options = options
  }

  /** Compactions that came to their end. */
  get cleanings(): number {
    return this.#cleanings
  }

  /** Logs that are left alone because something in them is no batch. */
  get uncleanableLogs(): number {
    return this.#uncleanable.size
  }

  /** Whether a turn would do something. */
  get hasWork(): boolean {
    return this.#current === undefined ? this.#candidates.size > 0 : !this.#isWaiting
  }

  /** The log may have become dirty enough. */
  consider(log: MemoryLog): void {
    if (log.config.isCompacted && !this.#candidates.has(log) && !this.#uncleanable.has(log)) this.#candidates.set(log, false)
  }

  /** Milliseconds until time makes it worth considering, Infinity when it never does. */
  dueInMs(log: MemoryLog, nowMs: number): number {
    if (!log.config.isCompacted || this.#uncleanable.has(log)) return Number.POSITIVE_INFINITY
    const range = cleanableRange(log, this.#options.memory, nowMs)
    if (range.isDue) this.consider(log)
    return range.isDue ? Number.POSITIVE_INFINITY : range.dueInMs
  }

  /** The log must be compacted whatever its dirt; whether there is any, or it is being compacted. */
  hurry(log: MemoryLog): boolean {
    if (!log.config.isCompacted || this.#uncleanable.has(log)) return false
    if (this.#current?.log === log || this.#candidates.get(log) === true) return true
    if (cleanableRange(log, this.#options.memory, this.#options.clock.nowMs()).dirtyBytes === 0) return false
    this.#candidates.set(log, true)
    return true
  }

  /** The log is closed, deleted, or led by another. */
  forget(log: MemoryLog): void {
    this.#candidates.delete(log)
    this.#uncleanable.delete(log)
    if (this.#current?.log === log) this.#abandon()
  }

  /** A turn's share, `budgetMs` of it at most; 0 when there was nothing to do. */
  tick(budgetMs: number): number {
    if (this.#current === undefined && this.#candidates.size === 0) return 0
    const untilMs = this.#options.clock.monotonicMs() + budgetMs
    const compaction = this.#current ?? this.#next()
    if (compaction === undefined) return 1
    try {
      const state = compaction.step(untilMs)
      this.#isWaiting = state !== COMPACTION_WORKING
      if (state !== COMPACTION_DONE) return this.#isWaiting ? 0 : 1
      this.#current = undefined
      this.#cleanings++
      this.#options.onCleaned(compaction.log.slot)
    } catch (error) {
      // Whoever wrote this did it past all checks. Its readers will hear; the broker must live.
      if (!(error instanceof MillraceError) || !UNCLEANABLE.has(error.code)) throw error
      this.#abandon()
      this.#uncleanable.add(compaction.log)
    }
    return 1
  }

  #next(): LogCompaction | undefined {
    const [log, isUrgent] = this.#candidates.entries().next().value!
    this.#candidates.delete(log)
    const range = cleanableRange(log, this.#options.memory, this.#options.clock.nowMs())
    if (range.isDue || (isUrgent && range.dirtyBytes > 0)) this.#current = new LogCompaction(log, range, this.#options)
    return this.#current
  }

  #abandon(): void {
    this.#current?.abandon()
    this.#current = undefined
    this.#isWaiting = false
  }
}
