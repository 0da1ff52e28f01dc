import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ExampleRun } from './run-example.ts'
import { runExample, startExample } from './run-example.ts'

const RUN_TIMEOUT_MS = 60_000
const LINES = 10_000
const KILLED_AT = 5_000

function count(text: string, pattern: RegExp): number {
  const [, digits] = pattern.exec(text) ?? []
  return digits === undefined ? Number.NaN : Number(digits.replaceAll(',', ''))
}

describe('examples/replay', () => {
  let run: ExampleRun

  beforeAll(async () => {
    run = await runExample('replay/main.ts')
  }, RUN_TIMEOUT_MS)

  it('proves that each line is there once, in its place', () => {
    expect(run.stderr).toBe('')
    expect(run.stdout).toContain('\nproven: each of the 10,000 lines is there once, in its place\n')
    expect(run.code).toBe(0)
  })

  it('kills its first writer in the middle, and the second one goes on where the log ends', () => {
    const acknowledged = count(run.stdout, /^writer 1 +killed \(SIGKILL\) when it had acknowledged ([\d,]+) lines$/m)
    const found = count(run.stdout, /^writer 2 +found ([\d,]+) lines in the log/m)
    expect(acknowledged).toBeGreaterThanOrEqual(KILLED_AT)
    expect(acknowledged).toBeLessThan(LINES)
    expect(found).toBeGreaterThanOrEqual(acknowledged)
    expect(found).toBeLessThan(LINES)
    expect(count(run.stdout, /^ +went on with line ([\d,]+), up to line 10,000$/m)).toBe(found + 1)
  })

  it('replays from a time that the log holds', () => {
    const replayed = count(run.stdout, /^replay +from 2015-05-19 00:00: ([\d,]+) lines, from offset [\d,]+ on,$/m)
    const offset = count(run.stdout, /^replay .* from offset ([\d,]+) on,$/m)
    expect(offset).toBeGreaterThan(0)
    expect(replayed).toBe(LINES - offset)
    expect(run.stdout).toMatch(/^ +\S+ - - \[19\/May\/2015:00:/m)
  })

  it('leaves no data directory behind', () => {
    const [, dataDir] = /go through a writer to (\S+)\n/.exec(run.stdout)!
    expect(existsSync(dataDir!)).toBe(false)
  })
})

describe('its writer', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'replay-writer-'))
  afterAll(() => rmSync(dataDir, { recursive: true }))

  it('starts behind what the log holds, and takes the same input again', { timeout: RUN_TIMEOUT_MS }, async () => {
    const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`)
    const first = startExample('replay/writer.ts', [dataDir])
    first.write(`${lines.join('\n')}\n`)
    await first.printed('acknowledged 250\n')
    first.endInput()
    expect(await first.finished).toMatchObject({ code: 0, stdout: 'found 0\nacknowledged 250\nacknowledged 300\n' })
    const again = await runExample('replay/writer.ts', [dataDir], `${[...lines, 'one more'].join('\n')}\n`)
    expect(again).toMatchObject({ code: 0, stdout: 'found 300\nacknowledged 301\n' })
  })
})
