import { describe, expect, test } from 'vitest'
import { X2 } from '../../benchmarks/cases/window-case.ts'
import { renderWindowsChart } from '../../benchmarks/harness/windows-chart.ts'
import { summarise } from '../../benchmarks/harness/statistics.ts'
import { KEY_COUNTS, WINDOW_KINDS, gapMs, periodMs, roundMs, timeMs, windowsOf } from '../../benchmarks/windows/window-kinds.ts'
import { caseOf, contenderOf, reportOf } from './bench-reports.ts'
import { assertWellFormed } from './svg.ts'

describe('the chart of windows', () => {
  const contenders = [10, 1].flatMap((keys) =>
    WINDOW_KINDS.map((kind, i) =>
      contenderOf(`${kind}-${keys}`, [], {
        metrics: { windowsPerSecond: summarise([1, 0.9, 1.2].map((part) => (part * 1e6) / (i + 1) / keys)) },
      }),
    ),
  )

  test('has a line a kind of window, its points in order of keys', () => {
    const one = caseOf('X2', contenders, { primary: 'windowsPerSecond' })
    const svg = renderWindowsChart(one, reportOf([one]))!
    assertWellFormed(svg)
    expect(svg).toContain('<title>tumbling, 1 key: 1.00 M/s (900 k–1.20 M)</title>')
    expect(svg).toContain('<title>hopping, 10 keys: 50.0 k/s (45.0 k–60.0 k)</title>')
    for (const [rank, kind] of WINDOW_KINDS.entries()) {
      expect(svg).toContain(`>${kind}</text>`)
      const path = new RegExp(`class="line line-${rank}" d="M([\\d.]+) ([\\d.]+)L([\\d.]+) ([\\d.]+)"`).exec(svg)!
      const [left, top, right, bottom] = path.slice(1).map(Number)
      expect(left).toBeLessThan(right!)
      expect(top).toBeLessThan(bottom!)
    }
  })

  test('nothing measured gives no chart', () => {
    expect(renderWindowsChart(caseOf('X2', [contenderOf('tumbling-1', [])], { primary: 'windowsPerSecond' }), reportOf([]))).toBeUndefined()
  })
})

describe('the windows of the case', () => {
  test('are whole, and as many for every number of keys but for the first hopping ones', () => {
    for (const { records, smallRecords, id } of X2.contenders) {
      const [, keys] = id.split('-')
      expect(records % (4 * Number(keys))).toBe(0)
      if (X2.smallContenders!.includes(id)) expect(smallRecords % (4 * Number(keys))).toBe(0)
    }
    for (const keys of KEY_COUNTS) {
      expect(windowsOf('tumbling', keys, 800_000)).toBe(200_000)
      expect(windowsOf('session', keys, 800_000)).toBe(200_000)
      expect(windowsOf('hopping', keys, 800_000)).toBe(400_000 + keys)
    }
  })

  test('a session ends in a silence and in no other place', () => {
    for (const keys of KEY_COUNTS) {
      const steps = Array.from(
        { length: 7 },
        (_, round) => timeMs('session', keys, (round + 1) * keys) - timeMs('session', keys, round * keys),
      )
      expect(steps.map((step) => step > gapMs(keys))).toEqual([false, false, false, true, false, false, false])
      expect(periodMs(keys)).toBe(4 * roundMs(keys))
    }
  })
})
