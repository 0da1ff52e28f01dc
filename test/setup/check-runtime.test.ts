import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

// A project folder with the check in it, with and without the pinned runtime.
const root = mkdtempSync(join(tmpdir(), 'millrace-runtime-'))
mkdirSync(join(root, '.ci'))
const check = join(root, '.ci', 'check-runtime.mjs')
cpSync(fileURLToPath(new URL('../../.ci/check-runtime.mjs', import.meta.url)), check)
const pinned = join(root, 'node_modules', 'node', 'bin')

afterAll(() => rmSync(root, { recursive: true, force: true }))

function run(version: string): { status: number | null; stderr: string } {
  const pretend = `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { node: '${version}' } }); Object.defineProperty(process, 'version', { value: 'v${version}' })`,
  )}`
  const { status, stderr } = spawnSync(process.execPath, ['--import', pretend, check], { encoding: 'utf8' })
  return { status, stderr }
}

describe('the check before start and test', () => {
  test('stops and says how to get the pinned runtime when it is missing', () => {
    rmSync(pinned, { recursive: true, force: true })
    expect(run('24.1.0')).toMatchObject({ status: 1, stderr: expect.stringMatching(/npm ci[\s\S]*install scripts allowed/) as string })
    expect(run('20.20.2')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/needs Node\.js 22\.22 or later; this is v20\.20\.2[\s\S]*npm ci/) as string,
    })
  })

  test('stops an old runtime, lets one pass that is new enough', () => {
    mkdirSync(pinned, { recursive: true })
    writeFileSync(join(pinned, process.platform === 'win32' ? 'node.exe' : 'node'), '')
    expect(run('20.20.2')).toMatchObject({ status: 1, stderr: expect.stringContaining('start it through npm') as string })
    expect(run('22.21.9').status).toBe(1)
    for (const version of ['22.22.0', '22.23.3', '24.0.0', '26.10.0', '100.0.0'])
      expect(run(version), version).toEqual({ status: 0, stderr: '' })
  })

  test('can be parsed by an old Node.js: plain syntax only', () => {
    // ES2018: no optional chaining, no nullish coalescing, no private names.
    const text = execFileSync(
      process.execPath,
      ['-e', `process.stdout.write(require('node:fs').readFileSync(${JSON.stringify(check)}, 'utf8'))`],
      { encoding: 'utf8' },
    )
    expect(text).not.toMatch(/\?\.|\?\?|#\w|await using|\d_\d/)
  })
})
