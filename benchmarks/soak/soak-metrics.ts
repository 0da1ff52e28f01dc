// The figures of C3, apart from what measures them: listing the cases loads no library.

import type { Metric } from '../harness/bench-case.ts'

export const SOAK_METRICS = {
  residentBytes: { title: 'resident, most', unit: 'size', better: 'lower' },
  arenaBytes: { title: 'of that: log memory', unit: 'size', better: 'lower' },
  restBytes: { title: 'of that: everything else', unit: 'size', better: 'lower' },
  slope: { title: 'slope since the warm-up', unit: 'MiB/h', better: 'lower' },
  recordsPerSecond: { title: 'records meanwhile', unit: 'records/s', better: 'higher' },
} as const satisfies Record<string, Metric>

/** One look at the process: seconds since it began, resident bytes, those of log memory. */
export type MemorySample = readonly [seconds: number, residentBytes: number, arenaBytes: number]

/** The stretch of a soak that belongs to one repetition. */
export interface SoakDetail {
  readonly isWarmUp: boolean
  readonly memory: readonly MemorySample[]
}
