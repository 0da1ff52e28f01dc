import { expect, test } from 'vitest'
import { compilePattern } from '../../src/broker/topic-pattern.ts'

test('a pattern is of the whole name', () => {
  const pattern = compilePattern('clicks-eu|clicks-us')
  expect(['clicks-eu', 'clicks-us', 'clicks-asia', 'my-clicks-eu', 'clicks-eu-2'].filter((name) => pattern.matches(name))).toEqual([
    'clicks-eu',
    'clicks-us',
  ])
})

test('what is no pattern is refused', () => {
  expect(() => compilePattern('(clicks')).toThrow(expect.objectContaining({ code: 'INVALID_REGULAR_EXPRESSION' }))
})
