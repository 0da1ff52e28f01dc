// The batching sweep as a picture: one panel a value size, one line a number of lanes, both
// axes logarithmic and shared by all panels. Pure: the report in, an SVG out; no library.
//
//   ┌ title, machine, legend ───────────────┐
//   │ ┌ 10 B ────────┐  ┌ 100 B ─────────┐  │
//   │ │ records/s ▲  │  │                │  │
//   │ │           └▶ records a batch     │  │
//   │ └──────────────┘  └────────────────┘  │
//   │ ┌ 1 KiB ───────┐  ┌ 10 KiB ────────┐  │
//   └───────────────────────────────────────┘

import {
  bottomAxis,
  chartSvg,
  decadeWord,
  escapeXml,
  leftLabel,
  linePath,
  logScale,
  marker,
  medianNote,
  px,
  STEPS,
  WIDTH,
} from './chart.ts'
import type { Frame, Scale } from './chart.ts'
import { byteSize, count, scaled } from './format.ts'
import type { BenchReport, CaseReport, ContenderReport } from './report.ts'
import type { Summary } from './statistics.ts'

const MARGIN = { top: 116, right: 28, bottom: 52, left: 72 }
const GAP = { x: 64, y: 72 }
const PANEL_HEIGHT = 228
const COLUMNS = 2

interface Point {
  readonly recordsPerBatch: number
  readonly summary: Summary
}

interface Line {
  readonly lanes: number
  readonly rank: number
  readonly points: readonly Point[]
}

interface Panel {
  readonly valueBytes: number
  readonly lines: readonly Line[]
}

/** undefined when the sweep has no measured cell. */
export function renderSweepChart(sweep: CaseReport, report: BenchReport): string | undefined {
  const panels = panelsOf(sweep)
  if (panels.length === 0) return undefined
  const lanes = [...new Set(panels.flatMap((panel) => panel.lines.map((line) => line.lanes)))].toSorted((a, b) => a - b)
  const rows = Math.ceil(panels.length / COLUMNS)
  const height = MARGIN.top + rows * PANEL_HEIGHT + (rows - 1) * GAP.y + MARGIN.bottom
  const points = panels.flatMap((panel) => panel.lines.flatMap((line) => line.points))
  const xDomain = points.map((point) => point.recordsPerBatch)
  const yDomain = points.flatMap((point) => [point.summary.min, point.summary.max])
  const width = (WIDTH - MARGIN.left - MARGIN.right - GAP.x * (COLUMNS - 1)) / COLUMNS
  const body = panels.map((panel, index) => {
    const frame: Frame = {
      left: MARGIN.left + (index % COLUMNS) * (width + GAP.x),
      top: MARGIN.top + Math.floor(index / COLUMNS) * (PANEL_HEIGHT + GAP.y),
      width,
      height: PANEL_HEIGHT,
    }
    const x = logScale(xDomain, frame.left, frame.left + frame.width, 10)
    const y = logScale(yDomain, frame.top + frame.height, frame.top, 0)
    return panelSvg(panel, frame, x, y, index % COLUMNS === 0)
  })
  const repetitions = Math.max(...points.map((point) => point.summary.samples.length))
  const heading = {
    title: sweep.title,
    description: description(panels),
    heading: 'Batching sweep: records a second by records a batch',
    how: medianNote(repetitions, report.small),
  }
  return chartSvg(heading, report, height, [legend(lanes), ...body])
}

function panelsOf(sweep: CaseReport): Panel[] {
  const cells = sweep.contenders.filter((one) => one.cell !== undefined && one.metrics[sweep.primary] !== undefined)
  const lanes = [...new Set(cells.map((one) => one.cell!.lanes))].toSorted((a, b) => a - b)
  const sizes = [...new Set(cells.map((one) => one.cell!.valueBytes))].toSorted((a, b) => a - b)
  const pointsOf = (valueBytes: number, lane: number): Point[] =>
    cells
      .filter((one: ContenderReport) => one.cell!.valueBytes === valueBytes && one.cell!.lanes === lane)
      .map((one) => ({ recordsPerBatch: one.cell!.recordsPerBatch, summary: one.metrics[sweep.primary]! }))
      .toSorted((a, b) => a.recordsPerBatch - b.recordsPerBatch)
  return sizes.map((valueBytes) => ({
    valueBytes,
    lines: lanes.map((lane, rank) => ({ lanes: lane, rank, points: pointsOf(valueBytes, lane) })).filter((line) => line.points.length > 0),
  }))
}

