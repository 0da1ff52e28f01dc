// S11: n producer threads → n partitions on n brokers → n reader threads.

import { availableParallelism } from 'node:os'
import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec, TargetSpec } from '../harness/bench-case.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { LOG_MEMORY_BYTES, ROAD_SETUP, roadContender, WINDOW_BYTES } from './road-settings.ts'

const CORES = availableParallelism()
/** All counts up to here; beyond it, each twice the one before, and the most that the cores allow. */
const EVERY_STRAND_TO = 5
const FULL = Math.floor(CORES / 3)
const RECORDS_PER_STRAND = 4_000_000
const STRAND_MEMORY_BYTES = 4 * WINDOW_BYTES

/** Up to a third of the cores, for a strand is three threads; two is reported on every machine. */
export function strandCounts(cores: number): number[] {
  const most = Math.max(2, Math.floor(cores / 3))
  const counts = [most]
  for (let n = 1; n < most; n = n < EVERY_STRAND_TO ? n + 1 : 2 * n) counts.push(n)
  return counts.toSorted((a, b) => a - b)
}

function strands(n: number): ContenderSpec {
  return roadContender(
    {
      id: `n${n}`,
      title: `n = ${n}${3 * n > CORES ? ` (${3 * n} threads on ${CORES} cores)` : ''}`,
      records: RECORDS_PER_STRAND * n,
      smallRecords: 50_000 * n,
      setup: `${n} × (producer → topic of one partition, its leader on a broker of its own → reader with cursor); ${ROAD_SETUP}`,
    },
    { valueBytes: 100, strands: n, logMemoryBytes: LOG_MEMORY_BYTES + (n - 1) * STRAND_MEMORY_BYTES },
  )
}

const counts = strandCounts(CORES)

function target(n: number): TargetSpec {
  return {
    id: `linear-${n}`,
    text: `n = ${n} against ${n} × n = 1`,
    value: (view) => {
      const ratio = view.ratio(`n${n}`, 'n1')
      return ratio === undefined ? undefined : ratio / n
    },
    atLeast: 0.8,
    unit: 'ratio',
  }
}

export const S11: CaseSpec = {
  id: 'S11',
  title: 'scale: n producers → n partitions on n brokers → n readers',
  measures: `S1 n times side by side. The target holds while 3n ≤ cores; this machine has ${CORES}.`,
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 5,
  contenders: counts.map(strands),
  targets: counts.filter((n) => n > 1 && n <= FULL).map(target),
}
