// What a road with files tells beside its throughput, apart from what measures it: listing the cases loads no library.

import type { Metric } from '../harness/bench-case.ts'

export const FILE_METRICS = {
  writtenBytes: { title: 'written to files', unit: 'size', better: 'lower' },
} as const satisfies Record<string, Metric>
