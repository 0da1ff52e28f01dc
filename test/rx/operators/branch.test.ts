import { NEVER, concat, map, merge, of, retry, take } from 'rxjs'
import { expect, test } from 'vitest'
import { batchRecords } from '../../../src/rx/operators/batch-records.ts'
import { branch } from '../../../src/rx/operators/branch.ts'
import { keyBy } from '../../../src/rx/operators/key-by.ts'
import { newChain, subscribeUpstream } from '../../../src/rx/chain.ts'
import { HeldSource } from './held-source.ts'
import { marbles } from './marbles.ts'

test('the first chain that wants a value has it; the results are merged', () => {
  marbles(({ cold, expectObservable }) => {
    const branched = cold('1-2-3-4|').pipe(
      branch<string, string, string>([(n) => n === '2', map((n) => `two ${n}`)], [(n) => n !== '4', map((n) => `other ${n}`)]),
    )
    expectObservable(branched).toBe('a-b-c--|', { a: 'other 1', b: 'two 2', c: 'other 3' })
  })
})

test('a chain without a predicate takes the rest', () => {
  const results: (string | number)[] = []
  of(1, 2, 3)
    .pipe(
      branch(
        [(n) => n > 2, map((n) => `big ${n}`)],
        map((n) => -n),
      ),
    )
    .subscribe((result) => results.push(result))
  expect(results).toEqual([-1, -2, 'big 3'])
})

test('an error of a chain, of a predicate, or of the source ends it', () => {
  const boom = new Error('boom')
  const fails = (): never => {
    throw boom
  }
  marbles(({ cold, expectObservable }) => {
    expectObservable(cold('a').pipe(branch(map(fails)))).toBe('#', undefined, boom)
    expectObservable(cold('a').pipe(branch([fails, map((x) => x)]))).toBe('#', undefined, boom)
    expectObservable(cold('a#', undefined, boom).pipe(branch(map((x) => x)))).toBe('a#', undefined, boom)
  })
})

test('it completes when all chains have; one that has had enough takes no more', () => {
  marbles(({ cold, expectObservable, expectSubscriptions }) => {
    const source = cold('abcd')
    expectObservable(source.pipe(branch(take(2)))).toBe('a(b|)')
    expectSubscriptions(source.subscriptions).toBe('^!')
    expectObservable(cold('ab|').pipe(branch((records) => concat(records, NEVER)))).toBe('ab')
  })
})

test('records are held by the chain that took them', () => {
  const source = new HeldSource<number>()
  source.records
    .pipe(
      branch(
        [({ value }) => value === 1, batchRecords({ maxRecords: 2 })],
        map(() => []),
      ),
    )
    .subscribe()
  source.emit(1)
  source.emit(2)
  expect(source.position()).toBe(0)
  source.emit(1)
  expect(source.position()).toBe(3)
})

test('its chains know what is above; what is below knows what they did', () => {
  const source = new HeldSource<number>()
  const inner = newChain()
  const outer = newChain()
  const branched = source.records.pipe(
    branch((records) => {
      subscribeUpstream(inner, () => records.subscribe().unsubscribe())
      return records.pipe(keyBy(({ value }) => value))
    }),
  )
  subscribeUpstream(outer, () => branched.subscribe())
  for (const chain of [inner, outer]) expect([chain.tracked, chain.sources.length]).toEqual([true, 1])
  expect(outer.rekeyed).toBeDefined()
})

test('a chain may take its records in two, and again after an error', () => {
  const source = new HeldSource<number>()
  const seen: string[] = []
  source.records
    .pipe(
      branch((records) => {
        const failing = records.pipe(
          map(({ value }) => {
            if (value === 2) throw new Error('two')
            return `b${value}`
          }),
          retry(),
        )
        return merge(records.pipe(map(({ value }) => `a${value}`)), failing)
      }),
    )
    .subscribe((text) => seen.push(text))
  for (const n of [1, 2, 3]) source.emit(n)
  expect(seen).toEqual(['a1', 'b1', 'a2', 'a3', 'b3'])
})

test('without a chain it is refused', () => {
  expect(() => branch()).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
})
