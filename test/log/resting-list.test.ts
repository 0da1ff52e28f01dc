import { expect, test } from 'vitest'
import { RestingList } from '../../src/log/resting-list.ts'

function released(list: RestingList, nowMs: number, turn: number): number[] {
  const granules: number[] = []
  list.release(nowMs, turn, (granule) => granules.push(granule))
  return granules
}

test('an extent rests a millisecond and a whole turn, whichever is longer', () => {
  const list = new RestingList()
  list.add(1, 3, 100, 10)
  expect(list.granules).toBe(8)
  expect(released(list, 105, 11)).toEqual([])
  expect(released(list, 100.9, 20)).toEqual([])
  expect(released(list, 101, 12)).toEqual([1])
  expect(list.granules).toBe(0)
  expect(list.isEmpty).toBe(true)
})

test('the first in is the first out, however many there are', () => {
  const list = new RestingList()
  const seen: number[] = []
  for (let i = 0; i < 1_000; i++) {
    list.add(i, 0, i, i)
    seen.push(...released(list, i, i))
  }
  seen.push(...released(list, 2_000, 2_000))
  expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  expect(list.dueInMs(5)).toBe(Number.POSITIVE_INFINITY)
})

test('it says when the oldest is due', () => {
  const list = new RestingList()
  list.add(1, 0, 100, 1)
  list.add(2, 0, 100.5, 1)
  expect(list.dueInMs(100.25)).toBe(0.75)
  expect(list.dueInMs(102)).toBe(0)
})

test('what goes to another owner is forgotten', () => {
  const list = new RestingList()
  for (const granule of [1, 600, 2, 700]) list.add(granule, 1, 0, 0)
  expect(list.hasAnyIn(512, 1024)).toBe(true)
  list.removeIn(512, 1024)
  expect(list.hasAnyIn(512, 1024)).toBe(false)
  expect(list.granules).toBe(4)
  expect(released(list, 10, 10)).toEqual([1, 2])
})
