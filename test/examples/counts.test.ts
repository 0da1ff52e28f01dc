import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MinuteCounts, TopCounts } from '../../examples/user-activity/counts.ts'

describe('TopCounts', () => {
  it('is exact while there are not too many keys', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e')), (keys) => {
        const counts = new TopCounts()
        for (const key of keys) counts.add(key)
        const expected = [...new Set(keys)].map((key) => ({ key, count: keys.filter((other) => other === key).length }))
        expected.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
        expect(counts.top(Infinity)).toEqual(expected)
        expect(counts.top(2)).toEqual(expected.slice(0, 2))
      }),
      { seed: 1 },
    )
  })

  it('keeps frequent keys exact and its size bounded among any number of rare ones', () => {
    const counts = new TopCounts(10)
    for (let at = 0; at < 1_000; at++) {
      counts.add('often')
      counts.add(`rare ${at}`)
    }
    expect(counts.top(1)).toEqual([{ key: 'often', count: 1_000 }])
    expect(counts.top(Infinity).length).toBeLessThanOrEqual(20)
  })
})

describe('MinuteCounts', () => {
  it('counts by minute, also before 1970, oldest first', () => {
    const counts = new MinuteCounts()
    for (const timeMs of [120_000, 60_000, 119_999, 59_999, -1]) counts.add(timeMs)
    expect(counts.newest(10)).toEqual([
      { key: -60_000, count: 1 },
      { key: 0, count: 1 },
      { key: 60_000, count: 2 },
      { key: 120_000, count: 1 },
    ])
    expect(counts.newest(1)).toEqual([{ key: 120_000, count: 1 }])
  })

  it('forgets the oldest when there are too many', () => {
    const counts = new MinuteCounts(8)
    for (let minute = 20; minute > 0; minute--) counts.add(minute * 60_000)
    for (let minute = 1; minute <= 20; minute++) counts.add(minute * 60_000)
    const kept = counts.newest(Infinity)
    expect(kept.length).toBeLessThanOrEqual(8)
    expect(kept.at(-1)).toEqual({ key: 20 * 60_000, count: 2 })
  })
})
