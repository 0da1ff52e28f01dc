import { concatMap, filter, from, map, of, throwError } from 'rxjs'
import type { Observable } from 'rxjs'
import { expectTypeOf } from 'vitest'
import { bytes, defineTopic, json, msgpack, nullable, string } from '../../src/index.ts'
import type {
  Consumer,
  ConsumerBatch,
  ConsumerRecord,
  EmbeddedMillrace,
  Headers,
  Millrace,
  NamedPartition,
  OffsetAndTimestamp,
  Producer,
  ProducerRecord,
  RecordMetadata,
  StandardSchema,
  Topic,
} from '../../src/index.ts'
import { fromTopic, toTopic } from '../../src/rxjs.ts'
import type { MillraceRecord } from '../../src/rxjs.ts'

// The types of a topic come from its serdes, and reach every call without an annotation.

declare const millrace: Millrace
declare const producer: Producer
declare const consumer: Consumer

interface Click {
  readonly page: string
}
declare const trimmed: StandardSchema<{ page: string; at?: string }, { page: string; at: number }>

// --- millrace.topic

const plain = await millrace.topic('plain')
expectTypeOf(plain).toEqualTypeOf<Topic<string | null, unknown, string | null, unknown>>()
const greetings = await millrace.topic('greetings', { value: string() })
expectTypeOf(greetings).toEqualTypeOf<Topic<string | null, string, string | null, string>>()
const raw = await millrace.topic('raw', { value: bytes() })
expectTypeOf(raw).toEqualTypeOf<Topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>>()
const clicks = await millrace.topic('clicks', { partitions: 8, key: string(), value: json<Click>() })
expectTypeOf(clicks).toEqualTypeOf<Topic<string, Click, string, Click>>()
const visits = await millrace.topic('visits', { key: msgpack<[number, string]>(), value: json(trimmed), config: { 'retention.ms': -1 } })
expectTypeOf(visits).toEqualTypeOf<Topic<[number, string], { page: string; at: number }, [number, string], { page: string; at?: string }>>()
const table = await millrace.topic(defineTopic('table', { key: string(), value: nullable(json<Click>()) }))
expectTypeOf(table).toEqualTypeOf<Topic<string, Click | null, string, Click | null>>()
const own = await millrace.topic('own', { value: { serialize: (degrees: number) => String(degrees), deserialize: (view) => view.length } })
expectTypeOf(own).toEqualTypeOf<Topic<string | null, number, string | null, number>>()

// What is given where a topic of known types is wanted.
const declared: Promise<Topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>> = millrace.topic('raw', {
  value: bytes(),
})
expectTypeOf(await declared).toEqualTypeOf<typeof raw>()
function open(name: string): Promise<Topic<string | null, string>> {
  return millrace.topic(name, { value: string() })
}
expectTypeOf(await open('x')).toEqualTypeOf<typeof greetings>()

// An abort may end the call, and changes no types.
const { signal } = new AbortController()
expectTypeOf(await millrace.topic('clicks', { key: string(), signal })).toEqualTypeOf<Topic<string, unknown, string, unknown>>()
expectTypeOf(await millrace.topic(defineTopic('greetings', { value: string() }), { signal })).toEqualTypeOf<typeof greetings>()
void producer.send(greetings, { value: 'hello' }, { signal })

// @ts-expect-error: a definition has its options in it
void millrace.topic(defineTopic('clicks'), { partitions: 3 })
// @ts-expect-error: a serde is called
void millrace.topic('clicks', { value: string })
// @ts-expect-error: there is no such option
void millrace.topic('clicks', { partition: 3 })

// --- producer.send

expectTypeOf(producer.send(greetings, { value: 'hello' })).toEqualTypeOf<Promise<RecordMetadata>>()
void producer.send(greetings, {
  key: 'k',
  value: 'hello',
  headers: { source: 'web', none: null, raw: new Uint8Array() },
  timestamp: 5,
  partition: 0,
})
void producer.send(clicks, { key: 'user-7', value: { page: '/' }, headers: [['a', 'b']] })
void producer.send(visits, { key: [7, 'x'], value: { page: '/' } })
void producer.send(raw, { value: Buffer.from('a Buffer is bytes') })
void producer.send(table, { key: 'k', value: null })
void producer.send(plain, { value: { any: 'thing' } })
// @ts-expect-error: its values are text
void producer.send(greetings, { value: 5 })
// @ts-expect-error: its keys are text or null
void producer.send(greetings, { key: 5, value: 'hello' })
// @ts-expect-error: a topic with a key serde requires a key
void producer.send(clicks, { value: { page: '/' } })
// @ts-expect-error: a value that was forgotten is no tombstone
void producer.send(table, { key: 'k' })
// @ts-expect-error: null needs nullable()
void producer.send(clicks, { key: 'k', value: null })
// @ts-expect-error: the schema takes text for this
void producer.send(visits, { key: [7, 'x'], value: { page: '/', at: 5 } })
// @ts-expect-error: a misspelt name
void producer.send(greetings, { value: 'hello', header: {} })
// @ts-expect-error: header values are text, bytes or null
void producer.send(greetings, { value: 'hello', headers: { n: 5 } })
// @ts-expect-error: a definition is not bound
void producer.send(defineTopic('clicks', { value: string() }), { value: 'hello' })
// @ts-expect-error: the promise of a topic is none
void producer.send(millrace.topic('greetings', { value: string() }), { value: 'hello' })

