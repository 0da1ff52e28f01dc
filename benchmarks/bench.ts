// `npm run bench`: measures millrace beside what people use today, in one run on one machine.
// Runs on the main thread, which only opens, waits and writes; see harness/ for how it measures,
// cases/ for what, and README.md for how to read it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CASES } from './cases.ts'
import type { OpenContext } from './harness/bench-case.ts'
import { compareReports, renderComparison } from './harness/compare.ts'
import { describeMachine } from './harness/machine.ts'
import type { Machine } from './harness/machine.ts'
import {
  EXIT_FAILURE,
  EXIT_INTERRUPTED,
  EXIT_OK,
  EXIT_TARGET_MISSED,
  EXIT_USAGE,
  HELP,
  parseOptions,
  UsageError,
} from './harness/options.ts'
import type { Options } from './harness/options.ts'
import { caseReport, failures, missedTargets, parseReport, REPORT_SCHEMA } from './harness/report.ts'
import type { BenchReport, CaseReport } from './harness/report.ts'
import { runCase } from './harness/runner.ts'
import { renderDurabilityChart } from './harness/durability-chart.ts'
import { renderMemoryChart } from './harness/memory-chart.ts'
import { renderRebalanceChart } from './harness/rebalance-chart.ts'
import { renderScaleChart } from './harness/scale-chart.ts'
import { renderSweepChart } from './harness/sweep-chart.ts'
import { renderWindowsChart } from './harness/windows-chart.ts'
import { renderReport, targetSentence } from './harness/table.ts'
import { checkAddress } from './peers/kafka-address.ts'

const CHARTS = [
  ['S8', 'batching-sweep.svg', renderSweepChart],
  ['S11', 'scaling.svg', renderScaleChart],
  ['D1', 'durability.svg', renderDurabilityChart],
  ['G2', 'rebalance.svg', renderRebalanceChart],
  ['X2', 'windows.svg', renderWindowsChart],
  ['C3', 'soak-memory.svg', renderMemoryChart],
] as const

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(
    args,
    CASES.map((one) => one.id),
    process.env,
  )
  if (options.help) return print(HELP)
  if (options.list) return print(CASES.map((one) => `${one.id.padEnd(4)} ${one.title}`).join('\n'))
  const before = options.compare === undefined ? undefined : readOld(options.compare)
  if (options.kafka !== undefined) await checkKafka(options.kafka)
  const report = await measure(options)
  const parts = [renderReport(report)]
  if (before !== undefined) parts.push(renderComparison(compareReports(before, report), before))
  const text = parts.join('\n')
  process.stdout.write(text)
  write(report, text, options)
  return exitCode(report, options)
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return EXIT_OK
}

function readOld(path: string): BenchReport {
  try {
    return parseReport(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`--compare ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function checkKafka(address: string): Promise<void> {
  try {
    await checkAddress(address)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

async function measure(options: Options): Promise<BenchReport> {
  const machine = describeMachine()
  const interrupt = new AbortController()
  const onInterrupt = (): void => {
    // A second interrupt ends the process at once, as people expect.
    process.removeListener('SIGINT', onInterrupt)
    progress('interrupted: printing what was measured')
    interrupt.abort(new Error('interrupted'))
  }
  process.on('SIGINT', onInterrupt)
  const startedMs = performance.now()
  const { small, kafka, soakMinutes } = options
  const context: OpenContext = { small, machine, kafka, soakMinutes, signal: interrupt.signal }
  const cases: CaseReport[] = []
  try {
    for (const spec of CASES) {
      if (interrupt.signal.aborted) break
      if (options.only.length > 0 && !options.only.includes(spec.id)) continue
      const outcomes = await runCase(spec, { context, repetitions: options.repetitions, progress })
      cases.push(caseReport(spec, outcomes, context))
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt)
    progress('')
  }
  return {
    schema: REPORT_SCHEMA,
    machine,
    command: ['node benchmarks/bench.ts', ...process.argv.slice(2)].join(' '),
    small,
    interrupted: interrupt.signal.aborted,
    seconds: (performance.now() - startedMs) / 1_000,
    cases,
  }
}

/** One line that is written over on a terminal; one line each elsewhere. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  else if (line !== '') process.stderr.write(`${line}\n`)
}

function write(report: BenchReport, text: string, options: Options): void {
  const folder = options.out === undefined ? defaultFolder(report.machine) : resolve(options.out)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 1)}\n`)
  writeFileSync(join(folder, 'table.md'), text)
  for (const [id, name, render] of CHARTS) {
    const one = report.cases.find((found) => found.id === id)
    const chart = one === undefined ? undefined : render(one, report)
    if (chart !== undefined) writeFileSync(join(folder, name), chart)
  }
  process.stderr.write(`written to ${folder}\n`)
}

function defaultFolder(machine: Machine): string {
  const stamp = machine.date.replaceAll(/[-:]/g, '').replace(/\.\d+Z$/, 'Z')
  return fileURLToPath(new URL(`./results/${stamp}-${machine.commit.replaceAll(/[^\w+]/g, '')}/`, import.meta.url))
}

function exitCode(report: BenchReport, options: Options): number {
  const failed = failures(report)
  for (const line of failed) process.stderr.write(`failed: ${line}\n`)
  if (report.interrupted) return EXIT_INTERRUPTED
  if (failed.length > 0) return EXIT_FAILURE
  const missed = missedTargets(report)
  if (!options.strict || missed.length === 0) return EXIT_OK
  for (const target of missed) process.stderr.write(`${targetSentence(target)}\n`)
  return EXIT_TARGET_MISSED
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n\n${HELP}\n`)
  process.exitCode = EXIT_USAGE
}
