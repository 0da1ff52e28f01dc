import { expect, test } from 'vitest'
import { newChain, subscribeUpstream } from '../../../src/rx/chain.ts'
import { keyBy } from '../../../src/rx/operators/key-by.ts'
import { mapValue } from '../../../src/rx/operators/map-value.ts'
import { string } from '../../../src/index.ts'
import { HeldSource } from './held-source.ts'
import { marbles, pairs } from './marbles.ts'

test('changes the key, and nothing else', () => {
  marbles(({ records, expectObservable }) => {
    const byLength = records('a-b|', { a: 'xxx', b: 'y' }).pipe(
      keyBy(({ value }) => value.length),
      pairs(),
    )
    expectObservable(byLength).toBe('a-b|', { a: [3, 'xxx'], b: [1, 'y'] })
  })
})

test('says so to what is below; the key nearest to it counts', () => {
  const source = new HeldSource<string>()
  const key = string()
  const chain = newChain()
  const rekeyed = source.records.pipe(
    keyBy(({ value }) => value.length),
    mapValue((value) => value),
    keyBy(({ value }) => value, { key }),
  )
  subscribeUpstream(chain, () => rekeyed.subscribe())
  expect(chain.rekeyed?.key).toBe(key)
  expect(chain.sources).toHaveLength(1)
  expect(chain.tracked).toBe(true)
})