// --- producer.sendAll and offer

expectTypeOf(producer.sendAll(clicks, [{ key: 'a', value: { page: '/' } }])).toEqualTypeOf<Promise<RecordMetadata[]>>()
void producer.sendAll(
  greetings,
  ['a', 'b'].map((value) => ({ value })),
)
function* generated(): Generator<ProducerRecord<string, Click>> {
  yield { key: 'a', value: { page: '/' } }
}
void producer.sendAll(clicks, generated())
// @ts-expect-error: one of them has no key
void producer.sendAll(clicks, [{ key: 'a', value: { page: '/' } }, { value: { page: '/' } }])

expectTypeOf(producer.offer(clicks, 'user-7', { page: '/' })).toEqualTypeOf<boolean>()
producer.offer(greetings, null, 'hello')
producer.offer(raw, null, new Uint8Array(3), { timestamp: 1, partition: 2, headers: new Map([['a', 'b']]) })
// @ts-expect-error: its values are clicks
producer.offer(clicks, 'user-7', 'hello')
// @ts-expect-error: its keys are text
producer.offer(clicks, 7, { page: '/' })
// @ts-expect-error: null needs nullable()
producer.offer(clicks, null, { page: '/' })

// --- consumer

for await (const record of consumer.records(clicks)) {
  expectTypeOf(record).toEqualTypeOf<ConsumerRecord<string, Click>>()
  expectTypeOf(record.key).toEqualTypeOf<string>()
  expectTypeOf(record.value).toEqualTypeOf<Click>()
  expectTypeOf(record.copy()).toEqualTypeOf<ConsumerRecord<string, Click>>()
  expectTypeOf(record.headers.get('a')).toEqualTypeOf<string | null | undefined>()
  // What was read can be sent on, headers and all.
  void producer.send(clicks, { key: record.key, value: record.value, headers: record.headers, timestamp: record.timestamp })
  const headers: Headers = record.headers
  void headers
}
for await (const { key, value } of consumer.records(visits, { until: 'end' })) {
  expectTypeOf(key).toEqualTypeOf<[number, string]>()
  expectTypeOf(value).toEqualTypeOf<{ page: string; at: number }>()
}
for await (const batch of consumer.batches(raw, { signal: new AbortController().signal })) {
  expectTypeOf(batch).toEqualTypeOf<ConsumerBatch<string | null, Uint8Array<ArrayBuffer>>>()
  for (const { value } of batch) expectTypeOf(value).toEqualTypeOf<Uint8Array<ArrayBuffer>>()
  const cursor = batch.cursor()
  while (cursor.next()) expectTypeOf(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)).toExtend<Uint8Array>()
}
consumer.assign([
  { topic: clicks, partition: 0 },
  { topic: raw, partition: 1 },
])
consumer.seek(visits, 0, 17)
expectTypeOf(consumer.position(greetings, 0)).toEqualTypeOf<number>()
consumer.seekToBeginning()
consumer.seekToEnd([{ topic: clicks, partition: 0 }])
consumer.pause(new Set([{ topic: raw, partition: 1 }]))
consumer.resume([{ topic: clicks, partition: 0 }])
expectTypeOf(consumer.paused()).toEqualTypeOf<NamedPartition[]>()
expectTypeOf(consumer.lag(visits)).toEqualTypeOf<number>()
expectTypeOf(consumer.lag(visits, 0)).toEqualTypeOf<number>()
expectTypeOf(consumer.beginningOffsets([{ topic: clicks, partition: 0 }], { signal })).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(consumer.endOffsets([{ topic: clicks, partition: 0 }])).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(consumer.offsetsForTimes([{ topic: clicks, partition: 0, timestamp: 5 }], { signal })).toEqualTypeOf<
  Promise<(OffsetAndTimestamp | null)[]>
