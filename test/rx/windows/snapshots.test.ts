import { expect, test } from 'vitest'
import { Snapshots } from '../../../src/rx/windows/snapshots.ts'

test('of those that need not be kept at most so many are there, and the newer half all of them', () => {
  const snapshots = new Snapshots(64, 0)
  for (let i = 1; i <= 1_000; i++) {
    snapshots.set(i, i)
    expect(snapshots.size).toBeLessThanOrEqual(64)
  }
  for (let i = 1_000 - 16; i <= 1_000; i++) expect(snapshots.at(i)).toBe(i)
  expect(snapshots.at(500)).toBeLessThanOrEqual(500)
})

test('those that must be kept are there until they are passed, and two more each at the most', () => {
  const snapshots = new Snapshots(64, 0)
  const kept: number[] = []
  for (let i = 1; i <= 4_000; i++) {
    snapshots.set(i, i)
    if (i % 4 === 0) {
      snapshots.keepAt(i)
      kept.push(i)
    }
    expect(snapshots.size).toBeLessThanOrEqual(64 + 3 * (kept.length + 1))
  }
  for (const position of kept) expect(snapshots.at(position)).toBe(position)
  snapshots.forgetBefore(4_000)
  expect(snapshots.size).toBe(1)
})

test('where all must be kept one costs no more for it', () => {
  const snapshots = new Snapshots(64, 0)
  const started = performance.now()
  for (let i = 1; i <= 100_000; i++) {
    snapshots.set(i, i)
    snapshots.keepAt(i)
  }
  // To go over all for each took minutes.
  expect(performance.now() - started).toBeLessThan(10_000)
  expect(snapshots.size).toBe(100_001)
})
