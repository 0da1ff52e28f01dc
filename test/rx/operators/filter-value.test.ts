import { expect, test } from 'vitest'
import { filterValue } from '../../../src/rx/operators/filter-value.ts'
import { HeldSource } from './held-source.ts'
import { marbles, pairs } from './marbles.ts'

test('hands on what is wanted', () => {
  marbles(({ records, expectObservable }) => {
    const odd = records('abc-d|', { a: 1, b: 2, c: 3, d: 4 }).pipe(
      filterValue((value) => value % 2 === 1),
      pairs(),
    )
    expectObservable(odd).toBe('a-c--|', { a: ['a', 1], c: ['c', 3] })
  })
})

test('what is not wanted is settled', () => {
  const source = new HeldSource<number>()
  source.records.pipe(filterValue(() => false)).subscribe()
  source.emit(1)
  source.emit(2)
  expect(source.position()).toBe(2)
})