function panelSvg(panel: Panel, frame: Frame, x: Scale, y: Scale, first: boolean): string {
  const right = frame.left + frame.width
  const parts: string[] = ['<g>']
  for (let decade = y.ticks[0]! / 10; decade <= y.max; decade *= 10) {
    for (const step of STEPS) {
      const value = decade * step
      if (value < y.min * (1 - 1e-9) || value > y.max * (1 + 1e-9)) continue
      parts.push(`<path class="grid${step === 1 ? '' : ' minor'}" d="M${px(frame.left)} ${px(y.at(value))}H${px(right)}"/>`)
    }
  }
  for (const decade of y.ticks) {
    parts.push(`<text class="tick" text-anchor="end" x="${px(frame.left - 8)}" y="${px(y.at(decade) + 4)}">${decadeWord(decade)}</text>`)
  }
  parts.push(...bottomAxis(frame, x, count, 'records a batch'))
  if (first) parts.push(leftLabel(frame, 'records a second'))
  parts.push(`<text class="panel" x="${px(frame.left)}" y="${px(frame.top - 10)}">${byteSize(panel.valueBytes)} values</text>`)
  parts.push(`<text class="note" text-anchor="end" x="${px(right)}" y="${px(frame.top - 10)}">${escapeXml(peakOf(panel))}</text>`)
  for (const line of panel.lines) parts.push(lineSvg(line, panel, x, y))
  parts.push('</g>')
  return parts.join('\n')
}

function lineSvg(line: Line, panel: Panel, x: Scale, y: Scale): string {
  const at = line.points.map((point) => [px(x.at(point.recordsPerBatch)), px(y.at(point.summary.median))] as const)
  const parts = ['<g>', linePath(line.rank, at)]
  for (const [index, point] of line.points.entries()) {
    const [left, top] = at[index]!
    const { min, median, max } = point.summary
    const cell = `${byteSize(panel.valueBytes)}, ${laneWord(line.lanes)}, ${count(point.recordsPerBatch)} a batch`
    const text = `${cell}: ${scaled(median)}/s (${scaled(min)}–${scaled(max)})`
    parts.push(`<path class="whisker whisker-${line.rank}" d="M${left} ${px(y.at(min))}V${px(y.at(max))}"/>`)
    parts.push(marker(line.rank, left, top, text))
  }
  parts.push('</g>')
  return parts.join('\n')
}

function legend(lanes: readonly number[]): string {
  const entries = lanes.map((lane, rank) => {
    const left = WIDTH - MARGIN.right - (lanes.length - rank) * 84
    const line = `<path class="line line-${rank}" d="M${left} 32h24"/>${marker(rank, left + 12, 32, laneWord(lane))}`
    return `<g>${line}<text class="label" x="${left + 31}" y="36">${laneWord(lane)}</text></g>`
  })
  return `<g>${entries.join('')}</g>`
}

function peakOf(panel: Panel): string {
  const best = Math.max(...panel.lines.flatMap((line) => line.points.map((point) => point.summary.median)))
  return `best ${scaled(best)}/s, ${scaled(best * panel.valueBytes)}B/s`
}

function description(panels: readonly Panel[]): string {
  return panels.map((panel) => `Values of ${byteSize(panel.valueBytes)}: ${peakOf(panel)}.`).join(' ')
}

function laneWord(lanes: number): string {
  return lanes === 1 ? '1 lane' : `${lanes} lanes`
}
