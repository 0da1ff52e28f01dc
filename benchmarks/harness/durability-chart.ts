// Durability as a picture: by level, records a second of the road, and how long one send takes to be
// acknowledged. Pure: the report in, an SVG out.
//
//   ┌ records a second ────┐  ┌ send to its ack ─────┐
//   │  ███                 │  │                 ▪ ◆  │  ▪ p50, ◆ p99
//   │  ███    ███    ███   │  │  ▪ ◆    ▪ ◆          │
//   └─memory──cache──disk──┘  └─memory──cache──disk──┘

import {
  bottomAxis,
  chartSvg,
  decadeWord,
  escapeXml,
  horizontalGrid,
  linearScale,
  logScale,
  marker,
  medianNote,
  px,
  WIDTH,
} from './chart.ts'
import type { Frame, Scale } from './chart.ts'
import { digits, scaled } from './format.ts'
import type { BenchReport, CaseReport } from './report.ts'
import type { Summary } from './statistics.ts'
import { LEVELS, roadId, sendId } from '../durability/durability-metrics.ts'

const GAP = 96
const PANEL_WIDTH = (WIDTH - 80 - 28 - GAP) / 2
const LEFT: Frame = { left: 80, top: 140, width: PANEL_WIDTH, height: 260 }
const RIGHT: Frame = { ...LEFT, left: LEFT.left + PANEL_WIDTH + GAP }
const HEIGHT = LEFT.top + LEFT.height + 52
const BAR = { rank: 1, width: 64 }
const WHISKER = 3
/** Pixels above and below the latencies: room for their words. */
const PAD = 28
/** The smaller one's words stand below it, the larger one's above it, so that they never meet. */
const PERCENTILES = [
  { id: 'p50', rank: 1, side: 'below' },
  { id: 'p99', rank: 3, side: 'above' },
] as const
/** How far a percentile stands beside the middle of its level. */
const ASIDE = { below: -6, above: 6 }

interface Figure {
  readonly level: string
  /** Of the level, among LEVELS. */
  readonly at: number
  readonly summary: Summary
}

/** undefined when nothing was measured; a panel without a figure is left out. */
export function renderDurabilityChart(durability: CaseReport, report: BenchReport): string | undefined {
  const rates = figuresOf(durability, roadId, durability.primary)
  const latencies = PERCENTILES.map((percentile) => ({ ...percentile, figures: figuresOf(durability, sendId, percentile.id) }))
  const all = [...rates, ...latencies.flatMap(({ figures }) => figures)]
  if (all.length === 0) return undefined
  const body: string[] = []
  if (rates.length > 0) body.push(...throughputPanel(rates))
  if (latencies.some(({ figures }) => figures.length > 0)) body.push(...latencyPanel(latencies))
  const heading = {
    title: durability.title,
    description: [
      ...rates.map(({ level, summary }) => `${level}: ${scaled(summary.median)} records a second.`),
      ...latencies.flatMap(({ id, figures }) => figures.map(({ level, summary }) => `${level}: ${id} ${timeWord(summary.median)}.`)),
    ].join(' '),
    heading: 'Durability: what each level costs',
    how: medianNote(Math.max(...all.map(({ summary }) => summary.samples.length)), report.small),
  }
  return chartSvg(heading, report, HEIGHT, body)
}

function figuresOf(durability: CaseReport, idOf: (level: (typeof LEVELS)[number]) => string, metric: string): Figure[] {
  return LEVELS.flatMap((level, at) => {
    const summary = durability.contenders.find(({ id }) => id === idOf(level))?.metrics[metric]
    return summary === undefined ? [] : [{ level, at, summary }]
  })
}

function throughputPanel(rates: readonly Figure[]): string[] {
  const x = levelScale(LEFT)
  const bottom = LEFT.top + LEFT.height
  const y = linearScale(Math.max(...rates.map(({ summary }) => summary.max)), bottom, LEFT.top)
  return [
    panelTitle(LEFT, 'the road at full speed, records a second'),
    ...horizontalGrid(LEFT, y, decadeWord),
    ...rates.map(({ level, at, summary }) => {
      const { min, median, max } = summary
      const left = px(x.at(at) - BAR.width / 2)
      const title = escapeXml(`${level}: ${scaled(median)}/s (${scaled(min)}–${scaled(max)})`)
      const size = `y="${px(y.at(median))}" width="${BAR.width}" height="${px(bottom - y.at(median))}"`
      const bar = `<rect class="dot dot-${BAR.rank}" x="${left}" ${size}><title>${title}</title></rect>`
      const words = label(x.at(at), y.at(max) - 8, `${scaled(median)}/s`)
      return `<g>${bar}${whisker(WHISKER, x.at(at), y, summary)}${words}</g>`
    }),
    ...bottomAxis(LEFT, x, levelWord, 'durability'),
  ]
}

interface Percentile {
  readonly id: string
  readonly rank: number
  readonly side: 'below' | 'above'
  readonly figures: readonly Figure[]
}

function latencyPanel(latencies: readonly Percentile[]): string[] {
  const x = levelScale(RIGHT)
  const values = latencies.flatMap(({ figures }) => figures.flatMap(({ summary }) => [summary.min, summary.max]))
  const y = logScale(values, RIGHT.top + RIGHT.height, RIGHT.top, PAD)
  return [
    panelTitle(RIGHT, 'one send to its acknowledgement, 1,000 a second'),
    ...horizontalGrid(RIGHT, y, timeWord),
    ...latencies.flatMap(({ id, rank, side, figures }) =>
      figures.map(({ level, at, summary }) => {
        const { min, median, max } = summary
        const left = x.at(at) + ASIDE[side]
        const dot = marker(rank, left, y.at(median), `${level}, ${id}: ${timeWord(median)} (${timeWord(min)}–${timeWord(max)})`)
        const top = side === 'below' ? y.at(min) + 20 : y.at(max) - 10
        const words = label(x.at(at), top, `${id} ${timeWord(median)}`)
        return `<g>${whisker(rank, left, y, summary)}${dot}${words}</g>`
      }),
    ),
    ...bottomAxis(RIGHT, x, levelWord, 'durability'),
  ]
}

/** A place for each level, the same distance apart. */
function levelScale(frame: Frame): Scale {
  const at = (level: number): number => frame.left + ((level + 0.5) / LEVELS.length) * frame.width
  return { min: 0, max: LEVELS.length - 1, at, ticks: LEVELS.map((_, level) => level) }
}

function levelWord(level: number): string {
  return LEVELS[level] ?? ''
}

/** Microseconds as people read them: `85.2 µs`, `1.20 ms`; round ones without zeros. */
function timeWord(us: number): string {
  const [size, unit] = us >= 1_000 ? [us / 1_000, 'ms'] : [us, 'µs']
  return `${Number.isInteger(size) ? size : digits(size)} ${unit}`
}

function panelTitle(frame: Frame, title: string): string {
  return `<text class="panel" x="${px(frame.left)}" y="${px(frame.top - 30)}">${escapeXml(title)}</text>`
}

function label(x: number, y: number, words: string): string {
  return `<text class="label" text-anchor="middle" x="${px(x)}" y="${px(y)}">${escapeXml(words)}</text>`
}

function whisker(rank: number, x: number, y: Scale, { min, max }: Summary): string {
  return `<path class="whisker whisker-${rank}" d="M${px(x)} ${px(y.at(min))}V${px(y.at(max))}"/>`
}
