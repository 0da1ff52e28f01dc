// What is said at the end: times, counts, what was malformed, and the proof.

import type { ActivityCounts, ActivitySnapshot } from './activity-view.ts'
import type { LedgerTotals } from './client-ledger.ts'
import { addTotals, EMPTY_TOTALS, sameTotals } from './client-ledger.ts'
import type { Count } from './counts.ts'
import { formatBytes, formatCount, formatDuration, formatMinute, formatNumber, perSecond, printable, sparkline } from './format.ts'
import type { ConsumerReport, ProducerReport } from './messages.ts'

export const MALFORMED_SHOWN_MAX = 10
const TOP = 5
const CHART_COLUMNS = 60
const MINUTE_MS = 60_000

/** A record of the dead-letter topic. */
export interface MalformedRecord {
  readonly input: string
  readonly line: string
  readonly reason: string
  readonly text: string
}

export interface RunResult {
  readonly inputs: readonly string[]
  readonly repeat: number
  readonly lines: number
  /** Unpacked. */
  readonly inputBytes: number
  readonly endedEarly: boolean
  /** What went wrong, if that is why the input ended early. */
  readonly inputFailure: string | undefined
  /** From the first byte read to the last record read. */
  readonly elapsedMs: number
  readonly producers: readonly ProducerReport[]
  /** Of the consumer threads that lived to the end. */
  readonly consumers: readonly ConsumerReport[]
  /** What all consumer threads have read. */
  readonly read: LedgerTotals
  /** What became of threads on the way. */
  readonly notes: readonly string[]
  readonly views: ActivityCounts
  /** How many records the dead-letter topic took, and the first of those it holds. */
  readonly malformedEndOffset: number
  readonly malformedShown: readonly MalformedRecord[]
}

export function summaryLines(result: RunResult): string[] {
  return [
    ...inputLines(result),
    '',
    ...speedLines(result),
    '',
    ...viewLines(result.views),
    ...malformedLinesOf(result),
    ...(result.notes.length > 0 ? ['', ...result.notes] : []),
    '',
    ...proofLines(result),
  ]
}

/** Every line is accounted for, and producers and consumers agree on all of them. */
export function isProven(result: RunResult): boolean {
  const malformed = malformedCount(result)
  const offered = totalsOf(result.producers)
  return result.lines === offered.records + malformed && result.malformedEndOffset === malformed && sameTotals(offered, result.read)
}

function inputLines({ inputs, repeat, lines, inputBytes, endedEarly }: RunResult): string[] {
  const names = inputs.map((name) => printable(name, 200)).join(', ')
  const times = repeat > 1 ? `, ${formatNumber(repeat)} times` : ''
  return [`${formatCount(lines, 'line')} (${formatBytes(inputBytes)}) from ${names}${times}${endedEarly ? ', ended early' : ''}`]
}

/** Each stage by the clock of its busiest thread: what it could do if it were alone. */
function speedLines({ lines, producers, consumers, elapsedMs }: RunResult): string[] {
  const parseMs = Math.max(...producers.map((report) => report.parseMs))
  const offerMs = Math.max(...producers.map((report) => report.offerMs))
  const readMs = Math.max(...consumers.map((report) => report.readMs))
  const waitedMs = Math.max(...producers.map((report) => report.waitedMs))
  const records = totalsOf(producers).records
  const waited = waitedMs >= 1 ? ` (waited ${formatDuration(waitedMs)} for consumers)` : ''
  return [
    `parse       ${speed(lines, 'lines', parseMs)}  on ${formatCount(producers.length, 'thread')}`,
    `log, write  ${speed(records, 'records', offerMs)}  encoded, offered, acked${waited}`,
    `log, read   ${speed(records, 'records', readMs)}  decoded, counted on ${formatCount(consumers.length, 'thread')}`,
    `all of it   ${speed(lines, 'lines', elapsedMs)}  first byte in to last record read`,
  ]
}

