import { describe, expect, test } from 'vitest'
import { logScale } from '../../benchmarks/harness/chart.ts'
import { renderSweepChart } from '../../benchmarks/harness/sweep-chart.ts'
import { caseOf, contenderOf, reportOf, sweepOf } from './bench-reports.ts'
import { assertWellFormed } from './svg.ts'

describe('the chart of the batching sweep', () => {
  const sweep = sweepOf()
  const svg = renderSweepChart(sweep, reportOf([sweep]))!

  test('is well-formed, and text from the machine is escaped', () => {
    assertWellFormed(svg)
    expect(svg).toContain('A &lt;quick&gt; &amp; plain CPU')
  })

  test('has a panel a size, a point a cell with its figure, labelled axes, a legend', () => {
    expect(svg).toContain('10 B values')
    expect(svg).toContain('1 KiB values')
    expect(svg.match(/<title>1 KiB, /g)).toHaveLength(8)
    for (const label of ['records a batch', 'records a second', '1 lane<', '8 lanes<', '1,000<']) expect(svg).toContain(label)
  })

  test('stays inside its frame and holds no number that is none', () => {
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!
    for (const [, x, y] of svg.matchAll(/ cx="([\d.]+)" cy="([\d.]+)"/g)) {
      expect(Number(x)).toBeLessThan(Number(width))
      expect(Number(y)).toBeLessThan(Number(height))
    }
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('follows a light or dark setting without CSS variables', () => {
    expect(svg).toContain('@media (prefers-color-scheme: dark)')
    expect(svg).not.toContain('var(')
  })

  test('lanes differ by shape as well as colour', () => {
    expect(svg).toContain('<circle class="dot dot-0"')
    expect(svg).toContain('<rect class="dot dot-1"')
  })

  test('cells without a figure leave a gap, and none at all gives no chart', () => {
    const broken = caseOf('S8', [contenderOf('x', [], { cell: { recordsPerBatch: 1, lanes: 1, valueBytes: 10 }, status: 'failed' })], {
      table: 'sweep',
    })
    expect(renderSweepChart(broken, reportOf([broken]))).toBeUndefined()
    const single = caseOf('S8', [contenderOf('x', [5], { cell: { recordsPerBatch: 1, lanes: 1, valueBytes: 10 } })], { table: 'sweep' })
    expect(renderSweepChart(single, reportOf([single]))).not.toMatch(/NaN|Infinity/)
  })
})

describe('a logarithmic scale', () => {
  test('runs from a round number to a round number that hold all values', () => {
    const scale = logScale([370_000, 17_500_000], 300, 100, 0)
    expect(scale).toMatchObject({ min: 200_000, max: 20_000_000, ticks: [1_000_000, 10_000_000] })
    expect(scale.at(scale.min)).toBeCloseTo(300)
    expect(scale.at(scale.max)).toBeCloseTo(100)
    expect(scale.at(2_000_000)).toBeCloseTo(200)
  })

  test('spans a decade at least, and whole decades stay as they are', () => {
    expect(logScale([5], 0, 100, 10)).toMatchObject({ min: 5, max: 50, ticks: [10] })
    expect(logScale([1, 10_000], 0, 100, 10)).toMatchObject({ min: 1, max: 10_000, ticks: [1, 10, 100, 1_000, 10_000] })
  })
})
