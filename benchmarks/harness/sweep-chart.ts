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
//
// Colours follow the reader's light or dark setting. Lanes are an order, so they are one hue
// from pale to strong; each also has a marker shape of its own, so colour is not needed.

import { byteSize, count, scaled } from './format.ts'
import type { BenchReport, CaseReport, ContenderReport } from './report.ts'
import type { Summary } from './statistics.ts'

const WIDTH = 960
const MARGIN = { top: 116, right: 28, bottom: 52, left: 72 }
const GAP = { x: 64, y: 72 }
const PANEL_HEIGHT = 228
const COLUMNS = 2
const SHAPES = ['circle', 'square', 'triangle', 'diamond'] as const

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

interface Scale {
  readonly min: number
  readonly max: number
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
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
  const { machine } = report
  const repetitions = Math.max(...points.map((point) => point.summary.samples.length))
  const where = `${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, commit ${machine.commit}, ${machine.date.slice(0, 10)}`
  const whiskers = report.small ? 'whiskers from minimum to maximum (--small: not a result)' : 'whiskers from minimum to maximum'
  const how = `Median of ${repetitions} repetition${repetitions === 1 ? '' : 's'}; ${whiskers}`
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="title desc">`,
    `<title id="title">${escapeXml(sweep.title)}</title>`,
    `<desc id="desc">${escapeXml(description(panels))}</desc>`,
    STYLE,
    `<rect class="surface" width="${WIDTH}" height="${height}" rx="10"/>`,
    `<text class="heading" x="24" y="36">Batching sweep: records a second by records a batch</text>`,
    `<text class="note" x="24" y="56">${escapeXml(where)}</text>`,
    `<text class="note" x="24" y="73">${escapeXml(how)}</text>`,
    legend(lanes),
    ...body,
    '</svg>',
    '',
  ].join('\n')
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

const STEPS = [1, 2, 5] as const

/** The 1, 2 or 5 times a power of ten at or below (`up` false) or above a value. */
function roundStep(value: number, up: boolean): number {
  const decade = 10 ** Math.floor(Math.log10(value) + 1e-9)
  const steps = [...STEPS.map((step) => step * decade), 10 * decade]
  return up ? steps.find((step) => step >= value * (1 - 1e-9))! : steps.findLast((step) => step <= value * (1 + 1e-9))!
}

/** A logarithmic scale from a round number to a round number, with `pad` pixels free at both ends. */
export function logScale(values: readonly number[], from: number, to: number, pad: number): Scale {
  const min = roundStep(Math.min(...values), false)
  const max = Math.max(roundStep(Math.max(...values), true), min * 10)
  const start = from + Math.sign(to - from) * pad
  const end = to - Math.sign(to - from) * pad
  const low = Math.log10(min)
  const high = Math.log10(max)
  const ticks: number[] = []
  for (let power = Math.floor(low); power <= high + 1e-9; power++) if (power >= low - 1e-9) ticks.push(10 ** power)
  return { min, max, at: (value) => start + ((Math.log10(value) - low) / (high - low)) * (end - start), ticks }
}

function panelSvg(panel: Panel, frame: Frame, x: Scale, y: Scale, first: boolean): string {
  const right = frame.left + frame.width
  const bottom = frame.top + frame.height
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
  for (const decade of x.ticks) {
    parts.push(`<path class="axis" d="M${px(x.at(decade))} ${px(bottom)}v5"/>`)
    parts.push(`<text class="tick" text-anchor="middle" x="${px(x.at(decade))}" y="${px(bottom + 18)}">${count(decade)}</text>`)
  }
  parts.push(`<path class="axis" d="M${px(frame.left)} ${px(bottom)}H${px(right)}"/>`)
  parts.push(`<text class="label" text-anchor="middle" x="${px((frame.left + right) / 2)}" y="${px(bottom + 36)}">records a batch</text>`)
  if (first) {
    const middle = (frame.top + bottom) / 2
    parts.push(`<text class="label" text-anchor="middle" transform="translate(22 ${px(middle)}) rotate(-90)">records a second</text>`)
  }
  parts.push(`<text class="panel" x="${px(frame.left)}" y="${px(frame.top - 10)}">${byteSize(panel.valueBytes)} values</text>`)
  parts.push(`<text class="note" text-anchor="end" x="${px(right)}" y="${px(frame.top - 10)}">${escapeXml(peakOf(panel))}</text>`)
  for (const line of panel.lines) parts.push(lineSvg(line, panel, x, y))
  parts.push('</g>')
  return parts.join('\n')
}

function lineSvg(line: Line, panel: Panel, x: Scale, y: Scale): string {
  const at = line.points.map((point) => [px(x.at(point.recordsPerBatch)), px(y.at(point.summary.median))] as const)
  const parts = [`<g>`, `<path class="line line-${line.rank}" d="M${at.map(([left, top]) => `${left} ${top}`).join('L')}"/>`]
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

function marker(rank: number, x: number, y: number, title: string): string {
  const body = `<title>${escapeXml(title)}</title>`
  switch (SHAPES[rank % SHAPES.length]) {
    case 'square':
      return `<rect class="dot dot-${rank}" x="${px(x - 4)}" y="${px(y - 4)}" width="8" height="8" rx="1">${body}</rect>`
    case 'triangle':
      return `<path class="dot dot-${rank}" d="M${px(x)} ${px(y - 5)}L${px(x + 5)} ${px(y + 4)}H${px(x - 5)}Z">${body}</path>`
    case 'diamond':
      return `<path class="dot dot-${rank}" d="M${px(x)} ${px(y - 5.5)}L${px(x + 5.5)} ${px(y)}l-5.5 5.5l-5.5 -5.5Z">${body}</path>`
    default:
      return `<circle class="dot dot-${rank}" cx="${px(x)}" cy="${px(y)}" r="4.5">${body}</circle>`
  }
}

function peakOf(panel: Panel): string {
  const best = Math.max(...panel.lines.flatMap((line) => line.points.map((point) => point.summary.median)))
  return `best ${scaled(best)}/s, ${scaled(best * panel.valueBytes)}B/s`
}

function description(panels: readonly Panel[]): string {
  return panels.map((panel) => `Values of ${byteSize(panel.valueBytes)}: ${peakOf(panel)}.`).join(' ')
}

/** 1 k, 10 k, 1 M: without the zeros of a measured figure. */
function decadeWord(decade: number): string {
  return scaled(decade).replace(/\.0+(?= |$)/, '')
}

function laneWord(lanes: number): string {
  return lanes === 1 ? '1 lane' : `${lanes} lanes`
}

function px(value: number): number {
  return Math.round(value * 10) / 10
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

interface Palette {
  readonly surface: string
  readonly ink: string
  readonly quiet: string
  readonly rule: string
  readonly faint: string
  readonly lanes: readonly string[]
}

const LIGHT: Palette = {
  surface: '#fcfcfb',
  ink: '#16181d',
  quiet: '#5b6068',
  rule: '#d9dbdf',
  faint: '#eceef0',
  lanes: ['#8ab8ee', '#3d8ae0', '#2262b4', '#0f3d7a'],
}

const DARK: Palette = {
  surface: '#16181d',
  ink: '#f2f3f5',
  quiet: '#a3a8b1',
  rule: '#3a3e46',
  faint: '#24272e',
  lanes: ['#2f6fc0', '#4d94e6', '#86b8f2', '#cfe2fa'],
}

// Plain rules instead of CSS variables: not every program that shows an SVG knows them.
function colours(palette: Palette): string {
  const { surface, ink, quiet, rule, faint, lanes } = palette
  return [
    `.surface { fill: ${surface} }`,
    `.heading, .panel, .label { fill: ${ink} }`,
    `.note, .tick { fill: ${quiet} }`,
    `.grid { stroke: ${rule} }`,
    `.minor { stroke: ${faint} }`,
    `.axis { stroke: ${quiet} }`,
    `.dot { stroke: ${surface} }`,
    ...lanes.map((lane, rank) => `.line-${rank}, .whisker-${rank} { stroke: ${lane} }\n.dot-${rank} { fill: ${lane} }`),
  ].join('\n')
}

const STYLE = `<style>
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif }
.heading { font-size: 18px; font-weight: 600 }
.panel { font-size: 13px; font-weight: 600 }
.label { font-size: 12px }
.note { font-size: 11.5px }
.tick { font-size: 11px; font-variant-numeric: tabular-nums }
.grid, .axis { stroke-width: 1; fill: none }
.line { stroke-width: 2; fill: none; stroke-linejoin: round; stroke-linecap: round }
.whisker { stroke-width: 1.5; opacity: 0.55; fill: none }
.dot { stroke-width: 1.5 }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) {
${colours(DARK)}
}
</style>`
