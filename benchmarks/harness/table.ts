// The readable table: Markdown whose columns are padded, so that a terminal and a page show
// the same thing. Made from the report alone.

import { byteSize, count, digits, figure, scaled, targetBound, targetFigure } from './format.ts'
import type { Machine } from './machine.ts'
import { RECORDED_ELSEWHERE, RECORDED_ON } from './recorded-elsewhere.ts'
import { pairedRatio } from './statistics.ts'
import type { BenchReport, CaseReport, ContenderReport, TargetReport } from './report.ts'

type Align = 'left' | 'right'

const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' })

function width(text: string): number {
  return [...SEGMENTER.segment(text)].length
}

/** A Markdown table with padded cells. */
export function grid(heads: readonly string[], aligns: readonly Align[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(3, width(head), ...rows.map((row) => width(row[column] ?? ''))))
  const pad = (text: string, column: number): string => {
    const space = ' '.repeat(widths[column]! - width(text))
    return aligns[column] === 'right' ? space + text : text + space
  }
  const line = (cells: readonly string[]): string => `| ${heads.map((_, column) => pad(cells[column] ?? '', column)).join(' | ')} |`
  const rules = widths.map((size, column) => (aligns[column] === 'right' ? `${'-'.repeat(size - 1)}:` : '-'.repeat(size)))
  const rule = `| ${rules.join(' | ')} |`
  return [line(heads), rule, ...rows.map(line)].join('\n')
}

export function renderReport(report: BenchReport): string {
  const parts = ['# millrace: benchmark', '', ...machineLines(report.machine), `- command: \`${report.command}\``]
  if (report.interrupted) parts.push('- **interrupted**: what follows is only what had been measured by then')
  if (report.small) parts.push('- **--small**: correctness only. No figure below is a result, no target is judged.')
  else parts.push('- each figure: minimum, median and maximum of the repetitions; × is the median of the ratios repetition by repetition')
  for (const one of report.cases) parts.push('', ...caseLines(one, report))
  parts.push('', ...targetLines(report))
  if (report.cases.some((one) => one.skippedPeers.length > 0)) parts.push('', ...recordedLines())
  return `${parts.join('\n')}\n`
}

/** From this load on, the threads that are measured share their cores with others. */
const BUSY_LOAD = 0.5

