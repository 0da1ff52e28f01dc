// Every block of TypeScript in README.md and src/docs type-checks, and does what it says
// without an error.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROJECT_ROOT } from '../architecture/source-file.ts'
import type { ExampleResult } from './example-result.ts'
import { allExamples, examplesOf, writeExamples } from './examples.ts'

const examples = allExamples()
const running = examples.filter(({ runs }) => runs)
let folder: string
let project: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  project = writeExamples(folder, examples)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('there are examples on most pages, and most of them run', () => {
  expect(new Set(examples.map(({ at }) => at.split(':')[0])).size).toBeGreaterThan(7)
  expect(running.length).toBeGreaterThan(examples.length / 2)
})

test('they type-check', () => {
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', PROJECT_ROOT))
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
  // a line of an example has the number that it has on its page
  expect(stdout).toBe('')
}, 60_000)

describe('they run', () => {
  let results: ExampleResult[]

  beforeAll(() => {
    const runner = fileURLToPath(new URL('./run-examples.ts', import.meta.url))
    const output = execFileSync(process.execPath, [runner, folder, ...running.map(({ file }) => file)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 240_000,
    })
    results = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ExampleResult)
  }, 250_000)

  test.each(running)('$at', ({ file, code }) => {
    const result = results.find((each) => each.file === file)
    expect(result?.error).toBeNull()
    // `console.log(x) // 3` is what the page promises; "…" stands for more
    for (const promise of promisedLines(code))
      expect(
        result?.printed.some((line) => promise.test(line)),
        String(promise),
      ).toBe(true)
  })
})

function promisedLines(code: string): RegExp[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, said]) => {
    const literal = said!.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
    return new RegExp(`^${literal.replaceAll('…', '.*')}$`)
  })
}

describe('a page’s blocks', () => {
  const page = (...lines: string[]): string => lines.join('\n')

  test('are found, each line at its number, with what is given', () => {
    const text = page('# P', '', '<!-- given: const a = 1 -->', '```ts', 'log(a)', '```', 'text', '```ts continued', 'log(a + 1)', '```')
    const [example, ...others] = examplesOf('p.md', text)
    expect(others).toEqual([])
    expect(example).toMatchObject({ at: 'p.md:5', runs: true })
    expect(example!.code.split('\n')).toEqual(['export {}', '', '', '; const a = 1', 'log(a)', '', '', '', 'log(a + 1)', ''])
  })

  test('that are signatures are none, and those marked are not run', () => {
    const text = page('```ts signature', 'f(): void', '```', '```ts no-run', 'f()', '```', '```sh', 'ls', '```')
    expect(examplesOf('p.md', text)).toEqual([{ at: 'p.md:5', file: 'p-5.mts', code: 'export {}\n\n\n\nf()\n', runs: false }])
  })

  test('with a word that means nothing are refused', () => {
    expect(() => examplesOf('p.md', page('```ts norun', 'f()', '```'))).toThrow('p.md:1 says "norun"')
    expect(() => examplesOf('p.md', page('```ts continued', 'f()', '```'))).toThrow('goes on where no block ended')
  })

  test('what a console.log promises', () => {
    const [one, more] = promisedLines("console.log(a) // 1.5 (x)\nconsole.log('b') // there …\n")
    expect([one!.test('1.5 (x)'), one!.test('155 x'), more!.test('there is more'), more!.test('where')]).toEqual([true, false, true, false])
  })
})
