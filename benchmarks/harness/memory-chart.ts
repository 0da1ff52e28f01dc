// The soak as a picture: resident memory over time, all of it and what lies beside log memory.
// Pure: the report in, an SVG out.

import { bottomAxis, chartSvg, horizontalGrid, leftLabel, linearScale, linePath, px, WIDTH } from './chart.ts'
import type { Frame } from './chart.ts'
import { byteSize, count } from './format.ts'
import type { BenchReport, CaseReport } from './report.ts'
import type { MemorySample, SoakDetail } from '../soak/soak-metrics.ts'

const FRAME: Frame = { left: 88, top: 116, width: WIDTH - 88 - 28, height: 260 }
const HEIGHT = FRAME.top + FRAME.height + 52
const MIB = 1 << 20
const LINES = [
  { rank: 1, word: 'beside log memory', pick: ([, resident, arena]: MemorySample): number => resident - arena },
  { rank: 3, word: 'all', pick: ([, resident]: MemorySample): number => resident },
] as const

/** undefined when nothing was measured. The warm-up is not in it. */
export function renderMemoryChart(soak: CaseReport, report: BenchReport): string | undefined {
  const details = soak.contenders.flatMap(({ details: all, status }) =>
    status === 'failed' ? [] : (all as readonly (SoakDetail | null)[]),
  )
  const samples = details.flatMap((detail) => detail?.memory ?? [])
  const last = samples.at(-1)
  if (last === undefined) return undefined
  const inMinutes = last[0] > 300
  const unit = inMinutes ? 60 : 1
  const x = linearScale(last[0] / unit, FRAME.left, FRAME.left + FRAME.width)
  const y = linearScale(Math.max(...samples.map(([, resident]) => resident)) / MIB, FRAME.top + FRAME.height, FRAME.top)
  const body = [
    ...horizontalGrid(FRAME, y, (mib) => count(Math.round(mib))),
    ...bottomAxis(FRAME, x, (tick) => String(Number(tick.toFixed(2))), inMinutes ? 'minutes at full speed' : 'seconds at full speed'),
    leftLabel(FRAME, 'resident, MiB'),
    ...LINES.flatMap(({ rank, word, pick }) => {
      const line = samples.map((sample) => [x.at(sample[0] / unit), y.at(pick(sample) / MIB)] as const)
      const [, top] = line.at(-1)!
      const label = `<text class="label" text-anchor="end" x="${px(FRAME.left + FRAME.width)}" y="${px(top - 8)}">${word}: ${byteSize(pick(last))}</text>`
      return [linePath(rank, line), label]
    }),
  ]
  const heading = {
    title: soak.title,
    description: LINES.map(({ word, pick }) => `${word}: ${byteSize(pick(last))} at the end.`).join(' '),
    heading: 'Soak: resident memory over time',
    how: `${samples.length} looks after the warm-up, from outside the process${report.small ? ' (--small: not a result)' : ''}`,
  }
  return chartSvg(heading, report, HEIGHT, body)
}
