// The figures of the group cases, apart from what measures them: listing the cases loads no library.

import type { Metric } from '../harness/bench-case.ts'

export const TAKE_OVER_METRICS = {
  p50: { title: 'death to first batch, p50', unit: 'ms', better: 'lower' },
  p99: { title: 'p99', unit: 'ms', better: 'lower' },
  max: { title: 'max', unit: 'ms', better: 'lower' },
} as const satisfies Record<string, Metric>

export const REBALANCE_METRICS = {
  joined: { title: 'one joins, until all are stable', unit: 'ms', better: 'lower' },
  left: { title: 'one leaves', unit: 'ms', better: 'lower' },
  moved: { title: 'partitions moved by the join', unit: '', better: 'lower' },
} as const satisfies Record<string, Metric>

export const COMMIT_METRICS = {
  commitsPerSecond: { title: 'commits', unit: 'commits/s', better: 'higher' },
} as const satisfies Record<string, Metric>

export const COMING_AND_GOING_METRICS = {
  rebalances: { title: 'rebalances meanwhile', unit: '', better: 'higher' },
} as const satisfies Record<string, Metric>
