// What came out of one round of a torture.

import type { Anomalies } from './anomalies.ts'
import type { RoundEnding } from './file-plan.ts'
import type { FaultKind, RoundPlan } from './round-plan.ts'

export interface RoundResult {
  readonly plan: RoundPlan
  /** Faults that bit, by kind. */
  readonly bites: Map<FaultKind, number>
  /** Threads that died of them. */
  readonly kills: number
  readonly missed: number
  /** Faults that were tried, by kind. */
  readonly tried: Map<FaultKind, number>
  readonly sent: number
  readonly acked: number
  readonly refused: number
  readonly inDoubt: number
  readonly read: number
  readonly bytes: number
  /** By log whose leader died: last ack to next ack, in ms; with other brokers, with the main thread blocked, and by restart alone. */
  readonly failoverMs: readonly number[]
  readonly blockedFailoverMs: readonly number[]
  readonly restartMs: readonly number[]
  /** By log: the same of the I/O thread. */
  readonly ioRestartMs: readonly number[]
  /** Of a round with files that came to its end. */
  readonly files: FilesResult | undefined
  readonly seconds: number
  /** What the history says. */
  readonly anomalies: Anomalies
  /** What else was not as it must be. */
  readonly problems: readonly string[]
}

export interface FilesResult {
  readonly ending: RoundEnding
  /** The threads died before anything could be closed; false only of an ending by `kill` that was too late. */
  readonly isKilled: boolean
  /** Records that lay in files alone before the end. */
  readonly cold: number
  /** Records that the next millrace read, all of them from files but those that it had sent itself. */
  readonly reread: number
  readonly segments: number
  /** Logs whose oldest records retention has taken. */
  readonly trimmedLogs: number
}
