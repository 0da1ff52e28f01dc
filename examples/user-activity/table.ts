// What is seen while it runs: a table that stays in its place on a terminal, and a
// plain line every second where the output is a pipe or a file.

import type { WriteStream } from 'node:tty'
import { formatCount, formatDuration, formatNumber, perSecond, printable, sparkline } from './format.ts'
import type { ActivityCounts } from './activity-view.ts'

export interface PartitionRow {
  readonly partition: number
  /** The broker thread that leads it. */
  readonly leader: string
  /** The consumer thread that reads it. */
  readonly consumer: string
  readonly startOffset: number
  readonly endOffset: number
  readonly readRecords: number
}

export interface TableState {
  readonly elapsedMs: number
  readonly rows: readonly PartitionRow[]
  readonly views: ActivityCounts
  /** What became of threads on the way. */
  readonly notes: readonly string[]
}

export interface Screen {
  show(state: TableState): void
  /** With the state at the end, and the rates of the whole time. */
  close(state: TableState): void
}

export const TERMINAL_REFRESH_MS = 200
export const PLAIN_REFRESH_MS = 1_000
const NOTES_SHOWN_MAX = 3

export function isLiveTerminal(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb'
}

/** Records a second of each partition since the state before. */
export function ratesSince(before: TableState | undefined, now: TableState): number[] {
  return now.rows.map((row, at) => {
    const elapsedMs = now.elapsedMs - (before?.elapsedMs ?? 0)
    return perSecond(row.readRecords - (before?.rows[at]?.readRecords ?? 0), elapsedMs)
  })
}

/**
 * Partitions whose oldest records went before they were read: the log starts behind the
 * reader, and the reader has not moved. (One that has moved is busy with a copy of them.)
 */
export function missedPartitions(before: TableState | undefined, now: TableState): number[] {
  const stuck = now.rows.filter(
    ({ startOffset, readRecords }, at) => startOffset > readRecords && before?.rows[at]?.readRecords === readRecords,
  )
  return stuck.map((row) => row.partition)
}

export function tableLines(state: TableState, rates: readonly number[]): string[] {
  const { minutes, pages, clients } = state.views.snapshot(40)
  return [
    `user_activity, ${formatDuration(state.elapsedMs)}`,
    '',
    ...partitionLines(state, rates),
    '',
    `views a minute  ${sparkline(minutes.map((minute) => minute.count))}`,
    `top pages       ${counted(pages)}`,
    `busiest clients ${counted(clients)}`,
    ...state.notes.slice(-NOTES_SHOWN_MAX),
  ]
}

function partitionLines(state: TableState, rates: readonly number[]): string[] {
  const cells = state.rows.map((row, at) => [
    String(row.partition),
    row.leader,
    row.consumer,
    formatNumber(row.readRecords),
    formatNumber(Math.max(0, row.endOffset - row.readRecords)),
    formatNumber(rates[at]!),
  ])
  const read = sum(state.rows.map((row) => row.readRecords))
  const ended = sum(state.rows.map((row) => row.endOffset))
  cells.push(['all', '', '', formatNumber(read), formatNumber(Math.max(0, ended - read)), formatNumber(sum(rates))])
  return [row('partition', 'leader thread', 'consumer thread', 'records', 'lag', 'records/s'), ...cells.map((line) => row(...line))]
}

export function plainLine(state: TableState, rates: readonly number[]): string {
  const read = sum(state.rows.map((row) => row.readRecords))
  const lag = Math.max(0, sum(state.rows.map((row) => row.endOffset)) - read)
  const [page] = state.views.snapshot(1).pages
  const busiest = page === undefined ? '' : `, top page ${printable(page.key, 40)} (${formatNumber(page.count)})`
  return `${formatDuration(state.elapsedMs)}: ${formatCount(read, 'record')} read, ${formatNumber(sum(rates))}/s, lag ${formatNumber(lag)}${busiest}`
}

export class TerminalScreen implements Screen {
  readonly #stream: WriteStream
  #before: TableState | undefined
  #shownLines = 0

  constructor(stream: WriteStream) {
    this.#stream = stream
  }

  show(state: TableState): void {
    this.#draw(tableLines(state, ratesSince(this.#before, state)))
    this.#before = state
  }

  close(state: TableState): void {
    this.#draw(tableLines(state, ratesSince(undefined, state)))
    this.#stream.write('\n')
  }

  #draw(table: readonly string[]): void {
    const { rows, columns } = this.#stream
    const lines = table.slice(0, Math.max(1, rows - 1)).map((line) => line.slice(0, columns))
    const up = this.#shownLines > 0 ? `${ESCAPE}[${this.#shownLines}A` : ''
    const frame = lines.map((line) => `${ESCAPE}[2K${line}\n`).join('')
    // No line may wrap, wide characters or not, or the next frame would not find its place.
    this.#stream.write(`${NO_WRAP}\r${up}${frame}${CLEAR_BELOW}${WRAP}`)
    this.#shownLines = lines.length
  }
}

export class PlainScreen implements Screen {
  readonly #stream: NodeJS.WritableStream
  #before: TableState | undefined

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
  }

  show(state: TableState): void {
    this.#stream.write(plainLine(state, ratesSince(this.#before, state)) + '\n')
    this.#before = state
  }

  close(state: TableState): void {
    this.#stream.write(partitionLines(state, ratesSince(undefined, state)).join('\n') + '\n\n')
  }
}

const ESCAPE = '\u001b'
const NO_WRAP = `${ESCAPE}[?7l`
const WRAP = `${ESCAPE}[?7h`
const CLEAR_BELOW = `${ESCAPE}[J`

const COLUMNS = [11, 15, 16, 14, 10, 12] as const
const LEFT_ALIGNED = 3

function row(...cells: readonly string[]): string {
  return cells.map((cell, at) => (at < LEFT_ALIGNED ? cell.padEnd(COLUMNS[at]!) : cell.padStart(COLUMNS[at]!))).join('')
}

function counted(counts: readonly { key: string; count: number }[]): string {
  return counts
    .slice(0, 3)
    .map(({ key, count }) => `${printable(key, 40)} (${formatNumber(count)})`)
    .join('  ')
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
