// The figures of a limit, apart from what measures them: listing the cases loads no library.

import type { Metric } from '../harness/bench-case.ts'

/** Nanoseconds a record of each stage, alone on one thread. */
export const LIMIT_METRICS = {
  rawLimit: { title: 'limit from raw loops', unit: 'records/s', better: 'higher' },
  encodeNs: { title: 'encode', unit: 'ns', better: 'lower' },
  laneNs: { title: 'copy into the lane', unit: 'ns', better: 'lower' },
  appendNs: { title: 'append', unit: 'ns', better: 'lower' },
  copyOutNs: { title: 'copy out', unit: 'ns', better: 'lower' },
  walkNs: { title: 'walk', unit: 'ns', better: 'lower' },
  rawEncodeNs: { title: 'raw value copy', unit: 'ns', better: 'lower' },
  rawLaneNs: { title: 'raw copy in', unit: 'ns', better: 'lower' },
  rawAppendNs: { title: 'raw copy over', unit: 'ns', better: 'lower' },
  rawCopyOutNs: { title: 'raw copy out', unit: 'ns', better: 'lower' },
  rawWalkNs: { title: 'raw byte walk', unit: 'ns', better: 'lower' },
} as const satisfies Record<string, Metric>
