// Which of a broker's logs have something due because of time, and doing it (Kafka:
// LogManager and its retention check). One object a broker, on its thread.
//
//   a log begins an extent ──▶ looked at within a second: when will its oldest extent be
//                              older than retention.ms, when is its last one to be closed,
//                              when is it to be compacted?
//   that instant comes     ──▶ expired extents go, an old last one is closed; then anew
//   it is compacted, and has a new extent ──▶ is it dirty enough? the cleaner sees to it
//
// Holds: nothing is looked at between two instants: a turn costs one comparison, however
// many logs there are, and an empty log is in no list. Looks are a second apart, and one
// takes a few logs: who else is due has the next turn.

import type { Clock } from '../clock.ts'
import { DueHeap } from './due-heap.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import { LogCleaner } from './log-cleaner.ts'
import type { LogMemory } from './log-memory.ts'
import type { MemoryLog } from './memory-log.ts'

/** Looks are so far apart; timestamps tell the milliseconds of nothing that must be gone at once. */
export const LOOK_EVERY_MS = 1_000
/** Kafka's log.retention.check.interval.ms: a clock that was set forward is noticed by then. */
const LOOK_AT_LEAST_EVERY_MS = 300_000
const LOGS_A_TURN = 32
const SEGMENTS_A_TURN = 32
/** What compaction may take of a turn in which there is nothing else to do, and of one in which there is. */
const CLEANING_IDLE_MS = 1
const CLEANING_BUSY_MS = 0.25

export interface LogManagerOptions {
  readonly memory: LogMemory
  readonly allocator: ExtentAllocator
  readonly clock: Clock
}

export class LogManager {
  readonly #clock: Clock
  readonly #cleaner: LogCleaner
  readonly #logs = new Map<number, MemoryLog>()
  /** In ms since the epoch. */
  readonly #due = new DueHeap()
  /** Of the last turn, and when to look again: on the monotonic clock. */
  #nowMs: number
  #lookMs = Number.POSITIVE_INFINITY
  #lookedMs = Number.NEGATIVE_INFINITY

  constructor({ memory, allocator, clock }: LogManagerOptions) {
    this.#clock = clock
    this.#nowMs = clock.monotonicMs()
    this.#cleaner = new LogCleaner({ memory, allocator, clock, onCleaned: (slot) => this.#lookSoon(slot) })
  }

  get cleaner(): LogCleaner {
    return this.#cleaner
  }

  /** This broker leads the log from now on. */
  register(log: MemoryLog): void {
    const { slot } = log
    this.#logs.set(slot, log)
    log.onRoll = () => {
      this.#lookSoon(slot)
      this.#cleaner.consider(log)
    }
    log.onPinnedFull = () => this.#cleaner.hurry(log)
    if (log.heldGranules > 0) log.onRoll()
  }

  unregister(slot: number): void {
    const log = this.#logs.get(slot)
    if (log === undefined) return
    log.onRoll = undefined
    log.onPinnedFull = undefined
    this.#cleaner.forget(log)
    this.#logs.delete(slot)
    this.#due.remove(slot)
  }

  /** The log's topic has other configs now. */
  reconfigured(slot: number): void {
    this.#logs.get(slot)?.onRoll?.()
  }

  /** Once a duty cycle; whether something was done. `nowMs` is the monotonic clock's. */
  tick(nowMs: number, isIdle: boolean): number {
    this.#nowMs = nowMs
    const looked = nowMs < this.#lookMs ? 0 : this.#look(nowMs)
    return looked + this.#cleaner.tick(isIdle ? CLEANING_IDLE_MS : CLEANING_BUSY_MS)
  }

  /** Milliseconds until a tick has something to do, Infinity when it never has. What waits for memory is the allocator's. */
  dueInMs(nowMs: number): number {
    return this.#cleaner.hasWork ? 0 : Math.max(0, this.#lookMs - nowMs)
  }

  #lookSoon(slot: number): void {
    this.#due.schedule(slot, Number.NEGATIVE_INFINITY)
    this.#lookMs = Math.min(this.#lookMs, Math.max(this.#lookedMs, this.#nowMs) + LOOK_EVERY_MS)
  }

  #look(nowMs: number): number {
    const wallMs = this.#clock.nowMs()
    let looked = 0
    while (looked < LOGS_A_TURN && this.#due.dueMs <= wallMs) {
      const slot = this.#due.first
      this.#due.schedule(slot, this.#check(this.#logs.get(slot)!, wallMs, nowMs))
      looked++
    }
    if (this.#due.dueMs <= wallMs) return looked
    this.#lookedMs = nowMs
    const inMs = Math.min(LOOK_AT_LEAST_EVERY_MS, Math.max(LOOK_EVERY_MS, this.#due.dueMs - wallMs))
    this.#lookMs = this.#due.size === 0 ? Number.POSITIVE_INFINITY : nowMs + inMs
    return looked
  }

  /** Does what is due of one log; when something is next, in ms since the epoch. */
  #check(log: MemoryLog, wallMs: number, nowMs: number): number {
    const { heldGranules } = log
    log.trimExpired(wallMs, nowMs, SEGMENTS_A_TURN)
    if (log.rollDueMs <= nowMs) log.roll()
    if (log.heldGranules === 0) return Number.POSITIVE_INFINITY
    const { isDeleted, retentionMs } = log.config
    let expiresInMs = log.expiresInMs(wallMs, nowMs)
    // What is not committed cannot go yet, and records without a timestamp may be followed by others.
    if (expiresInMs === 0 && log.heldGranules === heldGranules) expiresInMs = LOOK_EVERY_MS
    if (expiresInMs === Number.POSITIVE_INFINITY && isDeleted && retentionMs >= 0) expiresInMs = LOOK_AT_LEAST_EVERY_MS
    return wallMs + Math.min(expiresInMs, log.rollDueMs - nowMs, this.#cleaner.dueInMs(log, wallMs))
  }
}
