import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aggregate, count, flatMapValue, session, sum, tumbling } from '../../../src/rxjs.ts'
import type { MillraceRecord, Windowed, Windows } from '../../../src/rxjs.ts'
import { decodeMarks } from '../../../src/rx/windows/commit-marks.ts'
import { anyRecords, anyWindows } from '../windows/any-windows.ts'
import type { Sample } from '../windows/recomputation.ts'
import { HeldSink, idOf } from './held-sink.ts'
import type { Result } from './held-sink.ts'
import { SimulatedSource } from './simulated-source.ts'
import type { Commit } from './simulated-source.ts'

const SEED = 715
const NOTHING: Commit = { position: 0, metadata: '' }
const summing = sum((record: MillraceRecord<string, number>) => record.value)

function chainOf(source: SimulatedSource, windows: Windows, emit: 'close' | 'update', late = new Set<number>()): HeldSink {
  return new HeldSink(source.records.pipe(aggregate(windows, summing, { emit, late: ({ offset }) => late.add(offset) })))
}

interface Plan {
  readonly records: number
  readonly settles: readonly number[]
  readonly commitEvery: number
}

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  records: fc.integer({ min: 1, max: 60 }),
  settles: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
  commitEvery: fc.integer({ min: 1, max: 7 }),
})
const anyPlans = fc.array(anyPlan, { minLength: 1, maxLength: 5 })
const grace = fc.integer({ min: 0, max: 12 })

interface Lived {
  readonly results: readonly Result[]
  readonly late: Set<number>
}

/** Runs the records through as many lives as there are plans, each of which ends where it is, and a last one to the end. */
function live(windows: Windows, emit: 'close' | 'update', records: readonly Sample[], plans: readonly Plan[]): Lived {
  const results: Result[] = []
  const late = new Set<number>()
  let commit = NOTHING
  const last: Plan = { records: records.length, settles: [9], commitEvery: 1 }
  for (const plan of [...plans, last]) {
    const source = new SimulatedSource(commit)
    const sink = chainOf(source, windows, emit, late)
    const end = Math.min(records.length, commit.position + plan.records)
    for (let offset = commit.position; offset < end; offset++) {
      const { key, timeMs, value } = records[offset]!
      source.emit(offset, { key, timestamp: timeMs, value })
      for (let n = plan.settles[offset % plan.settles.length]!; n > 0; n--) sink.settle(offset + n)
      if (offset % plan.commitEvery === 0) commit = source.commit()
    }
    if (plan === last) source.complete()
    results.push(...sink.results)
  }
  return { results, late }
}

function valuesOf(results: readonly Result[]): Map<string, Set<number | null>> {
  const values = new Map<string, Set<number | null>>()
  for (const result of results) values.set(idOf(result), (values.get(idOf(result)) ?? new Set()).add(result.value))
  return values
}

