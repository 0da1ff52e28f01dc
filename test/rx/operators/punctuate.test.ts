import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { batchRecords } from '../../../src/rx/operators/batch-records.ts'
import { punctuate } from '../../../src/rx/operators/punctuate.ts'
import { HeldSource } from './held-source.ts'
import { marbles } from './marbles.ts'

function ticks(source: HeldSource<number>, everyMs: number): (number | string)[] {
  const seen: (number | string)[] = []
  source.records
    .pipe(punctuate({ everyMs }, (timeMs) => [`tick ${timeMs}`]))
    .subscribe((each) => seen.push(typeof each === 'string' ? each : each.value))
  return seen
}

test('by the time of records: before the record that moves it', () => {
  const source = new HeldSource<number>()
  const seen = ticks(source, 10)
  for (const timestamp of [100, 105, 110, 104, 119, 121]) source.emit(timestamp, { timestamp })
  expect(seen).toEqual([100, 105, 'tick 110', 110, 104, 119, 'tick 121', 121])
})

test('by the time of records: what was skipped is not made up for', () => {
  const source = new HeldSource<number>()
  const seen = ticks(source, 10)
  for (const timestamp of [0, 35, 39, 40]) source.emit(timestamp, { timestamp })
  expect(seen).toEqual([0, 'tick 35', 35, 39, 'tick 40', 40])
})

test('by the time of records: what it gives is held with the record', () => {
  const source = new HeldSource<number>()
  source.records
    .pipe(
      punctuate({ everyMs: 10 }, () => ['tick']),
      batchRecords({ maxRecords: 3 }),
    )
    .subscribe()
  source.emit(1, { timestamp: 0 })
  source.emit(2, { timestamp: 10 })
  expect(source.position()).toBe(2)
  source.emit(3, { timestamp: 11 })
  expect(source.position()).toBe(2)
})

test('by the clock: also while nothing comes', () => {
  marbles(({ cold, clock, expectObservable }) => {
    const records = cold('-a-------b|', { a: { timestamp: 1 }, b: { timestamp: 2 } })
    const punctuated = records.pipe(punctuate({ everyMs: 4, time: 'wall', clock }, (timeMs) => [timeMs]))
    expectObservable(punctuated).toBe('-a--x---yb|', { a: { timestamp: 1 }, b: { timestamp: 2 }, x: 4, y: 8 })
  })
})

test('by the clock: nothing is held for it, and nothing is left behind', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  const seen: unknown[] = []
  const subscription = source.records
    .pipe(
      punctuate({ everyMs: 100, time: 'wall', clock }, () => ['tick']),
      batchRecords({ maxRecords: 1, clock }),
    )
    .subscribe((batch) => seen.push(...batch))
  clock.advance(250)
  expect(seen).toEqual(['tick', 'tick'])
  subscription.unsubscribe()
  expect(clock.pending).toBe(0)
})

test('a throw ends the Observable; no interval is refused', () => {
  const source = new HeldSource<number>()
  let failure: unknown
  const fails = (): never => {
    throw new RangeError('no')
  }
  source.records.pipe(punctuate({ everyMs: 1 }, fails)).subscribe({ error: (error) => (failure = error) })
  source.emit(1, { timestamp: 0 })
  source.emit(2, { timestamp: 5 })
  expect(failure).toEqual(new RangeError('no'))
  expect(source.position()).toBe(1)
  expect(() => punctuate({}, () => [])).toThrow(/everyMs must be given/)
})
