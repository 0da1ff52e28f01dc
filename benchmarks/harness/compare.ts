// `--compare old.json`: each figure of this run beside the same figure of an older one.
// Two figures differ only when their ranges do not overlap; everything else is "within spread".

import { digits, figure } from './format.ts'
import type { Metric } from './bench-case.ts'
import type { BenchReport } from './report.ts'
import { grid } from './table.ts'

export type Change = 'better' | 'worse' | 'within spread'

export interface ComparedFigure {
  readonly caseId: string
  readonly contender: string
  readonly title: string
  readonly metric: string
  readonly unit: string
  readonly before: number
  readonly after: number
  /** after / before. */
  readonly ratio: number
  readonly change: Change
}

export interface Comparison {
  readonly figures: readonly ComparedFigure[]
  /** What makes the two runs hard to compare: another machine, runtime or size of run. */
  readonly warnings: readonly string[]
  /** Figures that only one of the two has. */
  readonly onlyBefore: readonly string[]
  readonly onlyAfter: readonly string[]
}

interface Found {
  readonly title: string
  readonly metric: Metric | undefined
  readonly min: number
  readonly median: number
  readonly max: number
}

function figuresOf(report: BenchReport): Map<string, Found> {
  const found = new Map<string, Found>()
  for (const one of report.cases) {
    for (const contender of one.contenders) {
      const ids = one.table === 'metrics' ? Object.keys(contender.metrics) : [one.primary]
      for (const id of ids) {
        const summary = contender.metrics[id]
        if (summary === undefined) continue
        const { min, median, max } = summary
        found.set([one.id, contender.id, id].join('\t'), { title: contender.title, metric: one.metricTitles[id], min, median, max })
      }
    }
  }
  return found
}

export function compareReports(before: BenchReport, after: BenchReport): Comparison {
  const old = figuresOf(before)
  const now = figuresOf(after)
  const figures: ComparedFigure[] = []
  for (const [key, found] of now) {
    const then = old.get(key)
    if (then === undefined) continue
    const [caseId, contender, metric] = key.split('\t') as [string, string, string]
    figures.push({
      caseId,
      contender,
      title: found.title,
      metric: found.metric?.title ?? metric,
      unit: found.metric?.unit ?? '',
      before: then.median,
      after: found.median,
      ratio: then.median === 0 ? (found.median === 0 ? 1 : Number.POSITIVE_INFINITY) : found.median / then.median,
      change: changeOf(then, found),
    })
  }
  return { figures, warnings: warningsOf(before, after), onlyBefore: onlyIn(old, now), onlyAfter: onlyIn(now, old) }
}

/** Names of what the other run lacks: a case that it did not run at all is named once. */
function onlyIn(one: ReadonlyMap<string, Found>, other: ReadonlyMap<string, Found>): string[] {
  const cases = new Set([...other.keys()].map((key) => key.split('\t', 1)[0]))
  const names = [...one.keys()]
    .filter((key) => !other.has(key))
    .map((key) => (cases.has(key.split('\t', 1)[0]) ? key.replaceAll('\t', ' ') : key.split('\t', 1)[0]!))
  return [...new Set(names)]
}

function changeOf(before: Found, after: Found): Change {
  if (after.min <= before.max && before.min <= after.max) return 'within spread'
  const grew = after.median > before.median
  return grew === ((after.metric?.better ?? 'higher') === 'higher') ? 'better' : 'worse'
}

function warningsOf(before: BenchReport, after: BenchReport): string[] {
  const warnings: string[] = []
  const differ = (what: string, old: string | number, now: string | number): void => {
    if (old !== now) warnings.push(`${what} differs: ${old} then, ${now} now`)
  }
  differ('the processor', before.machine.cpu, after.machine.cpu)
  differ('the number of cores', before.machine.cores, after.machine.cores)
  differ('the Node.js version', before.machine.node, after.machine.node)
  if (before.small || after.small) warnings.push('one of the two ran with --small: its figures are not results')
  return warnings
}

export function renderComparison(comparison: Comparison, before: BenchReport): string {
  const lines = [`## Compared with commit ${before.machine.commit}, ${before.machine.date}`, '']
  for (const warning of comparison.warnings) lines.push(`- note: ${warning}`)
  if (comparison.warnings.length > 0) lines.push('')
  const rows = comparison.figures.map((row) => [
    row.caseId,
    row.title,
    row.metric,
    figure(row.before, row.unit),
    figure(row.after, row.unit),
    `${digits(row.ratio)}×`,
    row.change,
  ])
  if (rows.length === 0) lines.push('The two runs have no figure in common.')
  else
    lines.push(
      grid(['case', '', 'what', 'then', 'now', 'now / then', ''], ['left', 'left', 'left', 'right', 'right', 'right', 'left'], rows),
    )
  if (comparison.onlyBefore.length > 0) lines.push('', `Only then: ${comparison.onlyBefore.join(', ')}`)
  if (comparison.onlyAfter.length > 0) lines.push('', `Only now: ${comparison.onlyAfter.join(', ')}`)
  return `${lines.join('\n')}\n`
}
