import { describe, expect, test } from 'vitest'
import { compareReports, renderComparison } from '../../benchmarks/harness/compare.ts'
import { caseOf, contenderOf, MACHINE, reportOf } from './bench-reports.ts'

describe('this run beside an older one', () => {
  const before = reportOf([
    caseOf('S1', [
      contenderOf('a', [10, 11, 12]),
      contenderOf('b', [10, 11, 12]),
      contenderOf('c', [10, 11, 12]),
      contenderOf('gone', [1]),
    ]),
  ])
  const after = reportOf([
    caseOf('S1', [contenderOf('a', [20, 22, 24]), contenderOf('b', [5, 5.5, 6]), contenderOf('c', [11, 12, 13]), contenderOf('new', [1])]),
  ])

  test('each figure has its ratio; ranges that overlap are no change', () => {
    const { figures } = compareReports(before, after)
    expect(figures.map(({ contender, ratio, change }) => [contender, ratio, change])).toEqual([
      ['a', 2, 'better'],
      ['b', 0.5, 'worse'],
      ['c', 12 / 11, 'within spread'],
    ])
  })

  test('where less is better, less is better', () => {
    const metricTitles = { p50: { title: 'p50', unit: 'µs', better: 'lower' } } as const
    const latency = (p50: number) =>
      reportOf([
        caseOf('S13', [contenderOf('park', [], { metrics: { p50: { min: p50, median: p50, max: p50, samples: [p50] } } })], {
          table: 'metrics',
          primary: 'p50',
          metricTitles,
        }),
      ])
    expect(compareReports(latency(100), latency(50)).figures[0]).toMatchObject({ ratio: 0.5, change: 'better', unit: 'µs' })
    expect(compareReports(latency(50), latency(100)).figures[0]).toMatchObject({ ratio: 2, change: 'worse' })
  })

  test('what only one of them has is named, not compared', () => {
    const comparison = compareReports(before, after)
    expect(comparison.onlyBefore).toEqual(['S1 gone recordsPerSecond'])
    expect(comparison.onlyAfter).toEqual(['S1 new recordsPerSecond'])
  })

  test('a case that the other run did not have is named once', () => {
    const more = reportOf([...after.cases, caseOf('S4', [contenderOf('a', [1]), contenderOf('b', [2])])])
    expect(compareReports(before, more).onlyAfter).toEqual(['S1 new recordsPerSecond', 'S4'])
  })

  test('another machine, runtime or size of run is said', () => {
    const other = reportOf(after.cases, { machine: { ...MACHINE, cpu: 'another', cores: 16, node: 'v22.23.3' }, small: true })
    const comparison = compareReports(before, other)
    expect(comparison.warnings).toHaveLength(4)
    const text = renderComparison(comparison, before)
    for (const word of ['another', '16', 'v22.23.3', '--small', 'better', '2.00×']) expect(text).toContain(word)
  })

  test('two runs with nothing in common say so', () => {
    expect(renderComparison(compareReports(before, reportOf([])), before)).toContain('no figure in common')
  })
})
