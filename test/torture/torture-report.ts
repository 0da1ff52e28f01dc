// The figures of torture rounds, summed up and in words.

import { KILLS } from './round-plan.ts'
import type { FaultKind } from './round-plan.ts'
import type { RoundResult } from './torture-round.ts'

export class TortureTotals {
  readonly bites = new Map<FaultKind, number>()
  readonly failoverMs: number[] = []
  readonly blockedFailoverMs: number[] = []
  readonly restartMs: number[] = []
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

  toString(): string {
    const { rounds, kills, missed, sent, acked, refused, inDoubt, read, bytes, anomalies, problems } = this
    return [
      `${rounds} round(s): ${kills} threads killed, ${missed} faults found nothing to bite on`,
      `faults that bit: ${biteCounts(this.bites)}`,
      `records: ${sent} sent, ${acked} acknowledged, ${refused} refused, ${inDoubt} in doubt, ${read} read; ${megabytes(bytes)} of values`,
      `leader's death to next ack: ${times(this.failoverMs)}; main thread blocked: ${times(this.blockedFailoverMs)}; all brokers dead: ${times(this.restartMs)}`,
      `${anomalies} anomalies, ${problems} other problems`,
    ].join('\n')
  }
}

/** One line a round. */
export function roundLine(round: number, result: RoundResult): string {
  const { plan, kills, missed, sent, acked, refused, inDoubt, read, bytes, seconds, failoverMs, restartMs, anomalies, problems } = result
  const what = `${plan.brokers} broker(s), ${plan.logs} logs, ${plan.logMemoryBytes / 1024 / 1024} MiB`
  const records = `${sent} sent ${acked} acked ${refused} refused ${inDoubt} in doubt ${read} read, ${megabytes(bytes)}`
  const verdict = anomalies.total + problems.length === 0 ? 'ok' : `${anomalies.total} anomalies, ${problems.length} problems`
  return (
    `round ${round}, seed ${plan.seed}: ${what} · ${kills} kills (${biteCounts(result.bites)}; ${missed} missed) · ${records} · ` +
    `failover ${times(failoverMs.length > 0 ? failoverMs : restartMs)} · ${seconds.toFixed(1)} s · ${verdict}`
  )
}

function biteCounts(bites: ReadonlyMap<FaultKind, number>): string {
  const order = (kind: FaultKind): number => (KILLS.has(kind) ? 0 : 1)
  return [...bites]
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
