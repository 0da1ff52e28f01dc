import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LONGEST, rankOf } from './longest-first.ts'

test('every one of the longest is there, and comes before all others, in their order', () => {
  for (const name of LONGEST) expect(existsSync(new URL(`../${name}.test.ts`, import.meta.url)), name).toBe(true)
  expect(LONGEST.map((name) => rankOf(`/anywhere/test/${name}.test.ts`))).toEqual(LONGEST.map((_, at) => at))
  expect(rankOf('/anywhere/test/clock.test.ts')).toBe(LONGEST.length)
})
