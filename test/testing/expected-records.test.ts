import { expect, test } from 'vitest'
import { describeMismatch, matchRecords, matches } from '../../src/testing/expected-records.ts'
import type { TestRecord } from '../../src/testing/expected-records.ts'

const record = (partition: number, offset: number, key: unknown, value: unknown): TestRecord => ({
  topic: 't',
  partition,
  offset,
  timestamp: 1_000 + offset,
  key,
  value,
  headers: {},
})

test.each<[actual: unknown, expected: unknown, fits: boolean]>([
  [{ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } }, true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [[1, 2], [1, 2], true],
  [[1, 2], [1], false],
  [[{ a: 1, b: 2 }], [{ a: 1 }], true],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2]), true],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3]), false],
  [{}, '{}', true],
  [{ a: 1 }, '{}', false],
  ['text', 'text', true],
  [null, null, true],
  [null, {}, false],
  [new Date(5), new Date(5), true],
  [new Date(5), new Date(6), false],
  [new Map([['a', 1]]), new Map([['a', 1]]), true],
  [new Set(['a']), new Set(['b']), false],
  [Number.NaN, Number.NaN, true],
])('%j as %j: %j', (actual, expected, fits) => {
  expect(matches(actual, expected)).toBe(fits)
})

test('each record is taken once, those of a partition in their order', () => {
  const records = [record(0, 0, 'a', 1), record(1, 0, 'a', 1), record(0, 1, 'b', 2)]
  expect(matchRecords(records, [{ key: 'a' }, { key: 'a' }, { key: 'b' }])).toEqual(records)
  expect(matchRecords(records, [{ key: 'a' }, { key: 'a' }, { key: 'a' }])[2]).toBeUndefined()
  expect(matchRecords(records, [{ key: 'b' }, { key: 'a', partition: 0 }])).toEqual([records[2], undefined])
})

test('a mismatch says what is missing, what comes closest, and what is there', () => {
  const text = describeMismatch(
    't',
    [record(0, 0, 'a', { n: 1 }), record(0, 1, 'b', { n: 2 })],
    [{ key: 'a' }, { key: 'b', value: { n: 3 } }],
  )
  expect(text.split('\n')).toEqual([
    'topic "t" has 2 record(s), and not 1 of the 2 that are expected:',
    '  { key: "a" }   (0@0)',
    '- { key: "b", value: {"n":3} }',
    '    0@1 comes closest: its value is {"n":2}',
    'what is there:',
    '  0@0 { key: "a", value: {"n":1}, timestamp: 1000 }',
    '  0@1 { key: "b", value: {"n":2}, timestamp: 1001 }',
  ])
})

test('a record that is there out of order is said to be so', () => {
  const text = describeMismatch('t', [record(0, 0, 'a', 1), record(0, 1, 'b', 2)], [{ key: 'b' }, { key: 'a' }])
  expect(text).toContain('0@0 is like it, but stands before another expected record of its partition')
})
