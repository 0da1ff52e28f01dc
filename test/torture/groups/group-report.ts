// The figures of rounds of churn, summed up and in words.

import { percentile } from '../torture-report.ts'
import type { GroupFaultKind } from './group-plan.ts'
import type { GroupRoundResult } from './group-result.ts'
import type { Count } from './group-words.ts'

/** A kind that is tried so often and never bites proves nothing, and fails the run. */
const TRIES_WITHOUT_A_BITE = 6

export class GroupTotals {
  readonly bites = new Map<GroupFaultKind, number>()
  readonly tried = new Map<GroupFaultKind, number>()
  readonly counts = new Map<Count, number>()
  readonly endings = new Map<string, number>()
  readonly takeOverMs: number[] = []
  readonly stalledTakeOverMs: number[] = []
  readonly handOverMs: number[] = []
  rounds = 0
  rebalances = 0
  moves = 0
  threadDeaths = 0
  memberDeaths = 0
  acked = 0
  handedOut = 0
  anomalies = 0
  problems = 0

  add(result: GroupRoundResult): void {
    this.rounds++
    addAll(this.bites, result.bites)
    addAll(this.tried, result.tried)
    addAll(this.counts, result.counts)
    const ending = result.plan.ending ?? 'no files'
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
    // A run of half an hour has hundreds of thousands.
    for (const ms of result.times.takeOverMs) this.takeOverMs.push(ms)
    for (const ms of result.times.stalledTakeOverMs) this.stalledTakeOverMs.push(ms)
    for (const ms of result.times.handOverMs) this.handOverMs.push(ms)
    this.rebalances += result.times.rebalances
    this.moves += result.times.moves
    this.threadDeaths += result.threadDeaths
    this.memberDeaths += result.memberDeaths
    this.acked += result.acked
    this.handedOut += result.handedOut
    this.anomalies += result.anomalies.total
    this.problems += result.problems.length
  }

  /** Kinds that were tried so often that it is none of chance, and never bit. */
  get biteless(): GroupFaultKind[] {
    return [...this.tried].filter(([kind, count]) => count >= TRIES_WITHOUT_A_BITE && !this.bites.has(kind)).map(([kind]) => kind)
  }

  toString(): string {
    return [
      `${this.rounds} round(s) (${words(this.endings)}): ${this.rebalances} rebalances, ${this.moves} partitions assigned`,
      `${this.threadDeaths} threads died with ${this.memberDeaths} members; faults that bit: ${words(this.bites)}`,
      ...(this.biteless.length === 0 ? [] : [`faults that NEVER bit: ${this.biteless.join(' · ')}`]),
      `members: ${words(this.counts)}`,
      `a member's death to the first batch of another: ${times(this.takeOverMs)}`,
      `a thread that stands still, to the first batch of another: ${times(this.stalledTakeOverMs)}`,
      `given up, to the first batch of the next: ${times(this.handOverMs)}`,
      `${this.acked} records acknowledged, ${this.handedOut} handed out`,
      `${this.anomalies} anomalies, ${this.problems} other problems`,
    ].join('\n')
  }
}

export function groupRoundLine(round: number, result: GroupRoundResult): string {
  const { plan, times: timed, threadDeaths, memberDeaths, acked, handedOut, anomalies, problems, seconds } = result
  const files = plan.ending === undefined ? 'no files' : `files, reopened after ${plan.ending}`
  const verdict = anomalies.total + problems.length === 0 ? 'ok' : `${anomalies.total} anomalies, ${problems.length} problems`
  return (
    `round ${round}, seed ${plan.seed}: ${plan.brokers} broker(s), ${plan.groups} groups, ${files} · ${timed.rebalances} rebalances · ` +
    `${threadDeaths} threads and ${memberDeaths} members died (${words(result.bites)}) · taken over ${times(timed.takeOverMs)} · ` +
    `given over ${times(timed.handOverMs)} · ${acked} acked ${handedOut} handed out · ${seconds.toFixed(1)} s · ${verdict}`
  )
}

function addAll<Key>(to: Map<Key, number>, from: ReadonlyMap<Key, number>): void {
  for (const [key, count] of from) to.set(key, (to.get(key) ?? 0) + count)
}

function words(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(' · ')
}

function times(ms: readonly number[]): string {
  if (ms.length === 0) return 'none'
  const [p50, p99, max] = [50, 99, 100].map((percent) => percentile(ms, percent).toFixed(1))
  return `p50 ${p50} p99 ${p99} max ${max} ms (${ms.length})`
}
