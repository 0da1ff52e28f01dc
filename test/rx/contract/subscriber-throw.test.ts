// A throw in a subscriber: RxJS reports it on a timer, as an exception of the process, which ends
// before the record is committed. So it happens in a process of its own.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

interface Told {
  readonly seen: number[]
  readonly committed: number | undefined
  readonly exit: number | null
  readonly errors: string
}

function run(dataDir: string, mode: 'throw' | 'survive' | 'read'): Promise<Told> {
  const child = spawn(process.execPath, [new URL('throwing-child.ts', import.meta.url).pathname, dataDir, mode])
  let out = ''
  let errors = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  return new Promise((resolve) => {
    child.on('close', (exit) => {
      const lines = out.trim().split('\n')
      const seen = lines.filter((line) => line.startsWith('seen ')).map((line) => Number(line.slice(5)))
      const committed = lines.find((line) => line.startsWith('committed '))?.slice(10)
      resolve({ seen, committed: committed === undefined ? undefined : Number(committed), exit, errors })
    })
  })
}

test('a throw in a subscriber ends the process, and its record comes again', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-throw-'))
  try {
    const first = await run(dataDir, 'throw')
    expect(first.exit).not.toBe(0)
    expect(first.errors).toContain('thrown at 20')
    expect(first.seen.at(-1)).toBeGreaterThanOrEqual(20)
    const second = await run(dataDir, 'read')
    expect([second.exit, second.errors]).toEqual([0, ''])
    // All before it were settled in the turns before; what was committed of them depends on the time.
    expect(second.seen[0]).toBeLessThanOrEqual(20)
    expect(second.seen).toContain(20)
    expect(second.seen.at(-1)).toBe(99)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}, 60_000)

test('a process that survives it has settled the record', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-survive-'))
  try {
    const first = await run(dataDir, 'survive')
    expect([first.exit, first.committed]).toEqual([0, 100])
    expect(first.seen).toHaveLength(100)
    const second = await run(dataDir, 'read')
    expect(second.seen).toEqual([])
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}, 60_000)
