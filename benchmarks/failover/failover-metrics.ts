// The figures of R9, apart from what measures them: listing the cases loads no library.

import type { Metric } from '../harness/bench-case.ts'

export const FAILOVER_METRICS = {
  p50: { title: 'last ack to next ack, p50', unit: 'ms', better: 'lower' },
  p99: { title: 'p99', unit: 'ms', better: 'lower' },
  max: { title: 'max', unit: 'ms', better: 'lower' },
  usualP99: { title: 'one ack to the next otherwise, p99', unit: 'ms', better: 'lower' },
} as const satisfies Record<string, Metric>
