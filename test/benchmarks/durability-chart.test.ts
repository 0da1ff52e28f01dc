import { describe, expect, test } from 'vitest'
import { D1 } from '../../benchmarks/cases/durability-level-case.ts'
import { renderDurabilityChart } from '../../benchmarks/harness/durability-chart.ts'
import type { CaseReport } from '../../benchmarks/harness/report.ts'
import { summarise } from '../../benchmarks/harness/statistics.ts'
import { caseOf, contenderOf, reportOf } from './bench-reports.ts'
import { assertWellFormed } from './svg.ts'

const SAMPLES = [0.9, 1, 1.2]

/** A report of D1 in which each contender has `figures` by its id; one without figures has failed. */
function durabilityOf(figures: Readonly<Record<string, Readonly<Record<string, number>>>>): CaseReport {
  const contenders = D1.contenders.map(({ id, title }) => {
    const metrics = Object.entries(figures[id] ?? {}).map(([metric, value]) => [metric, summarise(SAMPLES.map((part) => part * value))])
    return contenderOf(id, [], { title, metrics: Object.fromEntries(metrics), status: metrics.length === 0 ? 'failed' : 'measured' })
  })
  return caseOf('D1', contenders, { table: 'metrics' })
}

const ALL = {
  'road-memory': { recordsPerSecond: 12e6 },
  'road-cache': { recordsPerSecond: 6e6 },
  'road-disk': { recordsPerSecond: 1.5e6 },
  'send-memory': { p50: 80, p99: 200 },
  'send-cache': { p50: 100, p99: 300 },
  'send-disk': { p50: 1_500, p99: 9_000 },
}

/** Where the panels of latency have their markers, by the level and percentile that their titles tell: pixels from the top. */
function markerTops(svg: string): Record<string, number> {
  const tops: Record<string, number> = {}
  for (const [, square, diamond, title] of svg.matchAll(
    /class="dot[^>]*?(?: y="([\d.]+)"| d="M[\d.]+ ([\d.]+)L)[^>]*><title>(\w+, p\d+):/g,
  )) {
    tops[title!] = Number(square ?? diamond)
  }
  return tops
}

describe('the chart of durability', () => {
  const report = durabilityOf(ALL)
  const svg = renderDurabilityChart(report, reportOf([report]))!

  test('has a bar a level for throughput, and two percentiles a level for an acknowledged send', () => {
    assertWellFormed(svg)
    for (const title of ['memory: 12.0 M/s (10.8 M–14.4 M)', 'cache: 6.00 M/s (5.40 M–7.20 M)', 'disk: 1.50 M/s (1.35 M–1.80 M)']) {
      expect(svg).toContain(`<title>${title}</title>`)
    }
    for (const title of [
      'memory, p50: 80 µs (72 µs–96 µs)',
      'cache, p99: 300 µs (270 µs–360 µs)',
      'disk, p50: 1.50 ms (1.35 ms–1.80 ms)',
    ]) {
      expect(svg).toContain(`<title>${title}</title>`)
    }
    expect(svg).toContain('p99 9 ms')
  })

  test('bars are as high as their figures, and what took longer stands higher', () => {
    const heights = [...svg.matchAll(/<rect class="dot[^>]*width="64" height="([\d.]+)"/g)].map(([, height]) => Number(height))
    expect(heights[0]! / heights[1]!).toBeCloseTo(2, 1)
    expect(heights[0]! / heights[2]!).toBeCloseTo(8, 0)
    const tops = markerTops(svg)
    expect(Object.keys(tops)).toHaveLength(6)
    expect(tops['disk, p99']).toBeLessThan(tops['disk, p50']!)
    expect(tops['disk, p50']).toBeLessThan(tops['cache, p50']!)
    expect(tops['cache, p50']).toBeLessThan(tops['memory, p50']!)
  })

  test('what has no figure leaves a gap, and none at all gives no chart', () => {
    const { 'road-disk': road, 'send-disk': send, ...rest } = ALL
    const gap = renderDurabilityChart(durabilityOf(rest), reportOf([]))!
    assertWellFormed(gap)
    expect(gap).not.toContain('<title>disk')
    expect(gap).toContain('>disk</text>')
    for (const one of [{ 'road-disk': road }, { 'send-disk': send }])
      assertWellFormed(renderDurabilityChart(durabilityOf(one), reportOf([]))!)
    expect(renderDurabilityChart(durabilityOf({}), reportOf([]))).toBeUndefined()
  })
})
