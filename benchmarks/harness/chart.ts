// What all charts of a report share: the frame of an SVG, scales, markers, colours. Pure; no library.
//
// Colours follow the reader's light or dark setting. What is an order (lanes, strands) is one hue
// from pale to strong; each also has a marker shape of its own, so colour is not needed.

import { scaled } from './format.ts'
import type { BenchReport } from './report.ts'

export const WIDTH = 960

const SHAPES = ['circle', 'square', 'triangle', 'diamond'] as const

export interface Scale {
  readonly min: number
  readonly max: number
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

export interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** What a chart says of itself, above its panels. */
export interface Heading {
  /** For programs that read it aloud. */
  readonly title: string
  readonly description: string
  readonly heading: string
  /** How the figures came about; where and when they did stands above it. */
  readonly how: string
}

/** The whole picture: a heading, and what `body` draws below it. */
export function chartSvg(heading: Heading, report: BenchReport, height: number, body: readonly string[]): string {
  const { machine } = report
  const where = `${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, commit ${machine.commit}, ${machine.date.slice(0, 10)}`
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="title desc">`,
    `<title id="title">${escapeXml(heading.title)}</title>`,
    `<desc id="desc">${escapeXml(heading.description)}</desc>`,
    STYLE,
    `<rect class="surface" width="${WIDTH}" height="${height}" rx="10"/>`,
    `<text class="heading" x="24" y="36">${escapeXml(heading.heading)}</text>`,
    `<text class="note" x="24" y="56">${escapeXml(where)}</text>`,
    `<text class="note" x="24" y="73">${escapeXml(heading.how)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n')
}

/** How many repetitions a point stands for, and what its whisker is. */
export function medianNote(repetitions: number, small: boolean): string {
  const whiskers = `whiskers from minimum to maximum${small ? ' (--small: not a result)' : ''}`
  return `Median of ${repetitions} repetition${repetitions === 1 ? '' : 's'}; ${whiskers}`
}

export const STEPS = [1, 2, 5] as const

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

/** A linear scale from 0 to a round number, with about five ticks. */
export function linearScale(most: number, from: number, to: number): Scale {
  const step = roundStep((most > 0 ? most : 1) / 5, true)
  const max = step * Math.max(1, Math.ceil(most / step - 1e-9))
  const ticks = Array.from({ length: Math.round(max / step) + 1 }, (_, i) => i * step)
  return { min: 0, max, at: (value) => from + (value / max) * (to - from), ticks }
}

/** Lines across the frame at the ticks of a vertical scale, with their words. */
export function horizontalGrid(frame: Frame, y: Scale, word: (tick: number) => string): string[] {
  const right = px(frame.left + frame.width)
  return y.ticks.flatMap((tick) => [
    `<path class="grid" d="M${px(frame.left)} ${px(y.at(tick))}H${right}"/>`,
    `<text class="tick" text-anchor="end" x="${px(frame.left - 8)}" y="${px(y.at(tick) + 4)}">${escapeXml(word(tick))}</text>`,
  ])
}

/** The line below a frame, with the ticks of a horizontal scale and what they count. */
export function bottomAxis(frame: Frame, x: Scale, word: (tick: number) => string, label: string): string[] {
  const right = frame.left + frame.width
  const bottom = frame.top + frame.height
  return [
    ...x.ticks.flatMap((tick) => [
      `<path class="axis" d="M${px(x.at(tick))} ${px(bottom)}v5"/>`,
      `<text class="tick" text-anchor="middle" x="${px(x.at(tick))}" y="${px(bottom + 18)}">${escapeXml(word(tick))}</text>`,
    ]),
    `<path class="axis" d="M${px(frame.left)} ${px(bottom)}H${px(right)}"/>`,
    `<text class="label" text-anchor="middle" x="${px((frame.left + right) / 2)}" y="${px(bottom + 36)}">${escapeXml(label)}</text>`,
  ]
}

/** What the vertical scale counts, along the left edge. */
export function leftLabel(frame: Frame, label: string): string {
  const middle = px(frame.top + frame.height / 2)
  return `<text class="label" text-anchor="middle" transform="translate(22 ${middle}) rotate(-90)">${escapeXml(label)}</text>`
}

export function linePath(rank: number, points: readonly (readonly [x: number, y: number])[], more = ''): string {
  return `<path class="line line-${rank}${more}" d="M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join('L')}"/>`
}

export function marker(rank: number, x: number, y: number, title: string): string {
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

/** 1 k, 10 k, 1 M: without the zeros of a measured figure. */
export function decadeWord(decade: number): string {
  return scaled(decade).replace(/\.0+(?= |$)/, '')
}

export function px(value: number): number {
  return Math.round(value * 10) / 10
}

export function escapeXml(text: string): string {
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
.bound { stroke-dasharray: 5 5 }
.whisker { stroke-width: 1.5; opacity: 0.55; fill: none }
.dot { stroke-width: 1.5 }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) {
${colours(DARK)}
}
</style>`
