// SIGKILL of a process that writes to a data directory, at random times under load, one generation after the
// other on the same directory: nothing that was acknowledged at `cache` or `disk` is lost, changed or doubled.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { killGenerations } from './process-kills.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 1_130)
const directories: string[] = []
afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

test.each([0, 1, 2, 3])(`ten kills on one directory, ${SEED} + %d`, { timeout: 120_000 }, async (round) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  directories.push(dataDir)
  const { kills, acknowledged, faults } = await killGenerations(dataDir, seededRandom(SEED + round), 10)
  expect(faults, `seed ${SEED + round}, kill ${kills}`).toEqual([])
  expect(kills).toBe(10)
  // Those that were killed before anything was acknowledged prove nothing.
  expect(acknowledged).toBeGreaterThan(200)
  console.log(`process kills, seed ${SEED + round}: ${kills} kills, ${acknowledged} acknowledged, 0 lost`)
})
