import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { CASES } from '../../benchmarks/cases.ts'

const BENCH = fileURLToPath(new URL('../../benchmarks/bench.ts', import.meta.url))

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [BENCH, ...args], { encoding: 'utf8', timeout: 30_000 })
}

describe('the command', () => {
  test('--help and --list end with 0', () => {
    const help = bench('--help')
    expect(help.status).toBe(0)
    for (const word of ['--only', '--small', '--compare', '--out', '--strict', '--kafka', '--soak-minutes', '130'])
      expect(help.stdout).toContain(word)
    const list = bench('--list')
    expect(list.status).toBe(0)
    expect(list.stdout.trim().split('\n')).toHaveLength(CASES.length)
  })

  test.each([['--bogus'], ['--only', 'S99'], ['--compare', 'there/is/no.json']])('%s %s is a usage error, 2', (...args) => {
    const { status, stderr } = bench(...args)
    expect(status).toBe(2)
    expect(stderr).toContain('npm run bench')
  })
})
