import { expect, test } from 'vitest'
import { RECENT_BATCHES_MAX, RecentBatches } from '../../src/partition/recent-batches.ts'

function filled(count: number, inFlight: number): RecentBatches {
  const recent = new RecentBatches()
  for (let i = 0; i < count; i++) {
    if (recent.isFull) recent.makeRoom(Math.min(i, inFlight))
    recent.add(i, i * 10, i * 100)
  }
  return recent
}

test.each([1, 7, 8, 100, 1_000])('with %i in flight all of those are remembered, and the ring grows no larger than it must', (inFlight) => {
  const recent = filled(10_000, inFlight)
  for (let i = 9_999; i > 9_999 - inFlight; i--) {
    const place = recent.find(i)
    expect([recent.baseOffsetAt(place), recent.timestampAt(place)]).toEqual([i * 10, i * 100])
  }
  expect(recent.capacity).toBeLessThanOrEqual(Math.max(8, 2 * inFlight))
  expect(recent.size).toBe(recent.capacity)
})

test('a lane has no more in flight than are remembered at most', () => {
  const recent = filled(10_000, 5_000)
  expect([recent.size, recent.capacity]).toEqual([RECENT_BATCHES_MAX, RECENT_BATCHES_MAX])
  expect(recent.find(10_000 - RECENT_BATCHES_MAX)).toBeGreaterThanOrEqual(0)
  expect(recent.find(9_999 - RECENT_BATCHES_MAX)).toBe(-1)
})

test('what was never there, or is forgotten, is not found', () => {
  const recent = filled(20, 20)
  expect(recent.find(20)).toBe(-1)
  recent.clear()
  expect([recent.find(19), recent.size]).toEqual([-1, 0])
  recent.add(5, 50, -1)
  expect([recent.baseOffsetAt(recent.find(5)), recent.find(19)]).toEqual([50, -1])
})