>()
expectTypeOf(consumer.close({ timeoutMs: 5 })).toEqualTypeOf<Promise<void>>()
// @ts-expect-error: a time is asked for
void consumer.offsetsForTimes([{ topic: clicks, partition: 0 }])
// What names partitions is taken back: by the names of their topics.
consumer.pause(consumer.assignment())
consumer.resume(consumer.paused())
consumer.seek('clicks', 0, 5)
void consumer.committed(consumer.assignment(), { signal })
void consumer.commitOffsets(consumer.assignment().map((each) => ({ ...each, offset: 5 })))
expectTypeOf(consumer.position('clicks', 0) + consumer.lag('clicks')).toEqualTypeOf<number>()
millrace.consumer({ groupId: 'g', onAssigned: (partitions) => consumer.seekToEnd(partitions) })
// @ts-expect-error: a definition is no name
consumer.pause([{ topic: defineTopic('clicks'), partition: 0 }])
millrace.consumer({ autoOffsetReset: 'by_duration:PT1H', isolationLevel: 'read_committed', maxPollRecords: 500, fetchMinBytes: 1_024 })
// @ts-expect-error: a duration has its prefix
millrace.consumer({ autoOffsetReset: 'PT1H' })
// @ts-expect-error: there are two levels
millrace.consumer({ isolationLevel: 'committed' })
consumer.on('overtaken', ({ topic, partition, missed }) => expectTypeOf([topic, partition, missed]).toEqualTypeOf<(string | number)[]>())
// @ts-expect-error: there is one end
consumer.records(clicks, { until: 'now' })
// @ts-expect-error: a definition is not bound
consumer.records(defineTopic('clicks'))
// @ts-expect-error: nor here
consumer.seek(defineTopic('clicks'), 0, 0)
// @ts-expect-error: nor here
consumer.assign([{ topic: defineTopic('clicks'), partition: 0 }])

// Any topic fits where its types do not matter.
declare function count(topic: Topic<unknown, unknown, never, never>): number
for (const each of [clicks, raw, visits, table]) count(each)

// --- rxjs

fromTopic(clicks, { autoOffsetReset: 'by_duration:P1D', isolationLevel: 'read_committed', fetchMinBytes: 10, fetchMaxWaitMs: 5 })
// @ts-expect-error: a source needs a position
fromTopic(clicks, { autoOffsetReset: 'none' })
expectTypeOf(fromTopic(clicks, { until: 'end' })).toEqualTypeOf<Observable<MillraceRecord<string, Click>>>()
const pages = fromTopic(clicks).pipe(
  filter(({ value }) => value.page !== '/'),
  map(({ key, value, timestamp }) => {
    expectTypeOf(key).toEqualTypeOf<string>()
    return { value: `${key} ${value.page}`, timestamp }
  }),
  toTopic(greetings),
  map(({ offset }) => offset),
)
expectTypeOf(pages).toEqualTypeOf<Observable<number>>()

// A record goes from topic to topic as it is.
expectTypeOf(fromTopic(clicks).pipe(toTopic(clicks))).toEqualTypeOf<Observable<RecordMetadata>>()
expectTypeOf(fromTopic(greetings).pipe(toTopic(greetings))).toEqualTypeOf<Observable<RecordMetadata>>()
expectTypeOf(fromTopic(greetings).pipe(toTopic(table.partitions > 1 ? greetings : greetings))).toEqualTypeOf<Observable<RecordMetadata>>()
expectTypeOf(fromTopic(table).pipe(toTopic(table))).toEqualTypeOf<Observable<RecordMetadata>>()
fromTopic(clicks).pipe(
  concatMap(({ hold, value }) => [{ value: String(typeof hold), key: value.page }]),
  toTopic(greetings),
)
from(['a', 'b']).pipe(
  map((value) => ({ value })),
  toTopic(greetings),
)
throwError(() => new Error('x')).pipe(toTopic(greetings))
// @ts-expect-error: its values are clicks
fromTopic(clicks).pipe(toTopic(greetings))
// @ts-expect-error: keys may be null there, and not here
fromTopic(greetings).pipe(toTopic(await millrace.topic('keyed', { key: string(), value: string() })))
// @ts-expect-error: a topic with a key serde requires a key
of({ value: { page: '/' } }).pipe(toTopic(clicks))
// @ts-expect-error: text is no record
of('text').pipe(toTopic(greetings))
fromTopic(clicks, { groupId: 'per-page', onRevoked: ([first]) => console.log(first?.partition) })
fromTopic([clicks, clicks], { lossless: false, overflow: 'latest', onDropped: ({ dropped }) => dropped })
// @ts-expect-error: what is settled is committed
fromTopic(clicks, { groupId: 'per-page', autoCommit: false })
// @ts-expect-error: a definition is not bound
fromTopic(defineTopic('clicks'))

// --- opening

declare const embedded: EmbeddedMillrace
expectTypeOf(structuredClone(embedded.handle)).toEqualTypeOf<typeof embedded.handle>()
// @ts-expect-error: a millrace that is not of this process has no handle
void millrace.handle
