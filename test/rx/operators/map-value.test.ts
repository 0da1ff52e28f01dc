import { expect, test } from 'vitest'
import { mapValue } from '../../../src/rx/operators/map-value.ts'
import { HeldSource, plainRecord } from './held-source.ts'
import { marbles, pairs } from './marbles.ts'

test('maps values under their keys, at their time', () => {
  marbles(({ records, expectObservable }) => {
    const doubled = records('a-b--(c|)', { a: 1, b: 2, c: 3 }).pipe(
      mapValue((value) => value * 2),
      pairs(),
    )
    expectObservable(doubled).toBe('x-y--(z|)', { x: ['a', 2], y: ['b', 4], z: ['c', 6] })
  })
})

test('a throw ends the Observable', () => {
  marbles(({ records, expectObservable }) => {
    const failing = records('a-b', { a: 1, b: 0 }).pipe(
      mapValue((value) => {
        if (value === 0) throw new RangeError('zero')
        return value
      }),
      pairs(),
    )
    expectObservable(failing).toBe('a-#', { a: ['a', 1] }, new RangeError('zero'))
  })
})

test('key, time, headers and place stay; a null value is mapped too', () => {
  const seen: unknown[] = []
  const record = plainRecord<number | null>({ key: 'k', value: null, timestamp: 7, partition: 3, offset: 11 })
  new HeldSource<number>().records.subscribe()
  const source = new HeldSource<number | null>()
  source.records.pipe(mapValue((value) => value ?? 'none')).subscribe((each) => seen.push(each.toJSON()))
  source.emit(record.value, { key: 'k', timestamp: 7, offset: 11 })
  expect(seen).toEqual([{ topic: 'clicks', partition: 0, offset: 11, timestamp: 7, key: 'k', value: 'none', headers: expect.anything() }])
})
