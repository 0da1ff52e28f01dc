// Each operator once in a chain of a group, from a topic to a topic, over a millrace in virtual time: all of
// the results are there, all that was read is committed, and nothing is left open (the kit looks at its end).

import { from, lastValueFrom, map, merge, toArray } from 'rxjs'
import type { Observable } from 'rxjs'
import { beforeAll, expect, test } from 'vitest'
import type { Clock } from '../../../src/clock.ts'
import { json } from '../../../src/index.ts'
import {
  MillraceRecord,
  aggregate,
  batchRecords,
  branch,
  count,
  deadLetter,
  deduplicate,
  filterValue,
  flatMapValue,
  fromTopic,
  keyBy,
  mapInPool,
  mapValue,
  mergeByTime,
  process,
  punctuate,
  rateLimit,
  repartition,
  toTopic,
  tumbling,
} from '../../../src/rxjs.ts'
import { testMillrace } from '../../../src/testing.ts'
import type { InlineMillrace } from '../../../src/testing.ts'

const RECORDS = 40
const START_MS = 1_000_000
const numbers = Array.from({ length: RECORDS }, (_, n) => n)
const even = numbers.filter((n) => n % 2 === 0)

type Read = MillraceRecord<string | null, number>
type Chain = (records: Observable<Read>, parts: { clock: Clock; kit: InlineMillrace }) => Observable<number>

const itsValue = map(({ value }: { value: number }) => value)

/** What comes of the numbers below 40, the half of which are in each of two partitions, a second apart. */
const CHAINS: Record<string, readonly [chain: Chain, expected: readonly number[]]> = {
  'aggregate in a partition': [
    (records) => records.pipe(aggregate(tumbling({ sizeMs: 10_000, graceMs: 0 }), count(), { emit: 'close' }), itsValue),
    [5, 5, 5, 5, 5, 5, 5, 5],
  ],
  'keyBy, and aggregate by a repartition topic': [
    (records) =>
      records.pipe(
        keyBy(() => 'all'),
        aggregate(tumbling({ sizeMs: 100_000, graceMs: 0 }), count(), { emit: 'close' }),
        itsValue,
      ),
    [RECORDS],
  ],
  batchRecords: [
    (records, { clock }) =>
      records.pipe(
        batchRecords({ maxRecords: 7, clock }),
        process((batch) => from(batch.map(({ value }) => value))),
      ),
    numbers,
  ],
  branch: [
    (records) =>
      records.pipe(
        branch(
          [({ value }) => value % 2 === 0, (some) => merge(some.pipe(itsValue), some.pipe(itsValue))],
          process(({ value }) => Promise.resolve(-value)),
        ),
      ),
    [...even, ...numbers.map((n) => (n % 2 === 0 ? n : -n))],
  ],
  deadLetter: [
    (records) =>
      records.pipe(
        deadLetter(
          'given-up',
          mapValue((n) => {
            if (n % 2 === 1) throw new RangeError(`${n} is odd`)
            return n
          }),
        ),
        itsValue,
      ),
    even,
  ],
  deduplicate: [
    (records) =>
      records.pipe(
        deduplicate(({ value }) => value >> 1),
        itsValue,
      ),
    even,
  ],
  filterValue: [
    (records) =>
      records.pipe(
        filterValue((n) => n % 2 === 0),
        itsValue,
      ),
    even,
  ],
  flatMapValue: [
    (records) =>
      records.pipe(
        flatMapValue((n) => (n % 2 === 0 ? [n, n] : [])),
        itsValue,
      ),
    [...even, ...even],
  ],
  mapValue: [
    (records) =>
      records.pipe(
        mapValue((n) => n * 2),
        itsValue,
      ),
    numbers.map((n) => n * 2),
  ],
  mergeByTime: [(records, { clock }) => mergeByTime([records], { clock }).pipe(itsValue), numbers],
  process: [
    (records, { clock, kit }) => {
      const tries = new Set<number>()
      const handler = async ({ value }: Read): Promise<number> => {
        await kit.sleep(10)
        if (value % 5 === 0 && !tries.has(value)) {
          tries.add(value)
          throw new Error('not yet')
        }
        return value
      }
      return records.pipe(process(handler, { concurrency: 4, clock }))
    },
    numbers,
  ],
  punctuate: [
    (records) =>
      records.pipe(
        punctuate({ everyMs: 1_000_000 }, () => [0]),
        map((each) => (each instanceof MillraceRecord ? each.value : -1)),
      ),
    numbers,
  ],
  rateLimit: [(records, { clock }) => records.pipe(rateLimit({ recordsPerSecond: 20, clock }), itsValue), numbers],
  repartition: [(records) => records.pipe(repartition({ name: 'again' }), itsValue), numbers],
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)

// What a first group loads, it loads in real time.
beforeAll(async () => {
  const kit = await testMillrace({ inline: true, logLevel: 'silent' })
  const topic = await kit.millrace.topic('first')
  await kit.until(lastValueFrom(fromTopic(topic, { groupId: 'first', until: 'end' }), { defaultValue: undefined }))
  await kit.close().catch(() => undefined)
})

test.for(Object.keys(CHAINS))('%s', async (name) => {
  const [chain, expected] = CHAINS[name]!
  const kit = await testMillrace({ inline: true, logLevel: 'silent' })
  const { clock, millrace } = kit
  try {
    const input = await millrace.topic<string | null, number>('input', { partitions: 2, value: json<number>() })
    const output = await millrace.topic<string | null, number>('output', { value: json<number>() })
    const record = (n: number): object => ({ key: 'k', value: n, partition: n % 2, timestamp: START_MS + n * 1_000 })
    await kit.produce(input, numbers.map(record) as never)
    const chained = chain(fromTopic(input, { groupId: 'g', until: 'end' }), { clock, kit })
    const sent = chained.pipe(
      map((value) => ({ value })),
      toTopic(output),
      toArray(),
    )
    expect(await kit.until(lastValueFrom(sent))).toHaveLength(expected.length)
    await kit.waitForLag('g', 0)
    expect(sorted((await kit.records(output)).map(({ value }) => value))).toEqual(sorted(expected))
    const offsets = await kit.until(millrace.admin.listGroupOffsets('g'))
    const committed = offsets.filter(({ topic }) => topic === 'input').map(({ offset }) => offset)
    expect(committed).toEqual([RECORDS / 2, RECORDS / 2])
    // No member is left, nor what it read by.
    await kit.waitFor(async () => (await millrace.admin.describeGroup('g')).members.length === 0)
    // Rests of the last turns; what then still runs was left open.
    await kit.advance(1_000)
  } finally {
    await kit.close()
  }
})

test('mapInPool, whose threads are real', async () => {
  const kit = await testMillrace({ leakCheck: true })
  const input = await kit.millrace.topic<string | null, number>('input', { value: json<number>() })
  const output = await kit.millrace.topic<string | null, { square: number }>('output', { value: json<{ square: number }>() })
  await kit.produce(input, numbers.map((value) => ({ value })) as never)
  const mapped = fromTopic(input, { groupId: 'g', until: 'end' }).pipe(
    mapInPool<number, { square: number }>(new URL('./square-worker.ts', import.meta.url), { threads: 1 }),
    toTopic(output),
    toArray(),
  )
  await lastValueFrom(mapped)
  await kit.waitForLag('g', 0)
  expect((await kit.records(output)).map(({ value }) => value.square)).toEqual(numbers.map((n) => n * n))
  await kit.waitFor(async () => (await kit.millrace.admin.describeGroup('g')).members.length === 0)
  await kit.close()
})
