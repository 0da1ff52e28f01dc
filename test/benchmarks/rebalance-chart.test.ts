import { describe, expect, test } from 'vitest'
import { renderRebalanceChart } from '../../benchmarks/harness/rebalance-chart.ts'
import { summarise } from '../../benchmarks/harness/statistics.ts'
import { caseOf, contenderOf, reportOf } from './bench-reports.ts'
import { assertWellFormed } from './svg.ts'

const rebalanceOf = (members: number, partitions: number) => {
  const ms = members / 2 + partitions / 20
  const metrics = { joined: summarise([ms * 0.9, ms, ms * 1.2]), left: summarise([ms / 2]) }
  return contenderOf(`${members}-${partitions}`, [], { partitions, metrics })
}

describe('the chart of rebalances', () => {
  test('has a line a number of members and a panel for joining and for leaving', () => {
    const cells = [100, 10].flatMap((members) => [1_000, 100].map((partitions) => rebalanceOf(members, partitions)))
    const one = caseOf('G2', [rebalanceOf(3, 12), ...cells], { primary: 'joined' })
    const svg = renderRebalanceChart(one, reportOf([one]))!
    assertWellFormed(svg)
    expect(svg.match(/<title>\d+ members, /g)).toHaveLength(2 * cells.length)
    expect(svg).toContain('<title>100 members, 1,000 partitions: 100 ms (90.0–120)</title>')
    expect(svg).toContain('<title>10 members, 100 partitions: 5.00 ms (5.00–5.00)</title>')
    for (const words of ['one joins', 'one leaves', '10 members', '100 members']) expect(svg).toContain(`>${words}<`)
    // Three members were measured with one number of partitions: no line.
    expect(svg).not.toContain('3 members')
  })

  test('a line has its points in order of partitions', () => {
    const one = caseOf('G2', [rebalanceOf(10, 1_000), rebalanceOf(10, 300), rebalanceOf(10, 100)])
    const path = /class="line line-0" d="(M[\d.]+ [\d.]+(?:L[\d.]+ [\d.]+)+)"/.exec(renderRebalanceChart(one, reportOf([one]))!)![1]!
    const lefts = path
      .split(/[ML]/)
      .slice(1)
      .map((point) => Number(point.split(' ')[0]))
    expect(lefts).toHaveLength(3)
    expect(lefts).toEqual(lefts.toSorted((a, b) => a - b))
  })

  test('nothing measured gives no chart', () => {
    expect(renderRebalanceChart(caseOf('G2', [contenderOf('10-100', [])]), reportOf([]))).toBeUndefined()
  })
})
