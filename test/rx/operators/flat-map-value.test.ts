import { take } from 'rxjs'
import { expect, test } from 'vitest'
import { batchRecords } from '../../../src/rx/operators/batch-records.ts'
import { flatMapValue } from '../../../src/rx/operators/flat-map-value.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { HeldSource } from './held-source.ts'
import { marbles, pairs } from './marbles.ts'

test('hands on each value, at once and in order', () => {
  marbles(({ records, expectObservable }) => {
    const words = records('a--b--c|', { a: 'to be', b: '', c: 'not' }).pipe(
      flatMapValue((text) => text.split(' ').filter((word) => word !== '')),
      pairs(),
    )
    expectObservable(words).toBe('(xy)--c|', { x: ['a', 'to'], y: ['a', 'be'], c: ['c', 'not'] })
  })
})

test('a throw of the iteration ends the Observable', () => {
  marbles(({ records, expectObservable }) => {
    const failing = records('a', { a: 1 }).pipe(
      flatMapValue(function* () {
        yield 1
        throw new RangeError('gone')
      }),
      pairs(),
    )
    expectObservable(failing).toBe('(a#)', { a: ['a', 1] }, new RangeError('gone'))
  })
})

test('no value is made for who has enough', () => {
  let made = 0
  const source = new HeldSource<number>()
  const taken: number[] = []
  const values = flatMapValue<string | null, number, number>(function* () {
    for (;;) yield ++made
  })
  source.records.pipe(values, take(3)).subscribe(({ value }) => taken.push(value))
  source.emit(0)
  expect(taken).toEqual([1, 2, 3])
  expect(made).toBe(3)
})

test('the record is settled when all its values are', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  source.records
    .pipe(
      flatMapValue((n) => [n, n]),
      batchRecords({ maxRecords: 3, maxMs: 10, clock }),
    )
    .subscribe()
  source.emit(1)
  expect(source.position()).toBe(0)
  source.emit(2)
  expect(source.position()).toBe(1)
  clock.advance(10)
  expect(source.position()).toBe(2)
})