describe('a chain that dies at any point, and goes on from what it had committed', () => {
  test('on close: every result, and no second value of any', () => {
    fc.assert(
      fc.property(anyWindows(grace), anyRecords(20, 60), anyPlans, (windows, records, plans) => {
        const undisturbed = live(windows, 'close', records, [])
        const { results, late } = live(windows, 'close', records, plans)
        expect(valuesOf(results)).toEqual(valuesOf(undisturbed.results))
        if (windows.kind !== 'session') expect(late).toEqual(undisturbed.late)
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('on update: the last that came of each window is what it is without a death', () => {
    const lastOf = ({ results }: Lived): Map<string, number | null> =>
      new Map(results.map((result) => [idOf(result), result.value] as const))
    fc.assert(
      fc.property(anyWindows(grace), anyRecords(20, 60), anyPlans, (windows, records, plans) => {
        const disturbed = lastOf(live(windows, 'update', records, plans))
        for (const [id, value] of lastOf(live(windows, 'update', records, []))) expect([id, disturbed.get(id)]).toEqual([id, value])
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('several values of one record, each of which closes a window: the first is done with, and does not come again', () => {
    const values = [[1], [11, 2], [21, 31]]
    const timed = { emit: 'close', timestampOf: ({ value }: MillraceRecord<string, number>) => value } as const
    const chain = (source: SimulatedSource): HeldSink => {
      const flat = source.records.pipe(flatMapValue((offset) => values[offset]!))
      return new HeldSink(flat.pipe(aggregate(tumbling({ sizeMs: 10, graceMs: 10 }), summing, timed)))
    }
    const emitFrom = (source: SimulatedSource, from: number): void => {
      for (let offset = from; offset < values.length; offset++) source.emit(offset, { key: 'a', timestamp: 0, value: offset })
    }
    const source = new SimulatedSource()
    const sink = chain(source)
    emitFrom(source, 0)
    expect(sink.shown).toEqual(['a 0-10: 3', 'a 10-20: 11'])
    sink.settle()
    const commit = source.commit()
    expect(commit.position).toBe(1)
    const again = new SimulatedSource(commit)
    const after = chain(again)
    emitFrom(again, 1)
    expect(after.shown).toEqual(['a 10-20: 11'])
  })

  test('a result is told to be done with a turn after it was, together with the position', () => {
    const source = new SimulatedSource()
    source.records.pipe(aggregate(tumbling({ sizeMs: 10, graceMs: 0 }), summing, { emit: 'close' })).subscribe()
    const releasedMs = (): number => decodeMarks(source.partition.metadata!(0))!.releasedMs
    source.emit(0, { key: 'a', timestamp: 5, value: 1 })
    const before = source.partition.settled()!
    source.emit(1, { key: 'a', timestamp: 15, value: 1 })
    const behind = source.partition.settled()!
    const told = [releasedMs()]
    for (const mayCommit of [before, behind, before]) {
      mayCommit()
      told.push(releasedMs())
    }
    expect(told).toEqual([-1, 5, 15, 15])
  })

  test('a value that the aggregator refuses ends the chain: what it would have closed comes again', () => {
    const refusing = sum((record: MillraceRecord<string, number>) => {
      if (record.value < 0) throw new Error('refused')
      return record.value
    })
    const windows = tumbling({ sizeMs: 10, graceMs: 0 })
    const source = new SimulatedSource()
    const sink = new HeldSink(source.records.pipe(aggregate(windows, refusing, { emit: 'close' })))
    source.emit(0, { key: 'a', timestamp: 5, value: 1 })
    source.emit(1, { key: 'a', timestamp: 15, value: -1 })
    expect([sink.shown, sink.errors]).toMatchObject([[], [{ message: 'refused' }]])
    const again = new SimulatedSource(source.commit())
    const after = chainOf(again, windows, 'close')
    again.emit(0, { key: 'a', timestamp: 5, value: 1 })
    again.emit(1, { key: 'a', timestamp: 15, value: 1 })
    expect(after.shown).toEqual(['a 0-10: 1'])
  })

  test('a second aggregate behind the first goes on too', () => {
    const summed = sum((record: MillraceRecord<Windowed<string>, number>) => record.value)
    const run = (ends: readonly number[]): string[] => {
      let commit = NOTHING
      const seen: string[] = []
      for (const end of ends) {
        const source = new SimulatedSource(commit)
        const counted = source.records.pipe(aggregate(tumbling({ sizeMs: 10, graceMs: 0 }), count(), { emit: 'close' }))
        const sink = new HeldSink(counted.pipe(aggregate(tumbling({ sizeMs: 40, graceMs: 0 }), summed, { emit: 'close' })))
        for (let offset = commit.position; offset < end; offset++) {
          source.emit(offset, { key: 'a', timestamp: offset * 3, value: 1 })
          sink.settle()
          commit = source.commit()
        }
        seen.push(...sink.results.map((one) => `${JSON.stringify(one.key)} ${one.value}`))
      }
      return seen
    }
    const undisturbed = run([100])
    expect(undisturbed.length).toBeGreaterThan(20)
    expect([...new Set(run([7, 23, 24, 51, 80, 100]))]).toEqual(undisturbed)
  })
})

describe('what holds a record', () => {
  const windows = tumbling({ sizeMs: 10, graceMs: 0 })
  const emitAt = (source: SimulatedSource, times: readonly number[]): void => {
    for (const [offset, timestamp] of times.entries()) source.emit(offset, { key: 'a', timestamp, value: 1 })
  }

  test('an open window pins its first record, and takes no room; a result on its way takes room', () => {
    const source = new SimulatedSource()
    const sink = chainOf(source, windows, 'close')
    emitAt(source, [1, 2, 3])
    expect([source.partition.position, source.room.records]).toEqual([0, 0])
    source.emit(3, { key: 'a', timestamp: 10, value: 1 })
    expect([source.partition.position, source.room.records, sink.held]).toEqual([0, 1, 1])
    sink.settle()
    expect([source.partition.position, source.room.records]).toEqual([3, 0])
  })

  test('results of later windows that are done with first let nothing go', () => {
    const source = new SimulatedSource()
    const sink = chainOf(source, windows, 'close')
    emitAt(source, [5, 15, 25])
    sink.settle(1)
    expect(source.partition.position).toBe(0)
    sink.settle()
    expect(source.partition.position).toBe(2)
  })

  test('results at the end of the source are held as well', () => {
    const source = new SimulatedSource()
    const sink = chainOf(source, windows, 'close')
    emitAt(source, [5, 15])
    source.complete()
    expect([sink.shown, sink.isComplete, source.partition.position]).toEqual([['a 0-10: 1', 'a 10-20: 1'], true, 0])
    sink.settle()
    sink.settle()
    expect(source.partition.position).toBe(2)
    const again = new SimulatedSource(source.commit())
    const late = new Set<number>()
    chainOf(again, windows, 'close', late)
    again.emit(2, { key: 'a', timestamp: 16, value: 1 })
    expect(late, 'a window that was closed at the end stays closed').toEqual(new Set([2]))
  })

  test('a partition that went to another member gives no more results', () => {
    const source = new SimulatedSource()
    const sink = chainOf(source, windows, 'close')
    emitAt(source, [5])
    source.partition.gone()
    source.complete()
    expect(sink.results).toEqual([])
  })

  test('two aggregates of one partition in a group are refused: what is committed has room for one', () => {
    const source = new SimulatedSource()
    source.partition.metadata = () => ''
    const sink = chainOf(source, windows, 'close')
    emitAt(source, [5])
    expect(sink.errors).toMatchObject([{ code: 'INVALID_REQUEST' }])
  })
})

test('sessions on update: null for the ones that went into another', () => {
  const source = new SimulatedSource()
  const sink = chainOf(source, session({ inactivityGapMs: 10, graceMs: 20 }), 'update')
  for (const [offset, timestamp] of [30, 12, 21].entries()) source.emit(offset, { key: 'a', timestamp, value: 1 })
  expect(sink.shown).toEqual(['a 30-30: 1', 'a 12-12: 1', 'a 12-12: null', 'a 30-30: null', 'a 12-30: 3'])
})
