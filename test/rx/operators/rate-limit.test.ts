import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { rateLimit } from '../../../src/rx/operators/rate-limit.ts'
import { HeldSource } from './held-source.ts'
import { marbles } from './marbles.ts'

test('lets so many through at once, then one a gap', () => {
  marbles(({ cold, clock, expectObservable }) => {
    const limited = cold('(abcd)---------|').pipe(rateLimit({ recordsPerSecond: 250, burst: 2, clock }))
    expectObservable(limited).toBe('(ab)c---d------|')
  })
})

test('a rest fills the bucket up to the burst, and no further', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  const passed: number[] = []
  source.records.pipe(rateLimit({ recordsPerSecond: 10, burst: 3, clock })).subscribe(({ value }) => passed.push(value))
  clock.advance(60_000)
  for (let n = 1; n <= 6; n++) source.emit(n)
  expect(passed).toEqual([1, 2, 3])
  clock.advance(99)
  expect(passed).toHaveLength(3)
  clock.advance(1)
  expect(passed).toHaveLength(4)
  clock.advance(200)
  expect(passed).toEqual([1, 2, 3, 4, 5, 6])
})

test('in the long run it is the rate', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  let passed = 0
  source.records.pipe(rateLimit({ recordsPerSecond: 333, burst: 1, clock })).subscribe(() => passed++)
  for (let n = 0; n < 1_000; n++) source.emit(n)
  clock.advance(2_000)
  expect(passed).toBeGreaterThanOrEqual(660)
  expect(passed).toBeLessThanOrEqual(667)
})

test('what waits is held; completion waits for it; unsubscribing leaves no timer', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  let isComplete = false
  source.records.pipe(rateLimit({ recordsPerSecond: 1_000, clock })).subscribe({ complete: () => (isComplete = true) })
  for (let n = 1; n <= 3; n++) source.emit(n)
  expect([source.position(), source.room.records]).toEqual([1, 2])
  source.complete()
  expect(isComplete).toBe(false)
  clock.advance(2)
  expect(isComplete).toBe(true)
  expect(clock.pending).toBe(0)
  const other = new HeldSource<number>()
  const subscription = other.records.pipe(rateLimit({ recordsPerSecond: 1, clock })).subscribe()
  other.emit(1)
  other.emit(2)
  subscription.unsubscribe()
  expect([clock.pending, other.position()]).toEqual([0, 1])
})

test('refuses no rate', () => {
  expect(() => rateLimit({})).toThrow(/recordsPerSecond must be given/)
  expect(() => rateLimit({ recordsPerSecond: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
})
