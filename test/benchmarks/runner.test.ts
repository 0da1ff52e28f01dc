import { describe, expect, test } from 'vitest'
import { throughput } from '../../benchmarks/harness/bench-case.ts'
import type { CaseSpec, ContenderSpec, Measurement, OpenContext } from '../../benchmarks/harness/bench-case.ts'
import { runCase } from '../../benchmarks/harness/runner.ts'
import { contextOf } from './bench-reports.ts'

/** Writes down what the runner does with it. */
class Ledger {
  readonly lines: string[] = []
  readonly open = new Set<string>()

  contender(
    id: string,
    more: { run?: (nth: number, records: number) => Promise<Measurement>; skip?: string; openFails?: boolean; startsAnew?: true } = {},
  ): ContenderSpec {
    let runs = 0
    return {
      id,
      title: id,
      kind: 'peer',
      records: 100,
      smallRecords: 10,
      valueBytes: 100,
      threads: 1,
      partitions: 1,
      setup: '',
      ...(more.startsAnew === undefined ? {} : { startsAnew: more.startsAnew }),
      ...(more.skip === undefined ? {} : { skip: () => more.skip }),
      open: async () => {
        if (more.openFails === true) throw new Error(`${id} does not open`)
        this.open.add(id)
        return {
          run: async (records) => {
            this.lines.push(id)
            return more.run === undefined ? whole(records) : more.run(runs++, records)
          },
          close: async () => {
            this.open.delete(id)
          },
        }
      },
    }
  }
}

function whole(records: number, arrived = records, checksum = 7): Measurement {
  return throughput({ records: arrived, checksum, expectedRecords: records, expectedChecksum: 7 }, records * 100, 1)
}

function caseSpec(contenders: readonly ContenderSpec[], more: Partial<CaseSpec> = {}): CaseSpec {
  return {
    id: 'T1',
    title: '',
    measures: '',
    metrics: {},
    primary: 'recordsPerSecond',
    order: 'alternate',
    table: 'throughput',
    warmUps: 1,
    repetitions: 2,
    contenders,
    targets: [],
    ...more,
  }
}

function options(more: Partial<OpenContext> = {}, repetitions?: number) {
  return { context: contextOf(more), repetitions, progress: () => {} }
}

describe('running a case', () => {
  test('contenders take turns, warm-ups are not counted, all are closed', async () => {
    const ledger = new Ledger()
    const outcomes = await runCase(caseSpec([ledger.contender('a'), ledger.contender('b')]), options())
    expect(ledger.lines).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
    expect(outcomes.map(({ status, measurements }) => [status, measurements.length])).toEqual([
      ['measured', 2],
      ['measured', 2],
    ])
    expect(ledger.open.size).toBe(0)
  })

  test('one by one, each is opened after the one before is closed', async () => {
    const ledger = new Ledger()
    const seen: number[] = []
    const watch = (id: string) =>
      ledger.contender(id, {
        run: async (_, records) => {
          seen.push(ledger.open.size)
          return whole(records)
        },
      })
    await runCase(caseSpec([watch('a'), watch('b')], { order: 'one-by-one' }), options())
    expect(ledger.lines).toEqual(['a', 'a', 'a', 'b', 'b', 'b'])
    expect(new Set(seen)).toEqual(new Set([1]))
  })

  test.each([
    ['a lost record', (records: number) => whole(records, records - 1), '99 of 100 records arrived'],
    ['a doubled record', (records: number) => whole(records, records + 1), '101 of 100 records arrived'],
    ['a changed byte', (records: number) => whole(records, records, 8), 'the checksum of 100 records is 8, expected 7'],
  ])('%s: no result, and the others go on', async (_, result, why) => {
    const ledger = new Ledger()
    const bad = ledger.contender('bad', { run: async (nth, records) => (nth === 1 ? result(records) : whole(records)) })
    const [failed, good] = await runCase(caseSpec([bad, ledger.contender('good')]), options())
    expect(failed).toMatchObject({ status: 'failed' })
    expect(failed!.why).toContain(why)
    expect(good).toMatchObject({ status: 'measured' })
    expect(good!.measurements).toHaveLength(2)
    expect(ledger.lines.filter((id) => id === 'bad')).toHaveLength(2)
    expect(ledger.open.size).toBe(0)
  })

  test('one that does not open fails alone; one that cannot run here is skipped and never opened', async () => {
    const ledger = new Ledger()
    const outcomes = await runCase(
      caseSpec([ledger.contender('shut', { openFails: true }), ledger.contender('away', { skip: 'two cores' }), ledger.contender('good')]),
      options(),
    )
    expect(outcomes.map(({ status, why }) => [status, why])).toEqual([
      ['failed', 'shut does not open'],
      ['skipped', 'two cores'],
      ['measured', undefined],
    ])
    expect(new Set(ledger.lines)).toEqual(new Set(['good']))
  })

  test('an interrupt keeps what was measured and closes everything, also what never answers', async () => {
    const ledger = new Ledger()
    const interrupt = new AbortController()
    const stuck = ledger.contender('stuck', {
      run: (nth, records) => {
        if (nth < 2) return Promise.resolve(whole(records))
        queueMicrotask(() => interrupt.abort(new Error('interrupted')))
        return new Promise(() => {})
      },
    })
    const [one, other] = await runCase(caseSpec([stuck, ledger.contender('next')]), options({ signal: interrupt.signal }))
    expect(one).toMatchObject({ status: 'interrupted', why: 'interrupted' })
    expect(one!.measurements).toHaveLength(1)
    expect(other).toMatchObject({ status: 'interrupted' })
    expect(other!.measurements).toHaveLength(1)
    expect(ledger.open.size).toBe(0)
  })

  test('what opens after the interrupt is closed again', async () => {
    const ledger = new Ledger()
    const interrupt = new AbortController()
    const slow = ledger.contender('slow')
    const opening = Promise.withResolvers<void>()
    const late: ContenderSpec = {
      ...slow,
      open: async (context) => {
        interrupt.abort(new Error('interrupted'))
        await opening.promise
        return slow.open(context)
      },
    }
    const outcomes = await runCase(caseSpec([late]), options({ signal: interrupt.signal }))
    expect(outcomes[0]).toMatchObject({ status: 'interrupted' })
    opening.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(ledger.open.size).toBe(0)
  })

  test('--small: fewer records, one repetition, the short list', async () => {
    const ledger = new Ledger()
    const spec = caseSpec([ledger.contender('a'), ledger.contender('b')], { smallContenders: ['b'], warmUps: 3 })
    const outcomes = await runCase(spec, options({ small: true }))
    expect(ledger.lines).toEqual(['b', 'b'])
    expect(outcomes.map(({ records }) => records)).toEqual([10])
  })

  test('what starts anew each time is not warmed up with --small, and is otherwise', async () => {
    const order = async (small: boolean): Promise<string> => {
      const ledger = new Ledger()
      await runCase(caseSpec([ledger.contender('anew', { startsAnew: true }), ledger.contender('kept')]), options({ small }))
      return ledger.lines.join(' ')
    }
    expect(await order(true)).toBe('kept anew kept')
    expect(await order(false)).toBe('anew kept anew kept anew kept')
  })

  test('repetitions asked for win over the case', async () => {
    const ledger = new Ledger()
    const [one] = await runCase(caseSpec([ledger.contender('a')]), options({}, 6))
    expect(one!.measurements).toHaveLength(6)
  })
})
