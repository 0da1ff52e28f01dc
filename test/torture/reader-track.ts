// Where one reader stands in each log, and whether it got there rightly: every offset
// once, in order, none passed but those that retention is said to have taken.

import type { Anomalies } from './anomalies.ts'

/** The reader has not said where it begins. */
const NOWHERE = -2
/** It begins at the first offset there is, whatever that is. */
const AT_FIRST = -1

export class ReaderTrack {
  readonly #anomalies: Anomalies
  readonly #next: Float64Array
  readonly #first: Float64Array
  readonly #overtakenFrom: Float64Array
  /** How far retention must have come for what the reader was told. */
  readonly #firstAtLeast: Float64Array
  readonly #firstSeen: Float64Array
  readonly #endSeen: Float64Array
  readonly #epochSeen: Int32Array

  readonly #jump: 'skipped' | 'gap'

  /** `jump`: what it is called when the reader passes offsets. */
  constructor(logs: number, anomalies: Anomalies, jump: 'skipped' | 'gap') {
    this.#anomalies = anomalies
    this.#jump = jump
    this.#next = new Float64Array(logs).fill(NOWHERE)
    this.#first = new Float64Array(logs).fill(NOWHERE)
    this.#overtakenFrom = new Float64Array(logs).fill(NOWHERE)
    this.#firstAtLeast = new Float64Array(logs).fill(-1)
    this.#firstSeen = new Float64Array(logs).fill(-1)
    this.#endSeen = new Float64Array(logs).fill(-1)
    this.#epochSeen = new Int32Array(logs).fill(-1)
  }

  start(log: number, offset: number): void {
    this.#next[log] = offset < 0 ? AT_FIRST : offset
  }

  read(log: number, offset: number): void {
    const expected = this.#next[log]!
    if (expected === AT_FIRST) this.#firstAtLeast[log] = Math.max(this.#firstAtLeast[log]!, offset)
    else if (expected === NOWHERE) this.#anomalies.add('skipped', () => `${log}@${offset} was read by one that never began there`)
    else if (offset > expected) this.#anomalies.add(this.#jump, () => `a reader of log ${log} went from ${expected} to ${offset}`)
    else if (offset < expected) this.#anomalies.add('reread', () => `a reader of log ${log} was at ${expected} and read ${offset}`)
    if (this.#first[log]! < 0) this.#first[log] = offset
    this.#next[log] = offset + 1
  }

  overtakenFrom(log: number, offset: number): void {
    const expected = this.#next[log]!
    if (expected >= 0 && expected !== offset)
      this.#anomalies.add('miscounted', () => `a reader of log ${log} at ${expected} was overtaken at ${offset}`)
    this.#overtakenFrom[log] = offset
  }

  overtakenTo(log: number, offset: number, missed: number): void {
    const from = this.#overtakenFrom[log]!
    if (offset <= from || missed !== offset - from)
      this.#anomalies.add('miscounted', () => `a reader of log ${log} goes on from ${from} at ${offset}, and is told of ${missed} missed`)
    this.#firstAtLeast[log] = Math.max(this.#firstAtLeast[log]!, offset)
    this.#next[log] = offset
  }

  /** It says that it has read up to `offset`. What it read first is no later than the first offset that it was told of since. */
  end(log: number, offset: number): void {
    const seen = this.#firstSeen[log]!
    const first = this.#first[log]! < 0 ? offset : this.#first[log]!
    if (seen >= 0 && first > seen) this.#anomalies.add('gap', () => `log ${log} begins at ${seen}, and was read from ${first}`)
    const next = this.#next[log]!
    if (next < 0 || next === offset) return
    this.#anomalies.add(next < offset ? 'gap' : 'regressed', () => `the reading of log ${log} to its end ${offset} stopped at ${next}`)
  }

  firstSeen(log: number, offset: number, epoch: number): void {
    const before = this.#firstSeen[log]!
    if (offset < before) this.#anomalies.add('regressed', () => `the first offset of log ${log} was ${before}, and is ${offset}`)
    else this.#firstSeen[log] = offset
    const epochBefore = this.#epochSeen[log]!
    if (epoch < epochBefore) this.#anomalies.add('epochBack', () => `the leader epoch of log ${log} was ${epochBefore}, and is ${epoch}`)
    else this.#epochSeen[log] = epoch
  }

  endSeen(log: number, offset: number): void {
    const before = this.#endSeen[log]!
    if (offset < before) this.#anomalies.add('regressed', () => `the end of log ${log} was ${before}, and is ${offset}`)
    else this.#endSeen[log] = offset
  }

  /** Where the log begins for it: the first offset that it has read, or was told of; -1 when there is none. */
  first(log: number): number {
    return this.#first[log]! >= 0 ? this.#first[log]! : this.#firstSeen[log]!
  }

  /** The first offset that it was told of; -1: of none. */
  firstSeenOf(log: number): number {
    return this.#firstSeen[log]!
  }

  highestEndSeen(log: number): number {
    return this.#endSeen[log]!
  }

  /** A reader that was sent on to `offset` by retention was so rightly only if the log begins no lower at the end. */
  checkAgainstFirst(log: number, first: number): void {
    const told = this.#firstAtLeast[log]!
    if (first >= 0 && told > first)
      this.#anomalies.add('skipped', () => `a reader of log ${log} was sent on to ${told}, and the log begins at ${first}`)
  }
}
