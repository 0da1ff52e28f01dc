import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { ExampleRun } from './run-example.ts'
import { runExample, startExample } from './run-example.ts'

const PROVEN = 'proven: every line arrived once, and in order within its client'
const LOG = gunzipSync(readFileSync(new URL('../../examples/data/access.log.gz', import.meta.url))).toString()
const folder = mkdtempSync(join(tmpdir(), 'user-activity-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function userActivity(args: readonly string[], input?: string | Uint8Array): Promise<ExampleRun> {
  return await runExample('user-activity/main.ts', args, input)
}

function line(client: string, second: number, path = '/'): string {
  const time = `17/May/2015:10:00:${String(second).padStart(2, '0')} +0000`
  return `${client} - - [${time}] "GET ${path} HTTP/1.1" 200 1 "-" "x"`
}

vi.setConfig({ testTimeout: 60_000 })

describe('npm start', () => {
  it('takes the real log through: every line, in order, with the right counts', async () => {
    const { code, stdout } = await userActivity([])
    expect(stdout).toMatch(/^partition +leader thread +consumer thread +records +lag +records\/s\n0 +broker 0 +consumer [01] /m)
    expect(stdout).toMatch(/^all +9,999 +0 +[\d,]+\n/m)
    expect(stdout).toContain('10,000 lines (2.4 MB) from examples/data/access.log.gz\n')
    expect(stdout).toContain('lines       10,000 = 9,999 page views + 1 malformed\n')
    expect(stdout.match(/9,999 records of 1,753 clients, checksum [0-9a-f]{8}\n/g)).toHaveLength(2)
    expect(stdout).toMatch(/ 807 {2}\/favicon\.ico +482 {2}66\.249\.73\.135\n/)
    expect(stdout).toMatch(/views a minute {2}2\.0 on average, .*\n.*\n +2015-05-17 10:05 to 2015-05-20 21:05\n/)
    expect(stdout).toContain('access.log.gz:8899: no user agent in quotes: 46.118.127.106 - - [20/May/2015:12:05:1')
    expect(stdout).toContain(PROVEN)
    expect(stdout).not.toContain('\u001b')
    expect(code).toBe(0)
  })

  it('shows how to use it, and says what it did not understand', async () => {
    expect(await userActivity(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('npm start -- [options] [file ...]') })
    expect(await userActivity(['--repaet', '3'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining("Unknown option '--repaet'"),
    })
    expect(await userActivity(['no-such.log'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('no-such.log: there is no such file'),
    })
  })
})

describe('input', () => {
  it('may be several files, plain and compressed, and standard input, in the order they are named', async () => {
    const plain = file('plain.log', `${line('a', 1)}\n${line('b', 1)}\n`)
    const packed = file('packed', gzipSync(`${line('a', 2)}\r\n${line('c', 2)}`))
    const { code, stdout } = await userActivity([plain, '-', packed], `${line('a', 3)}\n`)
    expect(stdout).toContain(`5 lines (330 B) from ${plain}, standard input, ${packed}\n`)
    expect(stdout.match(/5 records of 3 clients, checksum [0-9a-f]{8}\n/g)).toHaveLength(2)
    expect(stdout).toContain(PROVEN)
    expect(code).toBe(0)
  })

  it('may be compressed on standard input, repeated, and have one client only', async () => {
    const lines = Array.from({ length: 200 }, (_, at) => line('10.0.0.1', at % 60))
    const { code, stdout } = await userActivity(['-', '--repeat', '50', '--producers', '3', '--consumers', '5'], gzipSync(lines.join('\n')))
    expect(stdout).toContain('from standard input, 50 times\n')
    expect(stdout.match(/10,000 records of 1 client,/g)).toHaveLength(2)
    expect(stdout).toContain('2015-05-17 10:00 to 2015-05-17 10:49') // 50 times 59 seconds
    expect(stdout).toContain(PROVEN)
    expect(code).toBe(0)
  })

  it('may be empty', async () => {
    const { code, stdout } = await userActivity([file('empty.log', '')])
    expect(stdout).toContain('lines       0 = 0 page views + 0 malformed')
    expect(stdout).toContain('no page views')
    expect(code).toBe(0)
  })

  it('may hold lines that are no log: counted, shown, kept, and never fatal', async () => {
    const bad = Array.from({ length: 20 }, (_, at) => `rubbish ${at} \u001b[31m`)
    const long = `${line('a', 3)}${'x'.repeat(100_000)}`
    const path = file('bad.log', [line('a', 1), ...bad, '', long, line('a', 4)].join('\n'))
    const { code, stdout } = await userActivity([path, '--repeat', '2'])
    expect(stdout).toContain('lines       48 = 4 page views + 44 malformed')
    expect(stdout).toContain('malformed lines: 44, kept in the topic user_activity.malformed')
    expect(stdout.match(/bad\.log:\d+: /g)).toHaveLength(10)
    expect(stdout).toContain('and 34 more')
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toContain(PROVEN)
    expect(code).toBe(0)
  })

  it('that is damaged is read up to there, and said to be', async () => {
    const packed = gzipSync(LOG)
    const { code, stdout, stderr } = await userActivity([file('cut.gz', packed.subarray(0, packed.length / 2))])
    expect(stderr).toMatch(/the input ended too early: .*cut\.gz: after line \d+: unexpected end of file/)
    expect(stdout).toContain(PROVEN)
    expect(code).toBe(1)
  })

  it('that never ends is ended by Ctrl-C, and summed up', async () => {
    const example = startExample('user-activity/main.ts', ['-'])
    example.write(`${line('a', 1)}\n${line('b', 2)}\n`)
    await example.printed('2 records read')
    example.interrupt()
    const { code, stdout, stderr } = await example.finished
    expect(stderr).toContain('The input ends here')
    expect(stdout).toContain('2 lines (132 B) from standard input, ended early')
    expect(stdout).toContain('2 records of 2 clients')
    expect(stdout).toContain(PROVEN)
    expect(code).toBe(0)
  })
})

describe('an input larger than log memory', () => {
  it('is not missed anywhere: producers wait for the slowest consumer', async () => {
    const lines = Array.from({ length: 1_000 }, (_, at) => line(`10.0.0.${at % 40}`, at % 60, `/${'x'.repeat(4_000)}${at % 7}`))
    const path = file('long.log', lines.join('\n'))
    const { code, stdout } = await userActivity([path, '--repeat', '50', '--log-memory-mib', '128'])
    expect(stdout).toContain('lines       50,000 = 50,000 page views + 0 malformed') // of more than 4,000 bytes: 200 MB
    expect(stdout.match(/50,000 records of 40 clients/g)).toHaveLength(2)
    expect(stdout).toMatch(/\(waited .* for consumers/)
    expect(stdout).toContain(PROVEN)
    expect(code).toBe(0)
  })
})
