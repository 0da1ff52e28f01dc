import { describe, expect, test } from 'vitest'
import { linearScale } from '../../benchmarks/harness/chart.ts'
import { renderMemoryChart } from '../../benchmarks/harness/memory-chart.ts'
import { renderScaleChart } from '../../benchmarks/harness/scale-chart.ts'
import type { SoakDetail } from '../../benchmarks/soak/soak-metrics.ts'
import { caseOf, contenderOf, reportOf } from './bench-reports.ts'
import { assertWellFormed } from './svg.ts'

describe('the chart of scaling', () => {
  const scale = caseOf(
    'S11',
    [1, 2, 5].map((n) => contenderOf(`n${n}`, [9e6 * n, 10e6 * n * 0.9 ** (n - 1), 11e6 * n], { partitions: n })),
  )

  test('has a point for each number of strands, with its part of linear', () => {
    const svg = renderScaleChart(scale, reportOf([scale]))!
    assertWellFormed(svg)
    expect(svg).toContain('<title>n = 1: 10.0 M/s (9.00 M–11.0 M), 1.00 of linear</title>')
    expect(svg.match(/<title>n = /g)).toHaveLength(3)
    expect(svg).toContain('2 cores carry 0 whole strands')
  })

  test('nothing measured gives no chart, and one point is enough', () => {
    expect(renderScaleChart(caseOf('S11', [contenderOf('n1', [])]), reportOf([]))).toBeUndefined()
    assertWellFormed(renderScaleChart(caseOf('S11', [contenderOf('n1', [5])]), reportOf([]))!)
  })
})

describe('the chart of the soak', () => {
  const MIB = 1 << 20
  const soakOf = (seconds: number) => {
    const memory = [1, 0.5, 0.25].map((part) => [seconds - part, 340 * MIB, 256 * MIB] as const)
    const details: SoakDetail[] = [{ isWarmUp: false, memory }]
    return caseOf('C3', [contenderOf('soak', [1], { details })], { table: 'metrics' })
  }

  test('shows all memory and what is not log memory, over seconds or minutes', () => {
    const short = renderMemoryChart(soakOf(60), reportOf([]))!
    assertWellFormed(short)
    for (const words of ['all: 340 MiB', 'beside log memory: 84 MiB', 'seconds at full speed', '3 looks']) expect(short).toContain(words)
    expect(renderMemoryChart(soakOf(1_800), reportOf([]))).toContain('minutes at full speed')
  })

  test('a soak that failed gives no chart', () => {
    expect(renderMemoryChart(caseOf('C3', [contenderOf('soak', [], { status: 'failed', details: [null] })]), reportOf([]))).toBeUndefined()
  })
})

describe('a linear scale', () => {
  test('runs from 0 to a round number that holds all values', () => {
    expect(linearScale(17, 0, 100)).toMatchObject({ min: 0, max: 20, ticks: [0, 5, 10, 15, 20] })
    expect(linearScale(1, 100, 0).ticks).toHaveLength(6)
    expect(linearScale(0, 0, 100).at(0)).toBe(0)
  })
})
