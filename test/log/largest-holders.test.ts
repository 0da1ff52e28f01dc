import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LargestHolders } from '../../src/log/largest-holders.ts'

function holdings(granules: number[]): { slotsHigh(): number; takeable(slot: number): number; looks: number } {
  return {
    slotsHigh: () => granules.length,
    looks: 0,
    takeable(slot) {
      this.looks++
      return granules[slot]!
    },
  }
}

describe('the victim of memory retention', () => {
  test('is nobody when nobody holds anything', () => {
    expect(new LargestHolders().choose(holdings([0, 0, 0]))).toBe(-1)
  })

  test('is always one that holds most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 100 }),
        (granules, growths) => {
          const holders = new LargestHolders()
          const table = holdings(granules)
          for (let i = 0; i < 300 && granules.some((held) => held > 0); i++) {
            holders.startRound()
            const victim = holders.choose(table)
            const most = Math.max(...granules)
            expect(granules[victim]).toBe(most)
            granules[victim]!--
            if (i < growths.length) granules[growths[i]! % granules.length]!++
          }
        },
      ),
      { seed: 99, numRuns: 200 },
    )
  })

  test('equals give in turn', () => {
    const granules = new Array<number>(100).fill(3)
    const holders = new LargestHolders()
    const table = holdings(granules)
    const victims: number[] = []
    for (let i = 0; i < 100; i++) {
      holders.startRound()
      const victim = holders.choose(table)
      victims.push(victim)
      granules[victim]!--
    }
    expect(new Set(victims).size).toBe(100)
  })

  test('ten thousand small ones are not looked through for each', () => {
    const granules = new Array<number>(10_000).fill(1)
    const holders = new LargestHolders()
    const table = holdings(granules)
    for (let i = 0; i < 1_000; i++) {
      holders.startRound()
      granules[holders.choose(table)]!--
    }
    expect(table.looks / 1_000).toBeLessThan(400)
  })

  test('one that cannot give is passed over for the round, and a round looks once', () => {
    const granules = [5, 4]
    const holders = new LargestHolders()
    const table = holdings(granules)
    holders.startRound()
    expect(holders.choose(table)).toBe(0)
    holders.exclude(0)
    expect(holders.choose(table)).toBe(1)
    holders.exclude(1)
    expect(holders.choose(table)).toBe(-1)
    holders.startRound()
    expect(holders.choose(table)).toBe(0)
  })

  test('one that could not give is asked again in the next round, also among thousands', () => {
    const granules = new Array<number>(5_000).fill(1)
    granules[70] = 9
    const holders = new LargestHolders()
    const table = holdings(granules)
    holders.startRound()
    expect(holders.choose(table)).toBe(70)
    holders.exclude(70)
    holders.startRound()
    expect(holders.choose(table)).toBe(70)
  })
})
