import { describe, expect, test } from 'vitest'
import { bytes, json } from '../../../src/index.ts'
import { count, hopping, max, min, reduce, session, sliding, sum, tumbling } from '../../../src/rxjs.ts'
import { keyIds } from '../../../src/rx/windows/key-id.ts'
import { Snapshots } from '../../../src/rx/windows/snapshots.ts'

describe('windows', () => {
  test('grace and size must be given: how long late records count is a decision', () => {
    expect(() => tumbling({ sizeMs: 10 } as never)).toThrow('tumbling option graceMs must be given: how long')
    expect(() => tumbling({ graceMs: 0 } as never)).toThrow('tumbling option sizeMs must be given')
    expect(() => session({ graceMs: 0 } as never)).toThrow('inactivityGapMs must be given')
    expect(() => tumbling(undefined as never)).toThrow('sizeMs must be given')
  })

  test('numbers out of range, gaps between windows, and unknown names are refused', () => {
    expect(() => tumbling({ sizeMs: 0, graceMs: 0 })).toThrow('sizeMs')
    expect(() => hopping({ sizeMs: 10, advanceMs: 11, graceMs: 0 })).toThrow('would leave gaps')
    expect(() => sliding({ timeDifferenceMs: -1, graceMs: 0 })).toThrow('timeDifferenceMs')
    expect(() => session({ inactivityGapMs: 1.5, graceMs: 0 })).toThrow('inactivityGapMs')
    expect(() => tumbling({ sizeMs: 10, graceMs: 0, grace: 5 } as never)).toThrow('graceMs')
  })

  test('a value of windows does not change', () => {
    expect(Object.isFrozen(tumbling({ sizeMs: 10, graceMs: 0 }))).toBe(true)
  })
})

describe('aggregators', () => {
  const over = (aggregator: unknown, values: readonly unknown[]): unknown => {
    const { take, seed, add, result } = aggregator as {
      take(record: unknown): unknown
      seed(): unknown
      add(so: unknown, taken: unknown): unknown
      result(so: unknown): unknown
    }
    return result(values.reduce((so, value) => add(so, take({ value })), seed()))
  }
  type Record = { value: never }

  test('count, sum, min, max, reduce', () => {
    expect(over(count(), [7, 8, 9])).toBe(3)
    expect(
      over(
        sum((record: Record) => record.value),
        [7, 8, 9],
      ),
    ).toBe(24) // prettier-ignore
    expect(
      over(
        min((record: Record) => record.value),
        [7, 3, 9],
      ),
    ).toBe(3) // prettier-ignore
    expect(
      over(
        max((record: Record) => record.value),
        ['b', 'c', 'a'],
      ),
    ).toBe('c') // prettier-ignore
    expect(
      over(
        reduce(1, (so: number, record: Record) => so * record.value),
        [2, 3],
      ),
    ).toBe(6) // prettier-ignore
  })

  test('reduce makes a seed for each window where it is given a function', () => {
    const aggregator = reduce(
      () => [] as number[],
      (so, record: { value: number }) => {
        so.push(record.value)
        return so
      },
    )
    expect([over(aggregator, [1, 2]), over(aggregator, [3])]).toEqual([[1, 2], [3]])
  })

  test('what is no number is refused, and what is no function', () => {
    expect(() =>
      over(
        sum((record: Record) => record.value),
        ['7'],
      ),
    ).toThrow('gave string, not a number') // prettier-ignore
    expect(() =>
      over(
        sum(() => Number.NaN),
        [1],
      ),
    ).toThrow('gave NaN') // prettier-ignore
    expect(() =>
      over(
        min(() => undefined as never),
        [1],
      ),
    ).toThrow('gave undefined') // prettier-ignore
    expect(() => sum(7 as never)).toThrow('sum() takes a function; 7 was given')
    expect(() => reduce(0, undefined as never)).toThrow('reduce() takes a function')
  })
})

describe('keys', () => {
  test('are equal where their bytes are, and differ by type', () => {
    const idOf = keyIds(undefined)
    expect(idOf('a')).toBe(idOf('a'))
    expect(idOf(1)).not.toBe(idOf('1'))
    expect(idOf(Uint8Array.of(97))).not.toBe(idOf('a'))
    expect(idOf(Uint8Array.of(97))).toBe(idOf(Uint8Array.of(97)))
    expect(idOf({ a: 1, b: 2 })).toBe(idOf({ a: 1, b: 2 }))
    expect(idOf({ a: 1 })).not.toBe(idOf({ a: 2 }))
    expect(idOf(`\u0000b${'a'}`)).not.toBe(idOf(Uint8Array.of(97)))
    expect(keyIds(json() as never)({ a: 1 })).toBe(keyIds(json() as never)({ a: 1 }))
    expect(keyIds(bytes() as never)(7n)).toBe(7n)
    expect(() => idOf(undefined)).toThrow('a undefined is no key')
  })
})

describe('snapshots', () => {
  test('a position has the last one at or before it; age thins them, but not those that must stay', () => {
    const snapshots = new Snapshots<number>(100, 0)
    for (let position = 1; position <= 10_000; position++) {
      snapshots.set(position, position)
      if (position === 5_002) snapshots.keepAt(5_000)
    }
    expect(snapshots.size).toBeLessThanOrEqual(101)
    expect([9_999, 9_970, 5_000].map((position) => snapshots.at(position))).toEqual([9_999, 9_970, 5_000])
    expect(snapshots.at(4_000)).toBeLessThanOrEqual(4_000)
    expect([snapshots.at(-1), snapshots.at(99_999)]).toEqual([0, 10_000])
    snapshots.forgetBefore(9_990)
    expect(snapshots.at(9_990)).toBe(9_990)
    expect(snapshots.size).toBeLessThan(30)
  })
})
