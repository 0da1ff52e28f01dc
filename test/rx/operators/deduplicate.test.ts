import { expect, test } from 'vitest'
import { deduplicate } from '../../../src/rx/operators/deduplicate.ts'
import { HeldSource } from './held-source.ts'
import { marbles, pairs } from './marbles.ts'

test('hands on the first of each id', () => {
  marbles(({ records, expectObservable }) => {
    const once = records('abcd|', { a: 1, b: 2, c: 1, d: 3 }).pipe(
      deduplicate(({ value }) => value),
      pairs(),
    )
    expectObservable(once).toBe('ab-d|', { a: ['a', 1], b: ['b', 2], d: ['d', 3] })
  })
})

test('what has no id is no duplicate', () => {
  marbles(({ records, expectObservable }) => {
    const all = records('ab|', { a: null, b: null }).pipe(
      deduplicate(({ value }) => value),
      pairs(),
    )
    expectObservable(all).toBe('ab|', { a: ['a', null], b: ['b', null] })
  })
})

function passing(source: HeldSource<string>, options: Parameters<typeof deduplicate>[1]): string[] {
  const seen: string[] = []
  source.records.pipe(deduplicate(({ value }) => value.slice(0, 1), options)).subscribe(({ value }) => seen.push(value))
  return seen
}

test('an id is forgotten after its window, by the time of records', () => {
  const source = new HeldSource<string>()
  const seen = passing(source, { windowMs: 10 })
  source.emit('a1', { timestamp: 100 })
  source.emit('a2', { timestamp: 109 })
  source.emit('a3', { timestamp: 91 })
  source.emit('a4', { timestamp: 110 })
  source.emit('a5', { timestamp: 119 })
  expect(seen).toEqual(['a1', 'a4'])
  expect(source.position()).toBe(5)
})

test('only so many ids are kept', () => {
  const source = new HeldSource<string>()
  const seen = passing(source, { maxKeys: 2 })
  for (const value of ['a1', 'b1', 'c1', 'a2', 'c2', 'b2']) source.emit(value)
  expect(seen).toEqual(['a1', 'b1', 'c1', 'a2', 'b2'])
})

test('a record that is read again is no duplicate of itself', () => {
  const source = new HeldSource<string>()
  const seen = passing(source, {})
  source.emit('a1')
  source.emit('b1')
  source.revoke()
  source.emit('a1', { offset: 0 })
  source.emit('b1', { offset: 1 })
  source.emit('a2', { offset: 2 })
  expect(seen).toEqual(['a1', 'b1', 'a1', 'b1'])
})
