import { Observable, lastValueFrom, map, merge, tap, toArray } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json, openMillrace, string } from '../../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../../src/index.ts'
import { noteUnordered } from '../../../src/rx/chain.ts'
import { originInHeaders } from '../../../src/rx/operators/origin-header.ts'
import { purge } from '../../../src/rx/operators/repartition-purge.ts'
import { aggregate, count, fromTopic, keyBy, repartition, tumbling } from '../../../src/rxjs.ts'
import type { MillraceRecord } from '../../../src/rxjs.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

const PARTITIONS = 3
const windows = tumbling({ sizeMs: 100, graceMs: 1_000 })
let made = 0

async function filled(records: number): Promise<Topic<string, string>> {
  const topic = await millrace.topic(`views-${made++}`, { partitions: PARTITIONS, key: string(), value: json<string>() })
  const toSend = Array.from({ length: records }, (_, at) => ({ key: `user-${at % 11}`, value: `/${at % 5}`, timestamp: 1_000 + at }))
  await millrace.producer().sendAll(topic, toSend)
  return topic
}

const byPage = (topic: Topic<string, string>, groupId: string): Observable<MillraceRecord<string, string>> =>
  fromTopic(topic, { groupId, until: 'end' }).pipe(keyBy((record) => record.value))

/** Decodes it in time. */
const touch = (record: MillraceRecord<string, string>): unknown => record.headers

test('an aggregate behind keyBy in a group counts through an internal topic, until the end', async () => {
  const topic = await filled(1_000)
  const results = await lastValueFrom(byPage(topic, 'counts').pipe(aggregate(windows, count(), { emit: 'close' }), toArray()))
  expect(results).toHaveLength(50)
  expect(results.every(({ value }) => value === 20)).toBe(true)
  const described = await millrace.admin.describeTopics([`counts-${topic.name}-repartition`])
  expect(described[0]?.partitions).toHaveLength(PARTITIONS)
})

test('repartition: a key is in one partition, in order, and each record says where it came from', async () => {
  const topic = await filled(500)
  const records = await lastValueFrom(byPage(topic, 'parted').pipe(repartition({ name: 'by-page', partitions: 2 }), tap(touch), toArray()))
  expect(records).toHaveLength(500)
  for (const [, ofKey] of Map.groupBy(records, ({ key }) => key)) expect(new Set(ofKey.map(({ partition }) => partition)).size).toBe(1)
  expect(new Set(records.map((record) => record.topic))).toEqual(new Set(['parted-by-page-repartition']))
  const origins = records.map(({ headers }) => originInHeaders(headers)!)
  expect(new Set(origins.map((origin) => `${origin.topic} ${origin.partition} ${origin.offset} ${origin.index}`)).size).toBe(500)
  for (const [, of] of Map.groupBy(records.keys(), (at) => `${records[at]!.partition} ${origins[at]!.partition}`)) {
    const offsets = Array.from(of, (at) => origins[at]!.offset)
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
  }
})

test('several records that came from one are told apart by their index', async () => {
  const topic = await filled(20)
  const twice: OperatorFunction<MillraceRecord<string, string>, MillraceRecord<string, string>> = (source) =>
    new Observable((subscriber) =>
      source.subscribe({
        next: (record) => {
          subscriber.next(record)
          subscriber.next(record)
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
  const chain = byPage(topic, 'twice').pipe(twice, aggregate(windows, count(), { emit: 'close' }), toArray())
  expect((await lastValueFrom(chain)).reduce((sum, { value }) => sum + value, 0)).toBe(40)
})

test('behind two changes of the key, the serdes of the last are taken', async () => {
  const topic = await filled(30)
  const chain = fromTopic(topic, { groupId: 'rekeyed', until: 'end' }).pipe(
    keyBy((record) => record.value, { key: string(), value: json<string>() }),
    keyBy((record) => ({ page: record.value }), { key: json<{ page: string }>(), value: json<string>() }),
    aggregate(windows, count(), { emit: 'close' }),
    map(({ key }) => key.key),
    toArray(),
  )
  expect(await lastValueFrom(chain)).toContainEqual({ page: '/1' })
})

test('without a group records go by as they are', async () => {
  const topic = await filled(50)
  const records = await lastValueFrom(fromTopic(topic, { until: 'end' }).pipe(repartition(), toArray()))
  expect(records.map((record) => record.topic)).toEqual(Array.from({ length: 50 }, () => topic.name))
})

test('what would count twice or mix is refused', async () => {
  const topic = await filled(5)
  const anyOrder = <T>(source: Observable<T>): Observable<T> =>
    new Observable((subscriber) => {
      noteUnordered()
      return source.subscribe(subscriber)
    })
  const unordered = byPage(topic, 'refused').pipe(anyOrder, aggregate(windows, count(), { emit: 'close' }))
  await expect(lastValueFrom(unordered)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining("order: 'partition'"),
  })
  const one = byPage(topic, 'mixed').pipe(aggregate(windows, count(), { emit: 'close' }))
  const two = byPage(topic, 'mixed').pipe(aggregate(windows, count(), { emit: 'close' }))
  await expect(lastValueFrom(merge(one, two))).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('a name'),
  })
  const named = byPage(topic, 'named').pipe(
    aggregate(windows, count(), { emit: 'close', name: 'other' }),
    map(() => 1),
  ) // prettier-ignore
  expect(await lastValueFrom(named)).toBe(1)
  expect(() => repartition({ partitions: 0 })).toThrow('partitions')
  expect(() => repartition({ key: 'string' as never })).toThrow('serde')
})

test('what the group has read is deleted from the internal topic', async () => {
  const topic = await filled(200)
  await lastValueFrom(byPage(topic, 'purged').pipe(aggregate(windows, count(), { emit: 'close' }), toArray()))
  const name = `purged-${topic.name}-repartition`
  const left = async (): Promise<number> => {
    const [earliest, latest] = await Promise.all([millrace.admin.listOffsets(name, 'earliest'), millrace.admin.listOffsets(name, 'latest')])
    return latest.reduce((sum, { offset }, at) => sum + offset! - earliest[at]!.offset!, 0)
  }
  expect(await left()).toBe(200)
  // Its last commit comes when it closes.
  while ((await left()) > 0) await purge(millrace, 'purged', name)
})
