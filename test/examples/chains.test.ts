import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { runExample } from './run-example.ts'

const LOG = gunzipSync(readFileSync(new URL('../../examples/data/access.log.gz', import.meta.url)))
  .toString()
  .trimEnd()
  .split('\n')
const HALF_DAY_MS = 12 * 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'chains-'))
afterAll(() => rmSync(folder, { recursive: true }))

vi.setConfig({ testTimeout: 90_000 })

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function line(time: string, path: string, status = 200): string {
  return `10.0.0.1 - - [${time} +0000] "GET ${path} HTTP/1.1" ${status} 1 "-" "x"`
}

/** The rows of at least 20 requests, as plain arithmetic over the lines has them: the time, the section, requests, and errors in per cent. */
function expectedRows(): string[] {
  const rows = new Map<string, { requests: number; errors: number }>()
  for (const text of LOG) {
    const [, day, time, path, status] = /\[(\d+)\/May\/2015:([\d:]+) \+0000\] "\S+ (\S+) [^"]*" (\d+) \S+ "[^"]*" "[^"]*"$/.exec(text) ?? []
    if (path === undefined) continue
    const startMs = Math.floor(Date.parse(`2015-05-${day}T${time}Z`) / HALF_DAY_MS) * HALF_DAY_MS
    const section = path.split('?', 1)[0]!.split('/').length > 2 && !path.startsWith('//') ? `/${path.split('/', 2)[1]}/` : '/'
    const id = `${new Date(startMs).toISOString().slice(0, 16).replace('T', ' ')} ${section}`
    const row = rows.get(id) ?? { requests: 0, errors: 0 }
    rows.set(id, { requests: row.requests + 1, errors: row.errors + (Number(status) >= 400 ? 1 : 0) })
  }
  return [...rows]
    .filter(([, { requests }]) => requests >= 20)
    .map(([id, { requests, errors }]) => `${id} ${requests} ${((100 * errors) / requests).toFixed(1)}`)
    .sort()
}

/** The rows of the table; a time that is not repeated is that of the row above. */
function shownRows(table: string): string[] {
  let from = ''
  const rows: string[] = []
  for (const [, time = '', section, requests, rate] of table.matchAll(/^(.{16}) {2}(\/\S*) +([\d,]+) +([\d.]+) %$/gm)) {
    from = time.trim() || from
    rows.push(`${from} ${section} ${requests} ${rate}`)
  }
  return rows.sort()
}

describe('examples/log-aggregation', () => {
  it('shows the error rate of each section and window as plain arithmetic has it, and misses no line', async () => {
    const { code, stdout, stderr } = await runExample('log-aggregation/main.ts')
    expect(stderr).toBe('')
    expect(stdout).toContain('10,000 lines of www-1.log, www-2.log, www-3.log\n')
    expect(shownRows(stdout)).toEqual(expectedRows())
    expect(stdout).toMatch(/^malformed:\n {2}www-\d: no user agent in quotes\n\n9,999 counted \+ 0 late \+ 1 malformed = all lines\n$/m)
    expect(code).toBe(0)
  })

  it('takes files, plain and compressed, in the order of their times, and tells what came late', async () => {
    const early = Array.from({ length: 20 }, (_, at) => line(`17/May/2015:10:00:${at + 10}`, '/a/b', at < 5 ? 500 : 200))
    const plain = file('one.log', [line('18/May/2015:10:00:00', '/a/b'), line('17/May/2015:10:00:00', '/a/b')].join('\n'))
    const packed = file('two.gz', gzipSync([...early, 'rubbish \u001b[31m'].join('\r\n')))
    const { code, stdout } = await runExample('log-aggregation/main.ts', [plain, packed])
    expect(stdout).toContain('23 lines of one.log, two.gz\n')
    expect(shownRows(stdout)).toEqual(['2015-05-17 00:00 /a/ 20 25.0'])
    expect(stdout).toContain('two.gz: no time in brackets\n\n21 counted + 1 late + 1 malformed = all lines\n')
    expect(code).toBe(0)
  })
})

describe('examples/monitoring', () => {
  it('fires an alert under load, resolves it, and comes to the same when the samples are read again', async () => {
    const { code, stdout, stderr } = await runExample('monitoring/main.ts')
    expect(stderr).toBe('')
    const alerts = [...stdout.matchAll(/^(\d\d:\d\d:\d\d\.\d{3}) {2}(firing|resolved) +event loop delay, ms: ([\d.]+), /gm)]
    expect(alerts.length).toBeGreaterThanOrEqual(2) // more on a machine that is busy anyway
    for (const [at, [, , state, mean]] of alerts.entries()) {
      expect(state).toBe(at % 2 === 0 ? 'firing' : 'resolved')
      if (at % 2 === 0) expect(Number(mean)).toBeGreaterThanOrEqual(100)
      else expect(Number(mean)).toBeLessThanOrEqual(50)
    }
    expect(stdout).toMatch(/^(\d+) of \1 samples, read again, give the same alerts\n$/m)
    expect(code).toBe(0)
  })
})

describe('examples/services', () => {
  it('bills each order once, and puts aside what can never be billed', async () => {
    const isPoison = LOG.map((text) => /" \d{3} - "/.test(text))
    const poison = isPoison.filter(Boolean).length
    const askedTwice = isPoison.filter((isOne, at) => !isOne && (at + 1) % 100 === 0).length
    const { code, stdout, stderr } = await runExample('services/main.ts')
    expect(stderr).toBe('')
    expect(stdout).toContain(`10000 orders; ${askedTwice} times the bank was asked once more\n`)
    expect(stdout).toContain(`${10_000 - poison} invoices, 27.47 in all\n${poison} dead letters: it has no size\n`)
    expect(stdout).toContain('proven: each order has one invoice or one dead letter\n')
    expect(code).toBe(0)
  })
})

it('a chain takes less than a hundred lines', () => {
  for (const path of ['log-aggregation/main.ts', 'monitoring/main.ts', 'services/main.ts', 'services/billing.ts', 'services/shop.ts']) {
    const source = readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8')
    expect(source.trimEnd().split('\n').length).toBeLessThan(100)
  }
})
