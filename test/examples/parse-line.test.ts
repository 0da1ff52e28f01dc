import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLine } from '../../examples/user-activity/parse-line.ts'

const LINE = '83.149.9.216 - frank [17/May/2015:10:05:03 +0200] "GET /a.png?x=1 HTTP/1.1" 200 2326 "http://ref/" "Mozilla/5.0 (X11; Linux)"'

function reasonOf(line: string): string {
  const result = parseLine(line)
  return 'malformed' in result ? result.malformed : 'not malformed'
}

describe('a line in the combined format', () => {
  it('is taken apart', () => {
    expect(parseLine(LINE)).toEqual({
      client: '83.149.9.216',
      timestampMs: Date.parse('2015-05-17T08:05:03Z'),
      visit: {
        user: 'frank',
        method: 'GET',
        path: '/a.png?x=1',
        protocol: 'HTTP/1.1',
        status: 200,
        bytes: 2326,
        referrer: 'http://ref/',
        agent: 'Mozilla/5.0 (X11; Linux)',
      },
    })
  })

  it.each([
    [
      'a dash for no user, size, referrer, agent',
      '::1 - - [01/Jan/2024:00:00:00 +0000] "GET / HTTP/2.0" 304 - "-" "-"',
      { user: null, bytes: 0, referrer: null, agent: null },
    ],
    ['a user with a space', '::1 - a b [01/Jan/2024:00:00:00 +0000] "GET / HTTP/2.0" 304 - "-" "-"', { user: 'a b' }],
    [
      'escaped quotes',
      String.raw`::1 - - [01/Jan/2024:00:00:00 +0000] "GET /\"x HTTP/1.1" 200 1 "\\" "a \"b\" \\"`,
      { path: String.raw`/\"x`, referrer: String.raw`\\`, agent: String.raw`a \"b\" \\` },
    ],
    [
      'a request that is no request',
      String.raw`::1 - - [01/Jan/2024:00:00:00 +0000] "\x16\x03\x01" 400 0 "-" "-"`,
      { method: '', path: String.raw`\x16\x03\x01`, protocol: '' },
    ],
    ['a request that never came', '::1 - - [01/Jan/2024:00:00:00 +0000] "-" 408 0 "-" "-"', { method: '', path: '-', protocol: '' }],
    [
      'a path with spaces',
      '::1 - - [01/Jan/2024:00:00:00 +0000] "GET /a b c HTTP/1.0" 404 0 "-" "-"',
      { method: 'GET', path: '/a b c', protocol: 'HTTP/1.0' },
    ],
    ['HTTP/0.9', '::1 - - [01/Jan/2024:00:00:00 +0000] "GET /" 404 0 "-" "-"', { method: '', path: 'GET /', protocol: '' }],
    [
      'other characters than ASCII',
      '::1 - - [01/Jan/2024:00:00:00 +0000] "GET /ä HTTP/1.0" 404 0 "-" "日本"',
      { path: '/ä', agent: '日本' },
    ],
    ['more fields behind', `${LINE} 123 456`, { status: 200, agent: 'Mozilla/5.0 (X11; Linux)' }],
  ])('may have %s', (_, line, visit) => {
    expect(parseLine(line)).toMatchObject({ visit })
  })

  it('may be on the last second of a leap day, in any zone', () => {
    const line = LINE.replace('17/May/2015:10:05:03 +0200', '29/Feb/2024:23:59:59 -0530')
    expect(parseLine(line)).toMatchObject({ timestampMs: Date.parse('2024-03-01T05:29:59Z') })
  })
})

describe('a line in another format', () => {
  it.each([
    ['', 'the line is empty'],
    ['x', 'no client address'],
    [' - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "-"', 'no client address'],
    ['1.2.3.4 - -', 'no time in brackets'],
    ['1.2.3.4 [17/May/2015:10:05:03 +0000]', 'no time in brackets'],
    [LINE.replace('May', 'Mai'), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace('17/May', '32/May'), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace('17/May', '31/Jun'), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace('17/May/2015', '29/Feb/2015'), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace('10:05', '24:05'), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace('17/May/2015:10', '01/Jan/1970:00'), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace('+0200', '*0200'), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace(' +0200', ''), 'the time is not like [17/May/2015:10:05:03 +0000]'],
    [LINE.replace('"GET', 'GET'), 'no request in quotes'],
    [LINE.slice(0, 70), 'no request in quotes'],
    [LINE.replace(' 200 ', ' 20 '), 'the status is not a number of three digits'],
    [LINE.replace(' 200 ', ' OK '), 'the status is not a number of three digits'],
    [LINE.replace('1.1" 200', '1.1"200'), 'the status is not a number of three digits'],
    [LINE.replace(' 2326 ', ' -1 '), 'the size is neither a number nor "-"'],
    [LINE.replace(' 2326 ', ' 2k '), 'the size is neither a number nor "-"'],
    [LINE.slice(0, LINE.indexOf(' "http')), 'no referrer in quotes'],
    [LINE.slice(0, LINE.indexOf(' "Mozilla')), 'no user agent in quotes'],
    [LINE.slice(0, -1), 'no user agent in quotes'],
    [LINE.slice(0, -1) + '\\"', 'no user agent in quotes'],
  ])('%j: %s', (line, reason) => {
    expect(reasonOf(line)).toBe(reason)
  })

  it('never throws, whatever is in it', () => {
    const damaged = fc
      .tuple(fc.nat(LINE.length), fc.nat(20), fc.string({ unit: 'binary' }))
      .map(([at, length, text]) => LINE.slice(0, at) + text + LINE.slice(at + length))
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string({ unit: 'binary' })), (line) => {
        const result = parseLine(line)
        if ('malformed' in result) return result.malformed !== ''
        const { status, bytes } = result.visit
        return (
          result.client !== '' && Number.isSafeInteger(result.timestampMs) && Number.isSafeInteger(status) && Number.isSafeInteger(bytes)
        )
      }),
      { seed: 20150517, numRuns: 2_000 },
    )
  })
})

describe('the real log', () => {
  it('has 10,000 lines of 1,753 clients, and one whose end is missing', () => {
    const log = gunzipSync(readFileSync(new URL('../../examples/data/access.log.gz', import.meta.url)))
    const lines = log.toString().trimEnd().split('\n')
    const bad = lines.flatMap((line, at) => (reasonOf(line) === 'not malformed' ? [] : [`${at + 1}: ${reasonOf(line)}`]))
    const clients = new Set(lines.map(parseLine).map((result) => ('client' in result ? result.client : '')))
    clients.delete('')
    expect(lines).toHaveLength(10_000)
    expect(clients.size).toBe(1_753)
    expect(bad).toEqual(['8899: no user agent in quotes'])
  })
})
