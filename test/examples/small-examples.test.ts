import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { runExample } from './run-example.ts'

function source(path: string): string {
  return readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8')
}

/** What the comment at the end of an example says it prints. */
function promisedOutput(path: string): string {
  const [, comment] = source(path).split('// Output:\n')
  return comment!.replaceAll(/^\/\/ /gm, '')
}

vi.setConfig({ testTimeout: 60_000 })

describe.each(['hello/main.ts', 'any-thread/main.ts', 'log-file/main.ts'])('examples/%s', (path) => {
  it('prints what it says, and ends by itself', async () => {
    expect(await runExample(path)).toMatchObject({ code: 0, stdout: promisedOutput(path) })
  })
})

it('a log file takes less than 60 lines', () => {
  expect(source('log-file/main.ts').split('\n').length).toBeLessThan(60)
})

it('a thread of the user takes less than 60 lines', () => {
  for (const path of ['any-thread/main.ts', 'any-thread/sensor-thread.ts', 'any-thread/readings.ts']) {
    expect(source(path).split('\n').length).toBeLessThan(60)
  }
})
