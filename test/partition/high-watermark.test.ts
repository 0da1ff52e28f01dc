import { expect, test } from 'vitest'
import { highWatermark } from '../../src/partition/high-watermark.ts'

test('the watermark is the least durable end of the in-sync replicas', () => {
  expect(highWatermark(0, [5])).toBe(5)
  expect(highWatermark(2, [9, 4, 7])).toBe(4)
})

test('it never moves back, and stays without replicas', () => {
  expect(highWatermark(6, [4, 9])).toBe(6)
  expect(highWatermark(6, [])).toBe(6)
})