function machineLines(machine: Machine): string[] {
  const busy = `- **the machine was busy**: a load of ${digits(machine.loadBefore)} before the run; the figures are too low and far apart`
  return [
    ...(machine.loadBefore > BUSY_LOAD ? [busy] : []),
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${byteSize(machine.memoryBytes)}, ${machine.kernel}, ${machine.platform}`,
    `- Node.js ${machine.node} (V8 ${machine.v8}), commit ${machine.commit}, ${machine.date}`,
  ]
}

function caseLines(one: CaseReport, report: BenchReport): string[] {
  const lines = [`## ${one.id}: ${one.title}`, '', one.measures, '']
  if (one.table === 'sweep') lines.push(...sweepLines(one))
  else lines.push(one.table === 'throughput' ? throughputTable(one, report.small) : metricsTable(one))
  if (one.table === 'throughput') lines.push(...moreFigures(one))
  lines.push(...setupLines(one), ...absentLines(one))
  if (!report.small && one.targets.length > 0) lines.push('', ...one.targets.map((target) => `- ${targetSentence(target)}`))
  return lines
}

function throughputTable(one: CaseReport, small: boolean): string {
  const reference = one.contenders.find((contender) => contender.kind === 'millrace' && contender.metrics[one.primary] !== undefined)
  const rows = one.contenders.map((contender) => {
    const head = [contender.title, contender.kind, count(contender.records), byteSize(contender.valueBytes)]
    const summary = contender.metrics[one.primary]
    const road = [String(contender.threads), String(contender.partitions)]
    if (summary === undefined) return [...head, ...road, '', statusWord(contender), '', '', '']
    const bytes = contender.metrics['bytesPerSecond']
    const times = reference?.metrics[one.primary]
    const ratio = times === undefined || small ? undefined : pairedRatio(summary.samples, times.samples)
    return [
      ...head,
      ...road,
      scaled(summary.min),
      contender.status === 'interrupted' ? `${scaled(summary.median)} (interrupted)` : scaled(summary.median),
      scaled(summary.max),
      bytes === undefined ? '' : `${scaled(bytes.median)}B/s`,
      ratio === undefined ? '' : `${digits(ratio.median)}×`,
    ]
  })
  const heads = ['', 'kind', 'records', 'value', 'threads', 'partitions', 'min', 'median, records/s', 'max', 'values', '×']
  return grid(heads, ['left', 'left', ...heads.slice(2).map(() => 'right' as const)], rows)
}

/** Figures of a contender that have no column: the stages that make up a limit. */
function moreFigures(one: CaseReport): string[] {
  const lines: string[] = []
  for (const contender of one.contenders) {
    const ids = Object.keys(contender.metrics).filter((id) => id !== one.primary && id !== 'bytesPerSecond')
    if (ids.length === 0) continue
    const words = ids.map((id) => {
      const metric = one.metricTitles[id]
      return `${metric?.title ?? id} ${figure(contender.metrics[id]!.median, metric?.unit ?? '')}`
    })
    lines.push(`- ${contender.title}, medians: ${words.join('; ')}`)
  }
  return lines.length === 0 ? [] : ['', ...lines]
}

function metricsTable(one: CaseReport): string {
  const rows = one.contenders.flatMap((contender) => {
    const ids = Object.keys(contender.metrics)
    if (ids.length === 0) return [[contender.title, contender.kind, statusWord(contender), '', '', '']]
    return ids.map((id, at) => {
      const summary = contender.metrics[id]!
      const metric = one.metricTitles[id]
      const unit = metric?.unit ?? ''
      const head = at === 0 ? [contender.title, contender.kind] : ['', '']
      return [...head, metric?.title ?? id, figure(summary.min, unit), figure(summary.median, unit), figure(summary.max, unit)]
    })
  })
  return grid(['', 'kind', 'what', 'min', 'median', 'max'], ['left', 'left', 'left', 'right', 'right', 'right'], rows)
}

function sweepLines(one: CaseReport): string[] {
  const cells = one.contenders.filter((contender) => contender.cell !== undefined)
  const distinct = (pick: (contender: ContenderReport) => number): number[] => [...new Set(cells.map(pick))].toSorted((a, b) => a - b)
  const lanes = distinct((contender) => contender.cell!.lanes)
  const sizes = distinct((contender) => contender.cell!.valueBytes)
  const batches = distinct((contender) => contender.cell!.recordsPerBatch)
  const lines: string[] = []
  for (const size of sizes) {
    const rows = batches.map((recordsPerBatch) => [
      count(recordsPerBatch),
      ...lanes.map((lane) => {
        const cell = cells.find(({ cell: at }) => at!.valueBytes === size && at!.lanes === lane && at!.recordsPerBatch === recordsPerBatch)
        return cell === undefined ? '–' : sweepCell(cell, one.primary)
      }),
    ])
    const heads = ['records a batch', ...lanes.map((lane) => (lane === 1 ? '1 lane' : `${lane} lanes`))]
    lines.push(
      `Values of ${byteSize(size)}, records/s, median (min–max):`,
      '',
      grid(
        heads,
        heads.map(() => 'right' as const),
        rows,
      ),
      '',
    )
  }
  lines.push('`–`: not a cell of this sweep. A batch is at most 8 MiB, and its memory must fit the arena.')
  return lines
}

function sweepCell(contender: ContenderReport, primary: string): string {
  const summary = contender.metrics[primary]
  if (summary === undefined) return statusWord(contender)
  return `${scaled(summary.median)} (${scaled(summary.min)}–${scaled(summary.max)})`
}

function statusWord(contender: ContenderReport): string {
  return contender.status === 'measured' ? 'no figure' : contender.status
}

function setupLines(one: CaseReport): string[] {
  if (one.table === 'sweep') return ['', `Setup: ${one.contenders[0]?.setup ?? ''}`]
  const titles = new Map<string, string[]>()
  for (const { setup, title } of one.contenders) if (setup !== '') titles.set(setup, [...(titles.get(setup) ?? []), title])
  if (titles.size === 0) return []
  return ['', 'Setup:', '', ...[...titles].map(([setup, names]) => `- ${names.join('; ')}: ${setup}`)]
}

function absentLines(one: CaseReport): string[] {
  const lines = one.contenders
    .filter((contender) => contender.why !== undefined)
    .map((contender) => `- **${contender.status}**, ${contender.title}: ${contender.why!}`)
  lines.push(...one.skippedPeers.map((peer) => `- skipped, ${peer.title}: ${peer.why}`))
  return lines.length === 0 ? [] : ['', ...lines]
}

export function targetSentence(target: TargetReport): string {
  const bound =
    target.atLeast === undefined
      ? `at most ${targetBound(target.atMost ?? Number.NaN, target.unit)}`
      : `at least ${targetBound(target.atLeast, target.unit)}`
  const value = target.value === null ? 'no result' : targetFigure(target.value, target.unit)
  const verdict = target.verdict === 'met' || target.verdict === 'missed' ? `**${target.verdict}**` : target.verdict
  const why = target.why === undefined ? '' : `; ${target.why}`
  return `${verdict}: ${target.text}: ${value} (${bound}${why})`
}

function targetLines(report: BenchReport): string[] {
  const rows = report.cases.flatMap((one) =>
    one.targets.map((target) => [
      one.id,
      target.text,
      target.atLeast === undefined
        ? `≤ ${targetBound(target.atMost ?? Number.NaN, target.unit)}`
        : `≥ ${targetBound(target.atLeast, target.unit)}`,
      target.value === null ? '–' : targetFigure(target.value, target.unit),
      target.why === undefined ? target.verdict : `${target.verdict}: ${target.why}`,
    ]),
  )
  if (rows.length === 0) return []
  return ['## Targets', '', grid(['case', 'target', 'asked', 'measured', ''], ['left', 'left', 'right', 'right', 'left'], rows)]
}

function recordedLines(): string[] {
  return [
    '## Recorded elsewhere, not in this run',
    '',
    `Recorded on ${RECORDED_ON}. Another run, perhaps another machine: no ratio is taken to these figures.`,
    '',
    grid(
      ['system', 'produce', 'consume', 'latency'],
      ['left', 'left', 'left', 'left'],
      RECORDED_ELSEWHERE.map((row) => [row.system, row.produce, row.consume, row.latency]),
    ),
  ]
}
