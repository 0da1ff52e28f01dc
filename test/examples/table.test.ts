import type { WriteStream } from 'node:tty'
import { describe, expect, it } from 'vitest'
import { ActivityCounts } from '../../examples/user-activity/activity-view.ts'
import { formatBytes, formatDuration, printable, sparkline } from '../../examples/user-activity/format.ts'
import type { TableState } from '../../examples/user-activity/table.ts'
import { missedPartitions, plainLine, ratesSince, tableLines, TerminalScreen } from '../../examples/user-activity/table.ts'

function state(elapsedMs: number, ...readRecords: number[]): TableState {
  const rows = readRecords.map((read, partition) => ({
    partition,
    leader: `broker ${partition % 3}`,
    consumer: `consumer ${partition % 2}`,
    startOffset: 0,
    endOffset: 2_000,
    readRecords: read,
  }))
  const views = new ActivityCounts().add({ key: '10.0.0.1', timestamp: 0, value: { path: '/\u001b[2Jhome' } })
  return { elapsedMs, rows, views, notes: [] }
}

describe('the live table', () => {
  it('has a row for each partition: leader, consumer, records, lag, rate', () => {
    const before = state(1_000, 500, 1_000)
    const now = state(1_500, 1_000, 2_000)
    const lines = tableLines(now, ratesSince(before, now))
    expect(lines[2]!.split(/ {2,}/)).toEqual(['partition', 'leader thread', 'consumer thread', 'records', 'lag', 'records/s'])
    expect(lines[3]!.split(/ {2,}/)).toEqual(['0', 'broker 0', 'consumer 0', '1,000', '1,000', '1,000'])
    expect(lines[4]!.split(/ {2,}/)).toEqual(['1', 'broker 1', 'consumer 1', '2,000', '0', '2,000'])
    expect(lines[5]!.split(/ {2,}/)).toEqual(['all', '3,000', '1,000', '3,000'])
  })

  it('notices when a consumer stands still behind the start of the log', () => {
    const before = state(1_000, 500, 500, 500)
    const rows = state(1_500, 500, 501, 500).rows.map((row, at) => ({ ...row, startOffset: at < 2 ? 800 : 500 }))
    expect(missedPartitions(before, { ...before, rows })).toEqual([0])
    expect(missedPartitions(undefined, { ...before, rows })).toEqual([])
  })

  it('is one plain line in a pipe', () => {
    const now = state(2_000, 1_000, 2_000)
    expect(plainLine(now, ratesSince(undefined, now))).toBe('2.0 s: 3,000 records read, 1,500/s, lag 1,000, top page /\uFFFD[2Jhome (1)')
  })

  it('shows nothing of a log that could steer the terminal', () => {
    const hostile = 'a\u001b]0;title\u0007b\u009bc\u202ed\r\n'
    expect(printable(hostile, 100)).toBe('a\uFFFD]0;title\uFFFDb\uFFFDc\uFFFDd\uFFFD\uFFFD')
    expect(printable('x'.repeat(50), 10)).toBe('x'.repeat(9) + '…')
    expect(tableLines(state(0, 0), [0]).join('\n')).not.toContain('\u001b')
  })
})

/** As much of a terminal as the table uses: what is on it after `output`. */
function screenAfter(output: string): string[] {
  const lines = ['']
  let at = 0
  for (const [token] of output.replaceAll('\u001b', 'ESC').matchAll(/ESC\[\??\d*[A-Za-z]|[\s\S]/g)) {
    if (token === '\n') at++
    else if (/^ESC\[\d+A$/.test(token)) at = Math.max(0, at - Number(token.slice(4, -1)))
    else if (token === 'ESC[2K') lines[at] = ''
    else if (token === 'ESC[J') lines.length = at
    else if (token.length === 1 && token !== '\r') lines[at] += token
    lines[at] ??= ''
  }
  return lines
}

describe('TerminalScreen', () => {
  it('draws each table over the one before, within the height of the terminal', () => {
    let output = ''
    const stream = { rows: 30, columns: 100, write: (text: string) => (output += text) } as unknown as WriteStream
    const screen = new TerminalScreen(stream)
    const states = [state(1_000, 1, 2, 3), state(2_000, 5, 6, 7), state(3_000, 8, 9, 10)]
    screen.show(states[0]!)
    screen.show(states[1]!)
    expect(screenAfter(output)).toEqual([...tableLines(states[1]!, [4, 4, 4]), ''])
    stream.rows = 5
    screen.show(states[2]!)
    expect(screenAfter(output)).toEqual([...tableLines(states[2]!, [3, 3, 3]).slice(0, 4), ''])
  })
})

describe('numbers for people', () => {
  it('have units', () => {
    expect([950, 95_000, 12_345_678, 3e9].map(formatBytes)).toEqual(['950 B', '95 kB', '12.3 MB', '3.00 GB'])
    expect([0.4, 999, 1_500, 61_000].map(formatDuration)).toEqual(['0 ms', '999 ms', '1.5 s', '1 min 1 s'])
    expect(sparkline([0, 1, 4, 8])).toBe(' ▁▄█')
  })
})
