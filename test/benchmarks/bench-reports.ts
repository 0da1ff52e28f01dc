// Reports made by hand for the tests of table, comparison and chart.

import { THROUGHPUT_METRICS } from '../../benchmarks/harness/bench-case.ts'
import type { OpenContext } from '../../benchmarks/harness/bench-case.ts'
import type { Machine } from '../../benchmarks/harness/machine.ts'
import { REPORT_SCHEMA } from '../../benchmarks/harness/report.ts'
import type { BenchReport, CaseReport, ContenderReport } from '../../benchmarks/harness/report.ts'
import { summarise } from '../../benchmarks/harness/statistics.ts'

export const MACHINE: Machine = {
  cpu: 'A <quick> & plain CPU',
  cores: 2,
  memoryBytes: 24 * 2 ** 30,
  freeMemoryBytes: 20 * 2 ** 30,
  loadBefore: 0.1,
  kernel: 'Linux 6.0',
  node: 'v26.10.0',
  v8: '14.6',
  platform: 'linux x64',
  commit: 'abcdef012345',
  date: '2026-11-23T06:30:00.000Z',
}

export function contextOf(more: Partial<OpenContext> = {}): OpenContext {
  return { small: false, machine: MACHINE, kafka: undefined, soakMinutes: 1, signal: new AbortController().signal, ...more }
}

export function contenderOf(id: string, rates: readonly number[], more: Partial<ContenderReport> = {}): ContenderReport {
  const metrics =
    rates.length === 0 ? {} : { recordsPerSecond: summarise(rates), bytesPerSecond: summarise(rates.map((rate) => rate * 100)) }
  return {
    id,
    title: `contender ${id}`,
    kind: 'peer',
    setup: `setup of ${id}`,
    records: 1_000_000,
    valueBytes: 100,
    threads: 2,
    partitions: 1,
    status: 'measured',
    metrics,
    details: [],
    ...more,
  }
}

export function caseOf(id: string, contenders: readonly ContenderReport[], more: Partial<CaseReport> = {}): CaseReport {
  return {
    id,
    title: `title of ${id}`,
    measures: 'from here to there',
    table: 'throughput',
    primary: 'recordsPerSecond',
    metricTitles: THROUGHPUT_METRICS,
    warmUps: 1,
    contenders,
    targets: [],
    skippedPeers: [],
    ...more,
  }
}

export function reportOf(cases: readonly CaseReport[], more: Partial<BenchReport> = {}): BenchReport {
  return { schema: REPORT_SCHEMA, machine: MACHINE, command: 'bench', small: false, interrupted: false, seconds: 1, cases, ...more }
}

/** A sweep that rises to a plateau: two sizes of value, two numbers of lanes. */
export function sweepOf(): CaseReport {
  const contenders: ContenderReport[] = []
  for (const valueBytes of [10, 1_024]) {
    for (const lanes of [1, 8]) {
      for (const recordsPerBatch of [1, 10, 100, 1_000]) {
        const rate = 1e9 / (60 + valueBytes / 4 + 2_000 / recordsPerBatch + lanes)
        const cell = { recordsPerBatch, lanes, valueBytes }
        contenders.push(
          contenderOf(`${valueBytes}-${lanes}-${recordsPerBatch}`, [rate * 0.8, rate, rate * 1.1], { cell, valueBytes, kind: 'millrace' }),
        )
      }
    }
  }
  return caseOf('S8', contenders, { table: 'sweep' })
}
