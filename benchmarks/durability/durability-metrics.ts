// What roads and sends with files tell, and how the contenders of D1 are called, apart from what measures it: listing the cases loads no library.

import type { Metric } from '../harness/bench-case.ts'
import type { Durability } from './file-road.ts'

export const FILE_METRICS = {
  writtenBytes: { title: 'written to files', unit: 'size', better: 'lower' },
} as const satisfies Record<string, Metric>

/** From shallow to deep. */
export const LEVELS = ['memory', 'cache', 'disk'] as const satisfies readonly Durability[]

/** Ids of the contenders of D1: what its chart looks for. */
export const roadId = (level: Durability): string => `road-${level}`
export const sendId = (level: Durability): string => `send-${level}`
