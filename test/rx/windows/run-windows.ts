// Runs records of one partition through its windows, without a log: what tests of the rules share.

import { aggregatorOf } from './tested-aggregator.ts'
import type { AnyAggregator } from '../../../src/rx/windows/window-store.ts'
import { WindowedPartition } from '../../../src/rx/windows/windowed-partition.ts'
import type { OpenWindow } from '../../../src/rx/windows/open-windows.ts'
import type { Windows } from '../../../src/rx/windows/windows.ts'

/** Key, and time in ms. The value of a record is its place among them, from 1. */
export type Given = readonly [key: string, timeMs: number]

/** As `key start-end: values@timestamp`. */
export function shown({ key, startMs, endMs, state, timestampMs }: OpenWindow<string, unknown>): string {
  return `${key} ${startMs}-${endMs}: ${(state as readonly number[]).join(' ')}@${timestampMs}`
}

export interface Ran {
  /** What each record updated. */
  readonly updates: string[][]
  /** What each record closed. */
  readonly closes: string[][]
  /** Sessions that each record put into others, as `key start-end`. */
  readonly replaced: string[][]
  /** Values of records that were late. */
  readonly late: number[]
  /** What was open at the end, in order of closing. */
  readonly open: string[]
}

/** The state of a window is the list of its records' values. */
export function run(windows: Windows, records: readonly Given[], aggregator: AnyAggregator = aggregatorOf()): Ran {
  const partition = new WindowedPartition<string>(windows, aggregator)
  const ran: Ran = { updates: [], closes: [], replaced: [], late: [], open: [] }
  for (const [at, [key, timeMs]] of records.entries()) {
    partition.begin(at)
    partition.advanceTo(timeMs)
    if (!partition.add({ key, keyId: key, timeMs, taken: at + 1 }, () => undefined)) ran.late.push(at + 1)
    ran.updates.push(partition.updated.map(shown))
    ran.replaced.push(partition.replaced.map(({ startMs, endMs }) => `${key} ${startMs}-${endMs}`))
    ran.closes.push(partition.close()?.windows.map(shown) ?? [])
    partition.end()
  }
  ran.open.push(...(partition.closeAll()?.windows.map(shown) ?? []))
  return ran
}

/** All that was closed, in order, also at the end. */
export function results(ran: Ran): string[] {
  return [...ran.closes.flat(), ...ran.open]
}
