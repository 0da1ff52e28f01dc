// Windows as a picture: how many a second by the number of keys, a line a kind of window. Pure: the report in, an SVG out.

import { bottomAxis, chartSvg, horizontalGrid, leftLabel, linePath, logScale, marker, medianNote, px, WIDTH } from './chart.ts'
import type { Frame, Scale } from './chart.ts'
import { count, scaled } from './format.ts'
import type { BenchReport, CaseReport } from './report.ts'
import type { Summary } from './statistics.ts'

const FRAME: Frame = { left: 80, top: 116, width: WIDTH - 80 - 28, height: 260 }
const HEIGHT = FRAME.top + FRAME.height + 52
const LEGEND_ENTRY = 108

interface Line {
  readonly kind: string
  readonly rank: number
  readonly points: readonly { readonly keys: number; readonly summary: Summary }[]
}

/** Contenders are named `kind-keys`. undefined when nothing was measured. */
export function renderWindowsChart(one: CaseReport, report: BenchReport): string | undefined {
  const lines = linesOf(one)
  const points = lines.flatMap((line) => line.points)
  const [first] = points
  if (first === undefined) return undefined
  const keys = points.map((point) => point.keys)
  const x = logScale(keys, FRAME.left, FRAME.left + FRAME.width, 10)
  const all = points.flatMap(({ summary }) => [summary.min, summary.max])
  const y = logScale(all, FRAME.top + FRAME.height, FRAME.top, 0)
  const heading = {
    title: one.title,
    description: lines.map(wordsOf).join(' '),
    heading: 'Windows a second by the number of keys',
    how: `${medianNote(first.summary.samples.length, report.small)}; four records of its key a window, all on one thread`,
  }
  return chartSvg(heading, report, HEIGHT, [
    legend(lines),
    ...horizontalGrid(FRAME, y, scaled),
    ...bottomAxis(FRAME, { ...x, ticks: [...new Set(keys)] }, count, 'keys'),
    leftLabel(FRAME, 'windows a second'),
    ...lines.map((line) => lineSvg(line, x, y)),
  ])
}

function linesOf(one: CaseReport): Line[] {
  const measured = one.contenders.flatMap(({ id, metrics }) => {
    const summary = metrics[one.primary]
    const [kind = '', keys] = id.split('-')
    return summary === undefined ? [] : [{ kind, keys: Number(keys), summary }]
  })
  const byKind = [...Map.groupBy(measured, ({ kind }) => kind)]
  return byKind.map(([kind, some], rank) => ({ kind, rank, points: some.toSorted((a, b) => a.keys - b.keys) }))
}

function wordsOf({ kind, points }: Line): string {
  return `${kind}: ${points.map(({ keys, summary }) => `${keyWord(keys)} ${scaled(summary.median)}/s`).join(', ')}.`
}

function lineSvg({ kind, rank, points }: Line, x: Scale, y: Scale): string {
  const at = points.map(({ keys, summary }) => [x.at(keys), y.at(summary.median)] as const)
  const parts = ['<g>', linePath(rank, at)]
  for (const [index, { keys, summary }] of points.entries()) {
    const [left, top] = at[index]!
    const { min, median, max } = summary
    parts.push(
      `<path class="whisker whisker-${rank}" d="M${px(left)} ${px(y.at(min))}V${px(y.at(max))}"/>`,
      marker(rank, left, top, `${kind}, ${keyWord(keys)}: ${scaled(median)}/s (${scaled(min)}–${scaled(max)})`),
    )
  }
  return [...parts, '</g>'].join('\n')
}

function legend(lines: readonly Line[]): string {
  const entries = lines.map(({ kind, rank }) => {
    const left = WIDTH - 28 - (lines.length - rank) * LEGEND_ENTRY
    const line = `<path class="line line-${rank}" d="M${left} 32h24"/>${marker(rank, left + 12, 32, kind)}`
    return `<g>${line}<text class="label" x="${left + 31}" y="36">${kind}</text></g>`
  })
  return `<g>${entries.join('')}</g>`
}

function keyWord(keys: number): string {
  return keys === 1 ? '1 key' : `${count(keys)} keys`
}
