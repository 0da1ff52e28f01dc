// S11: n producer threads → n partitions on n brokers → n reader threads.

import { availableParallelism } from 'node:os'
import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec, TargetSpec } from '../harness/bench-case.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { ROAD_SETUP, roadOptions } from './road-settings.ts'

const CORES = availableParallelism()
/** Beyond a third of the cores the threads share cores: two is reported on every machine. */
const STRANDS_MAX = 5
const FULL = Math.floor(CORES / 3)
const RECORDS_PER_STRAND = 4_000_000

export function strandCounts(cores: number): number[] {
  const most = Math.max(2, Math.min(STRANDS_MAX, Math.floor(cores / 3)))
  return Array.from({ length: most }, (_, index) => index + 1)
}

function strands(n: number): ContenderSpec {
  return {
    id: `n${n}`,
    title: `n = ${n}${3 * n > CORES ? ` (${3 * n} threads on ${CORES} cores)` : ''}`,
    kind: 'millrace',
    records: RECORDS_PER_STRAND * n,
    smallRecords: 50_000 * n,
    valueBytes: 100,
    threads: 3 * n,
    partitions: n,
    setup: `${n} × (producer → topic of one partition, its leader on a broker of its own → reader with cursor); ${ROAD_SETUP}`,
    open: async () => {
      const { openRoad } = await import('../road/road.ts')
      return openRoad(roadOptions({ valueBytes: 100, strands: n }))
    },
  }
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
