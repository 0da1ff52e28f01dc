// An aggregator whose result tells which records it has.

import { reduce } from '../../../src/rx/windows/aggregators.ts'
import type { AnyAggregator } from '../../../src/rx/windows/window-store.ts'

export function aggregatorOf(): AnyAggregator {
  const merge = (first: readonly number[], second: readonly number[]): readonly number[] => [...first, ...second]
  return reduce<number, readonly number[]>([], (so, value) => [...so, value], { merge }) as unknown as AnyAggregator
}
