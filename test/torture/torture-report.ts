// The figures of torture rounds, summed up and in words.

import { KILLS } from './round-plan.ts'
import type { FaultKind } from './round-plan.ts'
import type { RoundResult } from './round-result.ts'

/** A kind that is tried so often and never bites proves nothing, and fails the run. */
const TRIES_WITHOUT_A_BITE = 6

export class TortureTotals {
  readonly bites = new Map<FaultKind, number>()
  readonly failoverMs: number[] = []
  readonly blockedFailoverMs: number[] = []
  readonly restartMs: number[] = []
  readonly ioRestartMs: number[] = []
  readonly tried = new Map<FaultKind, number>()
  readonly endings = new Map<string, number>()
  cold = 0
  reread = 0
  segments = 0
  trimmedLogs = 0
  rounds = 0
  kills = 0
  missed = 0
  sent = 0
  acked = 0
  refused = 0
  inDoubt = 0
  read = 0
  bytes = 0
  anomalies = 0
  problems = 0

  add(result: RoundResult): void {
    this.rounds++
    for (const [kind, count] of result.bites) this.bites.set(kind, (this.bites.get(kind) ?? 0) + count)
    this.failoverMs.push(...result.failoverMs)
    this.blockedFailoverMs.push(...result.blockedFailoverMs)
    this.restartMs.push(...result.restartMs)
    this.ioRestartMs.push(...result.ioRestartMs)
    for (const [kind, count] of result.tried) this.tried.set(kind, (this.tried.get(kind) ?? 0) + count)
    const { files } = result
    if (files !== undefined) {
      const ending = files.ending === 'close' ? 'closed' : files.isKilled ? 'killed' : 'killed too late'
      this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
      this.cold += files.cold
      this.reread += files.reread
      this.segments += files.segments
      this.trimmedLogs += files.trimmedLogs
    }
    this.kills += result.kills
    this.missed += result.missed
    this.sent += result.sent
    this.acked += result.acked
    this.refused += result.refused
    this.inDoubt += result.inDoubt
    this.read += result.read
    this.bytes += result.bytes
    this.anomalies += result.anomalies.total
    this.problems += result.problems.length
  }

  /** Kinds that were tried, and never bit. */
  get biteless(): FaultKind[] {
    return [...this.tried.keys()].filter((kind) => !this.bites.has(kind))
  }

  /** Whether one of them was tried so often that it is none of chance. */
  get isBiteless(): boolean {
    return this.biteless.some((kind) => this.tried.get(kind)! >= TRIES_WITHOUT_A_BITE)
  }

  #files(): string {
    if (this.endings.size === 0) return 'no round with files'
    const endings = [...this.endings].map(([ending, count]) => `${ending} ${count}`).join(', ')
    return (
      `rounds with files: ${endings}; ${this.segments} segments, ${this.trimmedLogs} logs cut by retention; ` +
      `${this.cold} records had left memory before the end, ${this.reread} read after the reopening; ` +
      `I/O thread's death to next ack: ${times(this.ioRestartMs)}`
    )
  }

  toString(): string {
    const { rounds, kills, missed, sent, acked, refused, inDoubt, read, bytes, anomalies, problems } = this
    return [
      `${rounds} round(s): ${kills} threads killed, ${missed} faults found nothing to bite on`,
      `faults that bit: ${biteCounts(this.bites)}`,
      ...(this.biteless.length === 0 ? [] : [`faults that NEVER bit: ${biteCounts(this.tried, this.biteless)}`]),
      `records: ${sent} sent, ${acked} acknowledged, ${refused} refused, ${inDoubt} in doubt, ${read} read; ${megabytes(bytes)} of values`,
      `leader's death to next ack: ${times(this.failoverMs)}; main thread blocked: ${times(this.blockedFailoverMs)}; all brokers dead: ${times(this.restartMs)}`,
      this.#files(),
      `${anomalies} anomalies, ${problems} other problems`,
    ].join('\n')
  }
}

/** One line a round. */
export function roundLine(round: number, result: RoundResult): string {
  const { plan, kills, missed, sent, acked, refused, inDoubt, read, bytes, seconds, failoverMs, restartMs, anomalies, problems } = result
  const what = `${plan.brokers} broker(s), ${plan.logs} logs, ${plan.logMemoryBytes / 1024 / 1024} MiB, ${durabilities(result)}`
  const records = `${sent} sent ${acked} acked ${refused} refused ${inDoubt} in doubt ${read} read, ${megabytes(bytes)}`
  const verdict = anomalies.total + problems.length === 0 ? 'ok' : `${anomalies.total} anomalies, ${problems.length} problems`
  return (
    `round ${round}, seed ${plan.seed}: ${what} · ${kills} kills (${biteCounts(result.bites)}; ${missed} missed) · ${records} · ` +
    `failover ${times(failoverMs.length > 0 ? failoverMs : restartMs)} · ${seconds.toFixed(1)} s · ${verdict}`
  )
}

/** How deep the topics are, and what became of their files. */
function durabilities({ plan, files }: RoundResult): string {
  if (plan.files === undefined) return 'no files'
  const topics = plan.topics.map(({ durability }) => durability).join('/')
  if (files === undefined) return `${topics}, not reopened`
  const { ending, cold, reread, segments, trimmedLogs } = files
  return `${topics}, reopened after ${ending}: ${segments} segments, ${trimmedLogs} logs cut, ${cold} cold, ${reread} reread`
}

function biteCounts(bites: ReadonlyMap<FaultKind, number>, of: readonly FaultKind[] = [...bites.keys()]): string {
  const order = (kind: FaultKind): number => (KILLS.has(kind) ? 0 : 1)
  return [...bites]
    .filter(([kind]) => of.includes(kind))
    .sort(([a], [b]) => order(a) - order(b) || a.localeCompare(b))
    .map(([kind, count]) => `${kind} ${count}`)
    .join(' · ')
}

function times(ms: readonly number[]): string {
  return ms.length === 0 ? 'none' : `p50 ${percentile(ms, 50).toFixed(1)} ms, p99 ${percentile(ms, 99).toFixed(1)} ms (${ms.length})`
}

/** The value at or below which so many percent of them lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
