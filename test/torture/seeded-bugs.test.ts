// The tests of the tests: seeded bugs are found, and the source without them passes the
// same runs. Here those that are found at once; all of them: npm run torture:bugs.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MutatedCopy } from './mutated-copy.ts'
import type { Finding } from './mutated-copy.ts'
import { SEEDED_BUGS } from './seeded-bugs.ts'

const EVERYDAY = [
  'the answers of two batches are swapped',
  'an acknowledged offset is one too high',
  'a batch loses its last bytes on the way into the lane',
  'an extent is reused without a rest',
  'retention takes what is not committed',
]
const RUN_MS_MAX = 150_000

test.each(SEEDED_BUGS)('"$name" has one place in src/$file, and changes it', ({ file, find, replace }) => {
  expect(readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8').split(find)).toHaveLength(2)
  expect(replace).not.toBe(find)
})

test('they are as many as must be, each of its own', () => {
  expect(SEEDED_BUGS.length).toBeGreaterThanOrEqual(16)
  expect(new Set(SEEDED_BUGS.map(({ name }) => name)).size).toBe(SEEDED_BUGS.length)
})

describe('found at once', () => {
  const bugs = SEEDED_BUGS.filter(({ name }) => EVERYDAY.includes(name))
  const findings: Finding[] = []
  let copy: MutatedCopy

  beforeAll(() => {
    copy = new MutatedCopy()
  })

  afterAll(() => {
    copy.remove()
    const lines = findings.map(({ bug, by, finding, seconds }) => `${seconds.toFixed(1).padStart(6)} s  ${bug} | ${by} | ${finding}`)
    console.log(['seeded bugs, how soon each was found, by what:', ...lines].join('\n'))
  })

  test(
    'none, where there is none',
    async () => {
      for (const foundBy of new Map(bugs.map((bug) => [JSON.stringify(bug.foundBy), bug.foundBy])).values()) {
        expect(await copy.run({ name: 'none', file: '', find: '', replace: '', foundBy })).toMatchObject({ found: false, finding: '' })
      }
    },
    2 * RUN_MS_MAX,
  )

  test.each(bugs)(
    '$name',
    async (bug) => {
      copy.apply(bug)
      const finding = await copy.run(bug)
      copy.restore()
      findings.push(finding)
      expect(finding).toMatchObject({ found: true, finding: expect.stringMatching(/\S/) as string })
    },
    RUN_MS_MAX,
  )
})
