// Tasks of the bare piscina pools: one value, or several.

import { WORK } from './value-work.ts'
import type { PoolWork } from './value-work.ts'

export interface PoolTask {
  readonly work: PoolWork
  readonly values: readonly Uint8Array[]
}

export function sums({ work, values }: PoolTask): readonly number[] {
  return values.map(WORK[work])
}
