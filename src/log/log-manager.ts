// Which of a broker's logs have something due because of time, and doing it (Kafka:
// LogManager and its retention check). One object a broker, on its thread.
//
//   a log begins an extent ──▶ looked at within a second: when will its oldest extent be
//                              older than retention.ms, when is its last one to be closed?
//   that instant comes     ──▶ expired extents go, an old last one is closed; then anew
//
// Holds: nothing is looked at between two instants: a turn costs one comparison, however
// many logs there are, and an empty log is in no list. Looks are a second apart, and one
// takes a few logs: who else is due has the next turn.

import type { Clock } from '../clock.ts'
import { DueHeap } from './due-heap.ts'
import type { PartitionLog } from './partition-log.ts'

/** Looks are so far apart; timestamps tell the milliseconds of nothing that must be gone at once. */
export const LOOK_EVERY_MS = 1_000
/** Kafka's log.retention.check.interval.ms: a clock that was set forward is noticed by then. */
const LOOK_AT_LEAST_EVERY_MS = 300_000
const LOGS_A_TURN = 32
const SEGMENTS_A_TURN = 32

export class LogManager {
  readonly #clock: Clock
  readonly #logs = new Map<number, PartitionLog>()
  /** In ms since the epoch. */
  readonly #due = new DueHeap()
  /** Of the last turn, and when to look again: on the monotonic clock. */
  #nowMs: number
  #lookMs = Number.POSITIVE_INFINITY
  #lookedMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    this.#nowMs = clock.monotonicMs()
  }

  /** This broker leads the log from now on. */
  register(log: PartitionLog): void {
    const { slot } = log
    this.#logs.set(slot, log)
    log.onRoll = () => this.#lookSoon(slot)
    if (log.heldGranules > 0) this.#lookSoon(slot)
  }

  unregister(slot: number): void {
    const log = this.#logs.get(slot)
    if (log !== undefined) log.onRoll = undefined
    this.#logs.delete(slot)
    this.#due.remove(slot)
  }

  /** The log's topic has other configs now. */
  reconfigured(slot: number): void {
    if (this.#logs.has(slot)) this.#lookSoon(slot)
  }

  /** Once a duty cycle; how many logs were looked at. `nowMs` is the monotonic clock's. */
  tick(nowMs: number): number {
    this.#nowMs = nowMs
    return nowMs < this.#lookMs ? 0 : this.#look(nowMs)
  }

  /** Milliseconds until a tick has something to do, Infinity when it never has. */
  dueInMs(nowMs: number): number {
    return Math.max(0, this.#lookMs - nowMs)
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
  #check(log: PartitionLog, wallMs: number, nowMs: number): number {
    const { heldGranules } = log
    log.trimExpired(wallMs, nowMs, SEGMENTS_A_TURN)
    if (log.rollDueMs <= nowMs) log.roll()
    if (log.heldGranules === 0) return Number.POSITIVE_INFINITY
    const { isDeleted, retentionMs } = log.config
    let expiresInMs = log.expiresInMs(wallMs, nowMs)
    // What is not committed cannot go yet, and records without a timestamp may be followed by others.
    if (expiresInMs === 0 && log.heldGranules === heldGranules) expiresInMs = LOOK_EVERY_MS
    if (expiresInMs === Number.POSITIVE_INFINITY && isDeleted && retentionMs >= 0) expiresInMs = LOOK_AT_LEAST_EVERY_MS
    return wallMs + Math.min(expiresInMs, log.rollDueMs - nowMs)
  }
}
