import { describe, expect, test } from 'vitest'
import { pairedRatio, quantile, slopeOf, spread, summarise } from '../../benchmarks/harness/statistics.ts'

describe('summaries of repetitions', () => {
  test('minimum, median and maximum, samples in the order of measuring', () => {
    expect(summarise([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3, samples: [3, 1, 2] })
    expect(summarise([4, 1, 2, 3]).median).toBe(2.5)
    expect(summarise([7])).toEqual({ min: 7, median: 7, max: 7, samples: [7] })
  })

  test('quantiles lie between neighbours in proportion', () => {
    const samples = [10, 20, 30, 40, 50]
    expect(quantile(samples, 0)).toBe(10)
    expect(quantile(samples, 0.25)).toBe(20)
    expect(quantile(samples, 0.9)).toBeCloseTo(46)
    expect(quantile(samples, 1)).toBe(50)
  })

  test('what is no number is refused, not averaged', () => {
    expect(() => summarise([])).toThrow(RangeError)
    expect(() => summarise([1, Number.NaN])).toThrow(RangeError)
    expect(() => summarise([1, Number.POSITIVE_INFINITY])).toThrow(RangeError)
    expect(() => quantile([1], 1.5)).toThrow(RangeError)
  })

  test('a ratio is taken repetition by repetition', () => {
    // The machine was half as fast in the second round: both halve, the ratio stays.
    expect(pairedRatio([20, 10, 20], [10, 5, 10])).toEqual({ min: 2, median: 2, max: 2, samples: [2, 2, 2] })
    expect(pairedRatio([20, 10], [10])?.samples).toEqual([2])
    expect(pairedRatio([], [])).toBeUndefined()
    expect(pairedRatio([1], [0])).toBeUndefined()
  })

  test('a slope is that of the nearest straight line', () => {
    expect(
      slopeOf([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toBe(2)
    expect(
      slopeOf([
        [0, 0],
        [1, 3],
        [2, 0],
        [3, 3],
      ]),
    ).toBeCloseTo(0.6)
    expect(slopeOf([[4, 7]])).toBe(0)
    expect(() => slopeOf([])).toThrow(RangeError)
  })

  test('spread is the range as a part of the median', () => {
    expect(spread(summarise([9, 10, 11]))).toBeCloseTo(0.2)
    expect(spread(summarise([0, 0]))).toBe(0)
  })
})
