// Scaling as a picture: records a second by the number of strands, and the straight line that
// would be as many times the first. Pure: the report in, an SVG out.

import {
  bottomAxis,
  chartSvg,
  decadeWord,
  horizontalGrid,
  leftLabel,
  linearScale,
  linePath,
  marker,
  medianNote,
  px,
  WIDTH,
} from './chart.ts'
import type { Frame } from './chart.ts'
import { count, digits, scaled } from './format.ts'
import type { BenchReport, CaseReport } from './report.ts'

const FRAME: Frame = { left: 80, top: 116, width: WIDTH - 80 - 28, height: 260 }
const HEIGHT = FRAME.top + FRAME.height + 52
const MEASURED = 2
const LINEAR = 0

/** A strand is one partition with its three threads. undefined when nothing was measured. */
export function renderScaleChart(scale: CaseReport, report: BenchReport): string | undefined {
  const points = scale.contenders.flatMap(({ partitions, metrics }) => {
    const summary = metrics[scale.primary]
    return summary === undefined ? [] : [{ strands: partitions, summary }]
  })
  const [first] = points
  if (first === undefined) return undefined
  const most = Math.max(...points.map(({ strands }) => strands))
  const linear = (strands: number): number => (first.summary.median / first.strands) * strands
  const x = linearScale(most, FRAME.left, FRAME.left + FRAME.width)
  const y = linearScale(Math.max(linear(most), ...points.map(({ summary }) => summary.max)), FRAME.top + FRAME.height, FRAME.top)
  const whole = { ...x, ticks: x.ticks.filter((tick) => Number.isInteger(tick)) }
  const body = [
    ...horizontalGrid(FRAME, y, decadeWord),
    ...bottomAxis(FRAME, whole, count, 'producers → partitions → readers, each of so many threads'),
    leftLabel(FRAME, 'records a second'),
    linePath(
      LINEAR,
      [0, most].map((strands) => [x.at(strands), y.at(linear(strands))] as const),
      ' bound',
    ),
    linePath(
      MEASURED,
      points.map(({ strands, summary }) => [x.at(strands), y.at(summary.median)] as const),
    ),
    ...points.map(({ strands, summary }) => {
      const of = digits(summary.median / linear(strands))
      const title = `n = ${strands}: ${scaled(summary.median)}/s (${scaled(summary.min)}–${scaled(summary.max)}), ${of} of linear`
      const whisker = `<path class="whisker whisker-${MEASURED}" d="M${px(x.at(strands))} ${px(y.at(summary.min))}V${px(y.at(summary.max))}"/>`
      return `<g>${whisker}${marker(MEASURED, x.at(strands), y.at(summary.median), title)}</g>`
    }),
  ]
  const { cores } = report.machine
  const heading = {
    title: scale.title,
    description: points.map(({ strands, summary }) => `n = ${strands}: ${scaled(summary.median)}/s.`).join(' '),
    heading: 'Scaling: records a second by strands',
    how: `${medianNote(first.summary.samples.length, report.small)}; dashed: linear; ${cores} cores carry ${Math.floor(cores / 3)} whole strands`,
  }
  return chartSvg(heading, report, HEIGHT, body)
}
