// What a road tells beside its throughput, apart from what measures it: listing the cases
// loads no library.

import type { Metric } from '../harness/bench-case.ts'

/** Waiting is part of every figure: how often producers waited in one repetition, and what the process computed meanwhile. */
export const ROAD_METRICS = {
  paceWaits: { title: 'waits for the reader', unit: '', better: 'lower' },
  cpuNs: { title: 'CPU of all threads, a record', unit: 'ns', better: 'lower' },
  drainWaits: { title: 'waits for room in the producer', unit: '', better: 'lower' },
} as const satisfies Record<string, Metric>
