import { delay, lastValueFrom, map, merge, of, share, toArray } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { json, nullable, openMillrace, string } from '../../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../../src/index.ts'
import { aggregate, count, fromTopic, keyBy, reduce, session, sum, toTopic, tumbling, windowed } from '../../../src/rxjs.ts'
import type { MillraceRecord, Windowed } from '../../../src/rxjs.ts'
import { HeldSink } from './held-sink.ts'
import { SimulatedSource } from './simulated-source.ts'

const windows = tumbling({ sizeMs: 10, graceMs: 0 })

describe('null keys and values, times', () => {
  test('a record with a null key is skipped, with one warning, and moves no time', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const source = new SimulatedSource()
    const sink = new HeldSink(source.records.pipe(aggregate(windows, count(), { emit: 'close' })))
    for (const [offset, key] of ['a', null, null].entries()) source.emit(offset, { key, timestamp: 5 + offset * 10, value: 1 })
    expect(sink.results).toEqual([])
    expect(warned.mock.calls.map(([text]) => text)).toEqual([expect.stringContaining('clicks-0 at offset 1 has a null key')])
    warned.mockRestore()
  })

  test('a record with a null value is skipped', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const source = new SimulatedSource()
    const sink = new HeldSink(source.records.pipe(aggregate(windows, count(), { emit: 'update' })))
    for (const [offset, value] of [1, null, 1].entries()) source.emit(offset, { key: 'a', timestamp: 5, value })
    expect(sink.shown).toEqual(['a 0-10: 1', 'a 0-10: 2'])
    expect(warned.mock.calls).toEqual([[expect.stringContaining('null value'), 'MillraceWarning']])
    warned.mockRestore()
  })

  test('a late record goes to `late`, function or observer, within the call that brought it', () => {
    for (const asObserver of [false, true]) {
      const late: number[] = []
      const take = ({ offset }: MillraceRecord<string, number>): number => late.push(offset)
      const source = new SimulatedSource()
      const sink = new HeldSink(
        source.records.pipe(aggregate(windows, count(), { emit: 'close', late: asObserver ? { next: take } : take })),
      )
      for (const [offset, timestamp] of [5, 12, 9].entries()) source.emit(offset, { key: 'a', timestamp, value: 1 })
      expect([sink.shown, late]).toEqual([['a 0-10: 1'], [2]])
    }
  })

  test('a time of the user is taken, and one that is none ends the chain', () => {
    const source = new SimulatedSource()
    const timestampOf = (record: MillraceRecord<string, number>): number => record.value
    const sink = new HeldSink(source.records.pipe(aggregate(windows, count(), { emit: 'update', timestampOf })))
    source.emit(0, { key: 'a', timestamp: 5, value: 33 })
    source.emit(1, { key: 'a', timestamp: 5, value: -1 })
    expect(sink.shown).toEqual(['a 30-40: 1'])
    expect(sink.errors).toMatchObject([{ code: 'INVALID_TIMESTAMP', message: expect.stringContaining('offset 1 has the time -1') }])
  })

  test('the time of a result is the highest of its records', () => {
    const source = new SimulatedSource()
    const sink = new HeldSink(source.records.pipe(aggregate(windows, count(), { emit: 'close' })))
    for (const [offset, timestamp] of [7, 3, 14].entries()) source.emit(offset, { key: 'a', timestamp, value: 1 })
    expect(sink.results.map((result) => result.timestamp)).toEqual([7])
  })

  test('each partition has a stream time of its own', () => {
    const [one, two] = [new SimulatedSource(undefined, { partition: 0 }), new SimulatedSource(undefined, { partition: 1 })]
    const sink = new HeldSink(merge(one.records, two.records).pipe(aggregate(windows, count(), { emit: 'close' })))
    one.emit(0, { key: 'a', timestamp: 5, value: 1 })
    two.emit(0, { key: 'a', timestamp: 55, value: 1 })
    two.emit(1, { key: 'a', timestamp: 65, value: 1 })
    one.emit(1, { key: 'a', timestamp: 8, value: 1 })
    expect(sink.shown).toEqual(['a 50-60: 1'])
  })
})

describe('behind keyBy without a group', () => {
  const chainOf = (...sources: SimulatedSource[]): HeldSink =>
    new HeldSink(
      merge(...sources.map(({ records }) => records)).pipe(
        keyBy(() => 'all'),
        aggregate(windows, count(), { emit: 'close' }),
      ),
    )
  const local = (partition: number): SimulatedSource => new SimulatedSource(undefined, { partition, isInGroup: false })

  test('stream time is that of the slowest partition that is not read up to its end', () => {
    const [one, two] = [local(0), local(1)]
    const sink = chainOf(one, two)
    one.emit(0, { key: 'a', timestamp: 5, value: 1 })
    one.emit(1, { key: 'a', timestamp: 25, value: 1 })
    expect(sink.shown).toEqual([])
    two.emit(0, { key: 'b', timestamp: 7, value: 1 })
    expect(sink.shown).toEqual([])
    two.emit(1, { key: 'b', timestamp: 12, value: 1 })
    expect(sink.shown).toEqual(['all 0-10: 2'])
  })

  test('once all are read up to their ends it is the highest time, also without another record', () => {
    const [one, two] = [local(0), local(1)]
    const sink = chainOf(one, two)
    one.emit(0, { key: 'a', timestamp: 5, value: 1 })
    one.emit(1, { key: 'a', timestamp: 25, value: 1 })
    one.tellCaughtUp()
    expect(sink.shown).toEqual([])
    two.tellCaughtUp()
    expect(sink.shown).toEqual(['all 0-10: 1'])
  })

  test("'as-is': each partition counts for itself", () => {
    const [one, two] = [local(0), local(1)]
    const chain = merge(one.records, two.records).pipe(
      keyBy(() => 'all'),
      aggregate(windows, count(), { emit: 'close', partitioned: 'as-is' }),
    )
    const sink = new HeldSink(chain)
    for (const source of [one, two])
      for (const [offset, timestamp] of [5, 12].entries()) source.emit(offset, { key: 'a', timestamp, value: 1 })
    expect(sink.shown).toEqual(['all 0-10: 1', 'all 0-10: 1'])
  })
})

