// The JSON report: everything that was measured, with what it depends on. The table, the chart
// and `--compare` are made from it and from nothing else.

import type { CaseSpec, CaseView, ContenderSpec, Measurement, Metric, OpenContext, SweepCell, TargetSpec } from './bench-case.ts'
import type { Machine } from './machine.ts'
import { pairedRatio, summarise } from './statistics.ts'
import type { Summary } from './statistics.ts'

export const REPORT_SCHEMA = 1

export type ContenderStatus = 'measured' | 'skipped' | 'failed' | 'interrupted'

export interface ContenderReport {
  readonly id: string
  readonly title: string
  readonly kind: ContenderSpec['kind']
  readonly setup: string
  readonly records: number
  readonly valueBytes: number
  readonly threads: number
  readonly partitions: number
  readonly cell?: SweepCell
  readonly status: ContenderStatus
  /** Why it has no result, or why it stopped early. */
  readonly why?: string
  readonly metrics: Readonly<Record<string, Summary>>
  readonly details: readonly unknown[]
}

export type Verdict = 'met' | 'missed' | 'no result' | 'not judged'

export interface TargetReport {
  readonly id: string
  readonly text: string
  readonly unit: TargetSpec['unit']
  readonly value: number | null
  readonly atLeast?: number
  readonly atMost?: number
  readonly verdict: Verdict
  /** Why there is no verdict. */
  readonly why?: string
}

export interface CaseReport {
  readonly id: string
  readonly title: string
  readonly measures: string
  readonly table: CaseSpec['table']
  readonly primary: string
  readonly metricTitles: Readonly<Record<string, Metric>>
  readonly warmUps: number
  readonly contenders: readonly ContenderReport[]
  readonly targets: readonly TargetReport[]
  readonly skippedPeers: readonly { readonly title: string; readonly why: string }[]
}

export interface BenchReport {
  readonly schema: typeof REPORT_SCHEMA
  readonly machine: Machine
  readonly command: string
  /** With --small nothing is judged and no figure is a result. */
  readonly small: boolean
  readonly interrupted: boolean
  readonly seconds: number
  readonly cases: readonly CaseReport[]
}

/** What the runner collected of one contender. */
export interface ContenderOutcome {
  readonly spec: ContenderSpec
  readonly status: ContenderStatus
  readonly why?: string
  readonly records: number
  readonly measurements: readonly Measurement[]
}

export function contenderReport(outcome: ContenderOutcome): ContenderReport {
  const { spec, status, why, records, measurements } = outcome
  // A contender that lost a record once has no result at all.
  const kept = status === 'failed' || status === 'skipped' ? [] : measurements
  const metrics: Record<string, Summary> = {}
  for (const id of Object.keys(kept[0]?.values ?? {})) metrics[id] = summarise(kept.map((measurement) => measurement.values[id]!))
  return {
    id: spec.id,
    title: spec.title,
    kind: spec.kind,
    setup: spec.setup,
    records,
    valueBytes: spec.valueBytes,
    threads: spec.threads,
    partitions: spec.partitions,
    ...(spec.cell === undefined ? {} : { cell: spec.cell }),
    status,
    ...(why === undefined ? {} : { why }),
    metrics,
    details: measurements.map((measurement) => measurement.detail ?? null),
  }
}

/** `onMissing` is told of each contender that was asked for a figure which it has not. */
export function viewOf(
  contenders: readonly ContenderReport[],
  primary: string,
  onMissing: (contender: ContenderReport) => void = () => {},
): CaseView {
  const find = (id: string, metric: string): Summary | undefined => {
    const contender = contenders.find((one) => one.id === id)
    const summary = contender?.metrics[metric]
    if (contender !== undefined && summary === undefined) onMissing(contender)
    return summary
  }
  return {
    median: (contender, metric) => find(contender, metric)?.median,
    max: (contender, metric) => find(contender, metric)?.max,
    last: (contender, metric) => find(contender, metric)?.samples.at(-1),
    ratio: (numerator, denominator, metric = primary) => {
      const above = find(numerator, metric)
      const below = find(denominator, metric)
      return above === undefined || below === undefined ? undefined : pairedRatio(above.samples, below.samples)?.median
    },
  }
}

export function judge(target: TargetSpec, contenders: readonly ContenderReport[], primary: string, context: OpenContext): TargetReport {
  const missing: ContenderReport[] = []
  const view = viewOf(contenders, primary, (contender) => missing.push(contender))
  const given = target.value(view, context.machine)
  const value = given !== undefined && Number.isFinite(given) ? given : undefined
  const atMost = typeof target.atMost === 'function' ? target.atMost(context.machine) : target.atMost
  const isMet = value !== undefined && value >= (target.atLeast ?? value) && value <= (atMost ?? value)
  return {
    id: target.id,
    text: target.text,
    unit: target.unit,
    // A figure of a --small run is not one.
    value: context.small ? null : (value ?? null),
    ...(target.atLeast === undefined ? {} : { atLeast: target.atLeast }),
    ...(atMost === undefined ? {} : { atMost }),
    ...verdictOf(value === undefined ? undefined : isMet, target.notJudged?.(context), missing, context.small),
  }
}

/** `isMet` is undefined where there is no figure: the contender that lacks it says why. */
function verdictOf(
  isMet: boolean | undefined,
  reason: string | undefined,
  missing: readonly ContenderReport[],
  small: boolean,
): Pick<TargetReport, 'verdict' | 'why'> {
  if (reason !== undefined) return { verdict: 'not judged', why: reason }
  if (isMet === undefined) {
    const absent = missing.find(({ status }) => status !== 'measured')
    if (absent === undefined) return { verdict: 'no result' }
    const [reason = 'no figure'] = (absent.why ?? '').split('\n', 1)
    const why = `${absent.status}, ${absent.title}: ${reason}`
    return { verdict: absent.status === 'skipped' ? 'not judged' : 'no result', why }
  }
  return { verdict: small ? 'not judged' : isMet ? 'met' : 'missed' }
}

export function caseReport(spec: CaseSpec, outcomes: readonly ContenderOutcome[], context: OpenContext): CaseReport {
  const contenders = outcomes.map(contenderReport)
  return {
    id: spec.id,
    title: spec.title,
    measures: spec.measures,
    table: spec.table,
    primary: spec.primary,
    metricTitles: spec.metrics,
    warmUps: spec.warmUps,
    contenders,
    targets: spec.targets.map((target) => judge(target, contenders, spec.primary, context)),
    skippedPeers: spec.skippedPeers ?? [],
  }
}

export function failures(report: BenchReport): readonly string[] {
  return report.cases.flatMap((one) =>
    one.contenders
      .filter((contender) => contender.status === 'failed')
      .map((contender) => `${one.id} ${contender.id}: ${contender.why ?? 'failed'}`),
  )
}

export function missedTargets(report: BenchReport): readonly TargetReport[] {
  return report.cases.flatMap((one) => one.targets.filter((target) => target.verdict === 'missed'))
}

/** Reads a report back; says in a sentence what is wrong with a file that is none. */
export function parseReport(text: string): BenchReport {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TypeError(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  const { schema, cases, machine } = (value ?? {}) as Partial<BenchReport>
  if (schema !== REPORT_SCHEMA) throw new TypeError(`a report of schema ${REPORT_SCHEMA} is needed, this has ${String(schema)}`)
  if (!Array.isArray(cases) || typeof machine !== 'object') throw new TypeError('the report has no cases or no machine')
  return value as BenchReport
}
