import { describe, expect, test } from 'vitest'
import { throughput } from '../../benchmarks/harness/bench-case.ts'
import type { CaseSpec, ContenderSpec, Measurement, OpenContext, TargetSpec } from '../../benchmarks/harness/bench-case.ts'
import { caseReport, contenderReport, failures, judge, missedTargets, parseReport } from '../../benchmarks/harness/report.ts'
import { renderReport } from '../../benchmarks/harness/table.ts'
import { caseOf, contenderOf, contextOf, MACHINE, reportOf, sweepOf } from './bench-reports.ts'

const WHOLE = { records: 10, checksum: 5, expectedRecords: 10, expectedChecksum: 5 }

function spec(id: string): ContenderSpec {
  return {
    id,
    title: id,
    kind: 'peer',
    records: 10,
    smallRecords: 1,
    valueBytes: 100,
    threads: 1,
    partitions: 1,
    setup: '',
    open: async () => {
      throw new Error('not opened in this test')
    },
  }
}

const measurements: readonly Measurement[] = [throughput(WHOLE, 1_000, 2), throughput(WHOLE, 1_000, 1)]

describe('what a contender measured', () => {
  test('its metrics are summarised over the repetitions', () => {
    const report = contenderReport({ spec: spec('a'), status: 'measured', records: 10, measurements })
    expect(report.metrics['recordsPerSecond']).toEqual({ min: 5, median: 7.5, max: 10, samples: [5, 10] })
    expect(report.metrics['bytesPerSecond']?.max).toBe(1_000)
  })

  test('one that failed has no figure, whatever it measured before', () => {
    const report = contenderReport({ spec: spec('a'), status: 'failed', why: 'lost one', records: 10, measurements })
    expect(report.metrics).toEqual({})
    expect(report.why).toBe('lost one')
  })

  test('one that was interrupted keeps what it had', () => {
    const report = contenderReport({ spec: spec('a'), status: 'interrupted', records: 10, measurements })
    expect(report.metrics['recordsPerSecond']?.samples).toHaveLength(2)
  })
})

describe('targets', () => {
  const contenders = [
    contenderOf('ours', [8, 8, 8]),
    contenderOf('theirs', [10, 16, 20]),
    contenderOf('broken', [], { status: 'failed', why: 'lost one' }),
    contenderOf('absent', [], { status: 'skipped', why: 'no Kafka runs here' }),
  ]
  const verdict = (target: TargetSpec, more: Partial<OpenContext> = {}) => judge(target, contenders, 'recordsPerSecond', contextOf(more))
  const ratio = (to: string, more: Partial<TargetSpec>): TargetSpec => ({
    id: to,
    text: 'ours against theirs',
    value: (seen) => seen.ratio('ours', to),
    unit: 'ratio',
    ...more,
  })

  test('met and missed, at least and at most', () => {
    expect(verdict(ratio('theirs', { atLeast: 0.5 }))).toMatchObject({ value: 0.5, verdict: 'met' })
    expect(verdict(ratio('theirs', { atLeast: 0.7 }))).toMatchObject({ value: 0.5, verdict: 'missed' })
    expect(verdict(ratio('theirs', { atMost: 0.4 })).verdict).toBe('missed')
    expect(verdict(ratio('theirs', { atMost: () => 0.5 }))).toMatchObject({ atMost: 0.5, verdict: 'met' })
  })

  test('without a figure there is no verdict, and with --small none either', () => {
    const failed = { value: null, verdict: 'no result', why: 'failed, contender broken: lost one' }
    expect(verdict(ratio('broken', { atLeast: 0 }))).toMatchObject(failed)
    expect(verdict(ratio('theirs', { atLeast: 0.7 }), { small: true })).toMatchObject({ value: null, verdict: 'not judged' })
  })

  test('what was skipped is not judged, and the reason stands beside it', () => {
    const skipped = { value: null, verdict: 'not judged', why: 'skipped, contender absent: no Kafka runs here' }
    expect(verdict(ratio('absent', { atLeast: 2 }))).toMatchObject(skipped)
    const short = ratio('theirs', { atLeast: 0.5, notJudged: ({ soakMinutes }) => (soakMinutes < 10 ? 'too short' : undefined) })
    expect(verdict(short)).toMatchObject({ value: 0.5, verdict: 'not judged', why: 'too short' })
    expect(verdict(short, { soakMinutes: 30 }).verdict).toBe('met')
  })

  test('a figure that gathers over all repetitions is the last one', () => {
    expect(verdict({ ...ratio('theirs', {}), value: (view) => view.last('theirs', 'recordsPerSecond') }).value).toBe(20)
  })

  test('a report lists what failed and what was missed', () => {
    const one: CaseSpec = {
      id: 'S1',
      title: '',
      measures: '',
      metrics: {},
      primary: 'recordsPerSecond',
      order: 'alternate',
      table: 'throughput',
      warmUps: 0,
      repetitions: 5,
      contenders: [],
      targets: [{ id: 't', text: 'a against b', value: (seen) => seen.ratio('a', 'b'), atLeast: 2, unit: 'ratio' }],
    }
    const outcomes = [
      { spec: spec('a'), status: 'measured', records: 10, measurements },
      { spec: spec('b'), status: 'measured', records: 10, measurements },
      { spec: spec('c'), status: 'failed', why: 'lost one', records: 10, measurements },
    ] as const
    const report = reportOf([caseReport(one, outcomes, contextOf())])
    expect(failures(report)).toEqual(['S1 c: lost one'])
    expect(missedTargets(report).map((target) => target.id)).toEqual(['t'])
  })
})

