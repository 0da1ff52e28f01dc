import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sum } from '../../../src/rx/windows/aggregators.ts'
import type { AnyAggregator } from '../../../src/rx/windows/window-store.ts'
import type { OpenWindow } from '../../../src/rx/windows/open-windows.ts'
import { WindowedPartition } from '../../../src/rx/windows/windowed-partition.ts'
import type { Windows } from '../../../src/rx/windows/windows.ts'
import { anyRecords, anyWindows } from './any-windows.ts'
import { recompute } from './recomputation.ts'
import type { Sample } from './recomputation.ts'

const SEED = 712
const LAG_MS = 25
const summing = sum((record: Sample) => record.value) as unknown as AnyAggregator

function idOf({ key, startMs, endMs }: OpenWindow<string, unknown>): string {
  return `${key} ${startMs}-${endMs}`
}

/** What is closed, and what the updates leave. */
function aggregated(windows: Windows, records: readonly Sample[]): { closed: Map<string, number>; updated: Map<string, number> } {
  const partition = new WindowedPartition<string>(windows, summing)
  const closed = new Map<string, number>()
  const updated = new Map<string, number>()
  const take = (windows: readonly OpenWindow<string, unknown>[] = []): void => {
    for (const window of windows) {
      expect(closed.has(idOf(window)), `${idOf(window)} closes once`).toBe(false)
      closed.set(idOf(window), window.state as number)
    }
  }
  for (const [at, { key, timeMs, value }] of records.entries()) {
    partition.begin(at)
    partition.advanceTo(timeMs)
    expect(
      partition.add({ key, keyId: key, timeMs, taken: value }, () => undefined),
      'within grace nothing is late',
    ).toBe(true)
    for (const old of partition.replaced) updated.delete(idOf(old))
    for (const window of partition.updated) updated.set(idOf(window), window.state as number)
    take(partition.close()?.windows)
    partition.end()
  }
  take(partition.closeAll()?.windows)
  expect(partition.size).toBe(0)
  return { closed, updated }
}

test('records out of order within grace: windows come to what all records at once come to', () => {
  fc.assert(
    fc.property(anyWindows(fc.integer({ min: LAG_MS, max: 40 })), anyRecords(LAG_MS), (windows, records) => {
      const expected = recompute(windows, records)
      const { closed, updated } = aggregated(windows, records)
      expect(closed).toEqual(expected)
      expect(updated, 'the last update of a window is its result').toEqual(expected)
    }),
    { seed: SEED, numRuns: 600 },
  )
})
