// What a thread of a pool does with the value of a record, whichever pool it is of: a sum, and before that
// it may keep its core for 20 µs.

export type PoolWork = 'none' | '20µs'

const WORK_MS = 0.02

function sum(value: Uint8Array): number {
  return value[0]! + value[value.length - 1]!
}

function workAndSum(value: Uint8Array): number {
  const endMs = performance.now() + WORK_MS
  while (performance.now() < endMs) continue
  return sum(value)
}

export const WORK: Readonly<Record<PoolWork, (value: Uint8Array) => number>> = { none: sum, '20µs': workAndSum }
