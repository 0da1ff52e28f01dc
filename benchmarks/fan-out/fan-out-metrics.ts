// The figures of S12, apart from what measures them: listing the cases loads no library.

import type { Metric } from '../harness/bench-case.ts'

export const FAN_OUT_METRICS = {
  brokerNs: { title: 'CPU of the broker thread, a record produced', unit: 'ns', better: 'lower' },
  producedPerSecond: { title: 'records produced', unit: 'records/s', better: 'higher' },
  recordsPerSecond: { title: 'records read, by all readers', unit: 'records/s', better: 'higher' },
} as const satisfies Record<string, Metric>