describe('a report file', () => {
  test('comes back as it was written', () => {
    const report = reportOf([sweepOf()])
    expect(parseReport(JSON.stringify(report))).toEqual(report)
  })

  test.each(['', '[]', '{"schema":99}', '{"schema":1}', 'null'])('%j is refused with a sentence', (text) => {
    expect(() => parseReport(text)).toThrow(TypeError)
  })
})

describe('the readable table', () => {
  const report = reportOf([
    caseOf('S1', [
      contenderOf('ours', [10e6, 12e6, 11e6], { kind: 'millrace' }),
      contenderOf('theirs', [1e6, 1.2e6, 1.1e6]),
      contenderOf('broken', [], { status: 'failed', why: '9 of 10 records arrived' }),
      contenderOf('absent', [], { status: 'skipped', why: 'not here' }),
    ]),
    sweepOf(),
  ])
  const text = renderReport(report)

  test('columns stand below each other', () => {
    const tables = text.split('\n\n').filter((part) => part.startsWith('|'))
    expect(tables.length).toBeGreaterThan(2)
    for (const table of tables) expect(new Set(table.split('\n').map((line) => [...line].length)).size).toBe(1)
  })

  test('says machine, runtime, commit and date', () => {
    for (const word of [MACHINE.cpu, '2 cores', '24 GiB', MACHINE.node, MACHINE.commit, MACHINE.date]) expect(text).toContain(word)
  })

  test('says when the machine had other work', () => {
    expect(text).not.toContain('busy')
    expect(renderReport({ ...report, machine: { ...MACHINE, loadBefore: 3 } })).toContain('the machine was busy')
  })

  test('gives figures, ratios, and the reason where there is none', () => {
    expect(text).toMatch(/contender theirs .* 1\.10 M .* 0\.1(00)?×/)
    expect(text).toContain('**failed**, contender broken: 9 of 10 records arrived')
    expect(text).toContain('**skipped**, contender absent: not here')
    expect(text).not.toMatch(/NaN|undefined/)
  })

  test('with --small it says that nothing is a result', () => {
    expect(renderReport({ ...report, small: true })).toContain('No figure below is a result')
  })

  test('figures recorded elsewhere are apart and marked', () => {
    const marked = renderReport(reportOf([caseOf('S1', [], { skippedPeers: [{ title: 'Kafka', why: 'not installed' }] })]))
    expect(marked).toContain('## Recorded elsewhere, not in this run')
    expect(marked).toContain('- skipped, Kafka: not installed')
  })
})