describe('what is refused', () => {
  test('wrong arguments, with what would be right', () => {
    expect(() => aggregate(count() as never, undefined as never, undefined as never)).toThrow('without a window it needs a state store')
    expect(() => aggregate(windows, undefined as never, { emit: 'close' })).toThrow('its second argument')
    expect(() => aggregate(windows, count(), {} as never)).toThrow("'close' for one result a window")
    expect(() => aggregate(windows, count(), { emit: 'never' as never })).toThrow('emit')
    expect(() => aggregate(windows, count(), { emit: 'close', store: 'views' } as never)).toThrow('state stores are not there yet')
    const keep = reduce(0, (so: number) => so)
    expect(() => aggregate(session({ inactivityGapMs: 1, graceMs: 0 }), keep, { emit: 'close' })).toThrow('sessions merge')
  })

  test('records that RxJS kept for later, and what is no record', async () => {
    const late = lastValueFrom(
      fromTopic(await filled('kept', 3), { until: 'end' }).pipe(delay(5), aggregate(windows, count(), { emit: 'close' })),
    )
    await expect(late).rejects.toMatchObject({ code: 'SETTLED_EARLY' })
    const none = lastValueFrom(
      of({ key: 'a', value: 1, timestamp: 1 } as unknown as MillraceRecord<string, number>).pipe(
        aggregate(windows, count(), { emit: 'close' }),
      ),
    )
    await expect(none).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

type Clicks = Topic<string | null, { page: string; ms: number }>

let made = 0
async function filled(name: string, records: number, partitions = 1): Promise<Clicks> {
  const topic = await millrace.topic(`${name}-${made++}`, {
    partitions,
    key: nullable(string()),
    value: json<{ page: string; ms: number }>(),
  })
  const toSend = Array.from({ length: records }, (_, at) => ({
    key: `user-${at % 7}`,
    value: { page: `/${at % 3}`, ms: at },
    timestamp: 1_000 + at,
  }))
  await millrace.producer().sendAll(topic, toSend)
  return topic
}

describe('with a log', () => {
  test('from a topic to a topic: until the end, all windows, under keys of windows', async () => {
    const clicks = await filled('clicks', 3_000, 4)
    const counts = await millrace.topic(`counts-${made++}`, { key: windowed(string()), value: json<number>() })
    const written = await lastValueFrom(
      fromTopic(clicks, { until: 'end', maxInFlight: 10 }).pipe(
        keyBy((record) => record.value.page),
        aggregate(tumbling({ sizeMs: 100, graceMs: 3_000 }), count(), { emit: 'close' }),
        toTopic(counts),
        toArray(),
      ),
    )
    expect(written).toHaveLength(90)
    const read: [Windowed<string>, number][] = []
    for await (const { key, value } of millrace.consumer().records(counts, { until: 'end' })) read.push([key, value])
    expect(read.every(([{ window }]) => window.endMs - window.startMs === 100)).toBe(true)
    expect(read.reduce((all, [, n]) => all + n, 0)).toBe(3_000)
    expect(read.filter(([{ key }]) => key === '/1').every(([, n]) => n === 33 || n === 34)).toBe(true)
  })

  test('the sum of what is read, by the keys that it has', async () => {
    const clicks = await filled('sums', 700)
    const sums = await lastValueFrom(
      fromTopic(clicks, { until: 'end' }).pipe(
        aggregate(
          tumbling({ sizeMs: 1_000, graceMs: 0 }),
          sum((record) => record.value.ms),
          { emit: 'close' },
        ), // prettier-ignore
        map(({ key, value }) => [key.key, value] as const),
        toArray(),
      ),
    )
    expect(sums).toHaveLength(7)
    expect(sums.reduce((all, [, n]) => all + n, 0)).toBe((700 * 699) / 2)
  })
})

describe('behind share()', () => {
  test('a chain of a group that knows no source is refused, and not counted by halves', async () => {
    const topic = await millrace.topic('shared', { value: json<number>() })
    await millrace.producer().send(topic, { value: 1 })
    const shared = fromTopic(topic, { groupId: 'shared' }).pipe(share())
    const first = shared.subscribe()
    const second = shared.pipe(
      keyBy(({ value }) => value),
      aggregate(windows, count(), { emit: 'update' }),
    )
    const failure = await new Promise((resolve) => second.subscribe({ error: resolve }))
    expect(failure).toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('share()') })
    first.unsubscribe()
  })
})
