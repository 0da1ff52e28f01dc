// Rebalances as a picture: milliseconds until a group is at rest again, by partitions; a panel
// for the one who joins and one for the one who leaves, a line a number of members. Pure: the
// report in, an SVG out.
//
//   ┌ title, machine, legend ─────────────┐
//   │ ┌ one joins ───┐  ┌ one leaves ───┐ │
//   │ │ ms ▲         │  │               │ │
//   │ │    └▶ parti- │  │               │ │
//   │ │       tions  │  │               │ │
//   └─────────────────────────────────────┘

import { bottomAxis, chartSvg, horizontalGrid, leftLabel, linePath, logScale, marker, medianNote, px, WIDTH } from './chart.ts'
import type { Frame, Scale } from './chart.ts'
import { count, digits } from './format.ts'
import type { BenchReport, CaseReport } from './report.ts'
import type { Summary } from './statistics.ts'

const TOP = 116
const PANEL_HEIGHT = 248
const HEIGHT = TOP + PANEL_HEIGHT + 52
const LEFT = 72
const RIGHT = 28
const GAP = 64
const LEGEND_ENTRY = 122

const PANELS = [
  { metric: 'joined', words: 'one joins' },
  { metric: 'left', words: 'one leaves' },
] as const

interface Line {
  readonly members: number
  readonly rank: number
  readonly points: readonly { readonly partitions: number; readonly metrics: Readonly<Record<string, Summary>> }[]
}

/** Contenders are named `members-partitions`. undefined where no number of members has two points. */
export function renderRebalanceChart(one: CaseReport, report: BenchReport): string | undefined {
  const lines = linesOf(one)
  const points = lines.flatMap((line) => line.points)
  if (points.length === 0) return undefined
  const width = (WIDTH - LEFT - RIGHT - GAP) / PANELS.length
  const all = points.flatMap(({ metrics }) => PANELS.flatMap(({ metric }) => [metrics[metric]!.min, metrics[metric]!.max]))
  const panels = PANELS.map(({ metric, words }, index) => {
    const frame: Frame = { left: LEFT + index * (width + GAP), top: TOP, width, height: PANEL_HEIGHT }
    const partitions = points.map((point) => point.partitions)
    const x = logScale(partitions, frame.left, frame.left + frame.width, 10)
    const y = logScale(all, frame.top + frame.height, frame.top, 0)
    return [
      ...horizontalGrid(frame, y, (tick) => `${count(tick)} ms`),
      ...bottomAxis(frame, { ...x, ticks: [...new Set(partitions)] }, count, 'partitions of the topic'),
      ...(index === 0 ? [leftLabel(frame, 'until the group is at rest')] : []),
      `<text class="panel" x="${px(frame.left)}" y="${px(frame.top - 10)}">${words}</text>`,
      ...lines.map((line) => lineSvg(line, metric, x, y)),
    ].join('\n')
  })
  const heading = {
    title: one.title,
    description: lines.map(wordsOf).join(' '),
    heading: 'Rebalance: milliseconds by partitions and members',
    how: `${medianNote(Math.max(...points.map(({ metrics }) => metrics['joined']!.samples.length)), report.small)}; all members on one thread`,
  }
  return chartSvg(heading, report, HEIGHT, [legend(lines), ...panels])
}

function wordsOf({ members, points }: Line): string {
  const each = points.map(({ partitions, metrics }) => `${count(partitions)} partitions ${digits(metrics['joined']!.median)} ms`)
  return `${count(members)} members, one joins: ${each.join(', ')}.`
}

function linesOf(one: CaseReport): Line[] {
  const measured = one.contenders.filter(({ metrics }) => PANELS.every(({ metric }) => metrics[metric] !== undefined))
  const byMembers = Map.groupBy(measured, ({ id }) => Number(id.split('-')[0]))
  return [...byMembers]
    .filter(([, some]) => some.length > 1)
    .toSorted(([a], [b]) => a - b)
    .map(([members, some], rank) => ({ members, rank, points: some.toSorted((a, b) => a.partitions - b.partitions) }))
}

function lineSvg({ members, rank, points }: Line, metric: (typeof PANELS)[number]['metric'], x: Scale, y: Scale): string {
  const at = points.map(({ partitions, metrics }) => [x.at(partitions), y.at(metrics[metric]!.median)] as const)
  const parts = ['<g>', linePath(rank, at)]
  for (const [index, { partitions, metrics }] of points.entries()) {
    const [left, top] = at[index]!
    const { min, median, max } = metrics[metric]!
    const text = `${members} members, ${count(partitions)} partitions: ${digits(median)} ms (${digits(min)}–${digits(max)})`
    parts.push(`<path class="whisker whisker-${rank}" d="M${px(left)} ${px(y.at(min))}V${px(y.at(max))}"/>`, marker(rank, left, top, text))
  }
  return [...parts, '</g>'].join('\n')
}

function legend(lines: readonly Line[]): string {
  const entries = lines.map(({ members, rank }) => {
    const left = WIDTH - RIGHT - (lines.length - rank) * LEGEND_ENTRY
    const words = `${count(members)} members`
    const line = `<path class="line line-${rank}" d="M${left} 32h24"/>${marker(rank, left + 12, 32, words)}`
    return `<g>${line}<text class="label" x="${left + 31}" y="36">${words}</text></g>`
  })
  return `<g>${entries.join('')}</g>`
}
