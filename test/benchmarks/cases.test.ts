import { describe, expect, test } from 'vitest'
import { CASES } from '../../benchmarks/cases.ts'
import { batchBytes, cliffs, S8 } from '../../benchmarks/cases/sweep-case.ts'
import { strandCounts } from '../../benchmarks/cases/scale-case.ts'
import { roadLimit } from '../../benchmarks/limit/road-limit.ts'
import { cannotSpin } from '../../benchmarks/cases/spinning.ts'
import { viewOf } from '../../benchmarks/harness/report.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { contenderOf, contextOf, MACHINE } from './bench-reports.ts'

describe('the cases', () => {
  test('are those that the targets name, each told in full', () => {
    expect(CASES.map((one) => one.id)).toEqual([
      'S1',
      'S2',
      'S3',
      'S4',
      'S6',
      'S7',
      'S8',
      'S9',
      'S10',
      'S11',
      'S12',
      'S13',
      'S14',
      'S16',
      'S18',
      'D1',
      'G1',
      'G2',
      'G3',
      'G4',
      'C1',
      'C2',
      'C3',
      'C4',
      'C5',
      'C6',
      'C7',
      'C8',
      'R9',
      'X1',
      'X2',
      'X3',
    ])
    for (const one of CASES) {
      expect(one.repetitions).toBeGreaterThanOrEqual(5)
      expect(one.measures).not.toBe('')
      const ids = one.contenders.map((contender) => contender.id)
      expect(new Set(ids).size).toBe(ids.length)
      for (const small of one.smallContenders ?? []) expect(ids).toContain(small)
      for (const target of one.targets) expect((target.atLeast === undefined) !== (target.atMost === undefined)).toBe(true)
      for (const contender of one.contenders) expect(contender.smallRecords).toBeLessThanOrEqual(contender.records)
    }
  })

  test('what needs no library is listed without one: a target without figures has no value', () => {
    for (const one of CASES) {
      const view = viewOf([], one.primary)
      for (const target of one.targets) expect(() => target.value(view, undefined as never)).not.toThrow()
    }
  })

  test('scaling is reported for two strands on every machine, and up to a third of the cores', () => {
    expect(strandCounts(2)).toEqual([1, 2])
    expect(strandCounts(9)).toEqual([1, 2, 3])
    expect(strandCounts(16)).toEqual([1, 2, 3, 4, 5])
    expect(strandCounts(64)).toEqual([1, 2, 3, 4, 5, 10, 20, 21])
  })
})

describe('spinning', () => {
  test('is for machines with a core for each thread and one to spare, and elsewhere the reason is told', () => {
    const on = (cores: number) => contextOf({ machine: { ...MACHINE, cores } })
    expect(cannotSpin(on(2))).toContain('6 cores, this machine has 2')
    expect(cannotSpin(on(16))).toBeUndefined()
  })
})

describe('the batching sweep', () => {
  test.each([
    [1, 10],
    [10, 100],
    [100, 1_024],
    [1_000, 100],
    [10_000, 10],
    [100, 10_240],
  ])('a batch size made for %i records of %i bytes holds exactly so many', (records, valueBytes) => {
    const bytes = batchBytes(records, valueBytes)
    const builder = new RecordBatchBuilder(bytes)
    const value = new Uint8Array(valueBytes)
    for (let i = 0; i < records; i++) expect(builder.append(1_700_000_000_000, null, value, null)).toBe(true)
    expect(builder.sizeInBytes).toBe(bytes)
    expect(builder.append(1_700_000_000_000, null, value, null)).toBe(false)
  })

  test('has every cell that a batch of 8 MiB allows, and no other', () => {
    expect(S8.contenders).toHaveLength(4 * (5 + 5 + 4 + 3))
    for (const { cell } of S8.contenders) expect(batchBytes(cell!.recordsPerBatch, cell!.valueBytes)).toBeLessThan(8 * 2 ** 20)
  })

  test('a line that falls is a cliff; one that rises and stays is none', () => {
    const line = (rates: readonly number[]) =>
      viewOf(
        [1, 10, 100].map((records, i) => contenderOf(`100B-1l-${records}`, [rates[i]!])),
        'recordsPerSecond',
      )
    expect(cliffs(line([1, 5, 5.2]))).toBe(0)
    expect(cliffs(line([1, 5, 4.9]))).toBe(0)
    expect(cliffs(line([1, 5, 3]))).toBe(1)
    expect(cliffs(viewOf([], 'recordsPerSecond'))).toBeUndefined()
  })
})

describe('the limit of the road', () => {
  const stages = { encode: 20, lane: 5, append: 5, copyOut: 5, walk: 10 }

  test('with cores enough it is the slowest thread', () => {
    expect(roadLimit(stages, 8)).toBeCloseTo(1e9 / 25)
  })

  test('with few cores it is the sum of all work', () => {
    expect(roadLimit(stages, 1)).toBeCloseTo(1e9 / 45)
    expect(roadLimit({ ...stages, encode: 5 }, 2)).toBeCloseTo(2e9 / 30)
  })
})
