// What a road tells beside its throughput, apart from what measures it: listing the cases
// loads no library.

import type { Metric } from '../harness/bench-case.ts'

/** How often producers waited in one repetition. Waiting is part of every figure. */
export const ROAD_METRICS = {
  paceWaits: { title: 'waits for the reader', unit: '', better: 'lower' },
  drainWaits: { title: 'waits for room in the producer', unit: '', better: 'lower' },
} as const satisfies Record<string, Metric>