function speed(count: number, what: string, ms: number): string {
  return `${formatNumber(perSecond(count, ms)).padStart(10)} ${`${what}/s`.padEnd(10)} ${formatDuration(ms).padStart(7)}`
}

function viewLines(views: ActivityCounts): string[] {
  const all = views.snapshot(Number.POSITIVE_INFINITY)
  if (all.views === 0) return ['no page views']
  const busiest = all.minutes.reduce((most, minute) => (minute.count > most.count ? minute : most))
  const spanMinutes = Math.floor(all.lastMs / MINUTE_MS) - Math.floor(all.firstMs / MINUTE_MS) + 1
  return [
    `views a minute  ${(all.views / spanMinutes).toFixed(1)} on average, ${formatNumber(busiest.count)} in the busiest (${formatMinute(busiest.key)} UTC)`,
    `                ${chart(all)}`,
    `                ${formatMinute(all.firstMs)} to ${formatMinute(all.lastMs)}`,
    '',
    `${'top pages'.padEnd(48)}${'busiest clients'}`,
    ...sideBySide(all.pages, all.clients),
  ]
}

/** The minutes that are known, from the first to the last, drawn in a line. */
function chart({ minutes }: ActivitySnapshot): string {
  const firstMs = minutes[0]!.key
  const columnMs = Math.max(MINUTE_MS, (minutes.at(-1)!.key - firstMs + MINUTE_MS) / CHART_COLUMNS)
  const columns = new Array<number>(Math.min(CHART_COLUMNS, Math.ceil((minutes.at(-1)!.key - firstMs + MINUTE_MS) / columnMs))).fill(0)
  for (const { key, count } of minutes) columns[Math.floor((key - firstMs) / columnMs)]! += count
  return sparkline(columns)
}

function sideBySide(pages: readonly Count<string>[], clients: readonly Count<string>[]): string[] {
  const cell = (entry: Count<string> | undefined): string =>
    entry === undefined ? '' : `${formatNumber(entry.count).padStart(8)}  ${printable(entry.key, 36)}`
  const rows = Math.min(TOP, Math.max(pages.length, clients.length))
  return Array.from({ length: rows }, (_, at) => (cell(pages[at]).padEnd(48) + cell(clients[at])).trimEnd())
}

function malformedLinesOf(result: RunResult): string[] {
  const count = malformedCount(result)
  if (count === 0) return []
  const shown = result.malformedShown.map(
    ({ input, line, reason, text }) => `  ${printable(input, 200)}:${line}: ${reason}: ${printable(text, 40)}`,
  )
  const more = count - shown.length
  if (more > 0) shown.push(`  and ${formatNumber(more)} more`)
  return ['', `malformed lines: ${formatNumber(count)}, kept in the topic user_activity.malformed`, ...shown]
}

function proofLines(result: RunResult): string[] {
  const offered = totalsOf(result.producers)
  const { read } = result
  const malformed = malformedCount(result)
  const verdict = isProven(result)
    ? 'proven: every line arrived once, and in order within its client'
    : `FAILED: ${formatCount(read.missing, 'record')} missing in between, ${formatNumber(read.repeated)} doubled or out of order, or the counts above differ`
  return [
    `lines       ${formatNumber(result.lines)} = ${formatCount(offered.records, 'page view')} + ${formatNumber(malformed)} malformed`,
    `offered     ${totalsLine(offered)}`,
    `read        ${totalsLine(read)}`,
    verdict,
  ]
}

function totalsLine({ records, clients, checksum }: LedgerTotals): string {
  return `${formatCount(records, 'record')} of ${formatCount(clients, 'client')}, checksum ${checksum.toString(16).padStart(8, '0')}`
}

function totalsOf(reports: readonly ProducerReport[]): LedgerTotals {
  return reports.map((report) => report.totals).reduce(addTotals, EMPTY_TOTALS)
}

function malformedCount({ producers }: RunResult): number {
  return producers.reduce((count, report) => count + report.malformed, 0)
}
