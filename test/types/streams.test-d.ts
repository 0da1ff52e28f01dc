import { Readable, Writable, finished, pipeline } from 'node:stream'
import { pipeline as piped } from 'node:stream/promises'
import { expectTypeOf } from 'vitest'
import { defineTopic, json, string } from '../../src/index.ts'
import type { ConsumerRecord, Millrace, ProducerRecord } from '../../src/index.ts'
import { readableFrom, readableStreamFrom, sendAll, writableStreamTo, writableTo } from '../../src/streams.ts'
import type { ReadStreamOptions, SendAllOptions, SentCounts, TopicReadable, WriteStreamOptions } from '../../src/streams.ts'

interface Click {
  readonly page: string
}

declare const millrace: Millrace
const clicks = await millrace.topic('clicks', { key: string(), value: json<Click>() })
const greetings = await millrace.topic('greetings', { value: string() })

// --- from a topic

expectTypeOf(readableFrom(clicks)).toEqualTypeOf<TopicReadable<string, Click>>()
for await (const record of readableFrom(clicks, { groupId: 'g', until: 'end', partitions: new Set([1]), maxPartitionFetchBytes: 1 })) {
  expectTypeOf(record).toEqualTypeOf<ConsumerRecord<string, Click>>()
}
expectTypeOf(readableStreamFrom(clicks)).toEqualTypeOf<ReadableStream<ConsumerRecord<string, Click>>>()
for await (const { value } of readableStreamFrom(greetings, { signal: new AbortController().signal }))
  expectTypeOf(value).toEqualTypeOf<string>()
pipeline(readableFrom(clicks), new Writable(), () => undefined)
// Node's own types say that a stream gives text or bytes where they do not take a Readable: as one it goes there too.
const plain: Readable = readableFrom(clicks)
finished(plain, () => undefined)
Readable.toWeb(plain)
plain.pipe(writableTo(clicks))
// @ts-expect-error: a definition is not bound
readableFrom(defineTopic('clicks'))
// @ts-expect-error: there is one end
readableFrom(clicks, { until: 'now' })
// @ts-expect-error: a stream from a topic reads nothing ahead
readableFrom(clicks, { highWaterMark: 16 })
// @ts-expect-error: there is no such option
readableStreamFrom(clicks, { group: 'g' })

// --- to a topic

expectTypeOf(writableTo(clicks, { highWaterMark: 5, lingerMs: 5, compressionType: 'zstd' })).toEqualTypeOf<Writable>()
expectTypeOf(writableStreamTo(clicks)).toEqualTypeOf<WritableStream<ProducerRecord<string, Click>>>()
void piped(readableFrom(clicks), writableTo(clicks))
void readableStreamFrom(clicks).pipeTo(writableStreamTo(clicks))
// @ts-expect-error: its values are text
void readableStreamFrom(clicks).pipeTo(writableStreamTo(greetings))
const writer = writableStreamTo(clicks).getWriter()
// @ts-expect-error: a topic with a key serde requires a key
void writer.write({ value: { page: '/' } })
// @ts-expect-error: there is no such option
writableTo(clicks, { linger: 5 })

expectTypeOf(sendAll(greetings, [{ value: 'a' }])).toEqualTypeOf<Promise<SentCounts>>()
void sendAll(clicks, readableFrom(clicks))
void sendAll(clicks, millrace.consumer().records(clicks), { signal: new AbortController().signal, bufferMemory: 1 })
void sendAll(greetings, readableStreamFrom(greetings))
// @ts-expect-error: its values are text
void sendAll(greetings, [{ value: 5 }])
// @ts-expect-error: its values are text
void sendAll(greetings, readableFrom(clicks))
// @ts-expect-error: text is iterable, but no records
void sendAll(greetings, 'text')

expectTypeOf<ReadStreamOptions['until']>().toEqualTypeOf<'end' | undefined>()
expectTypeOf<WriteStreamOptions['highWaterMark']>().toEqualTypeOf<number | undefined>()
expectTypeOf<SendAllOptions['signal']>().toEqualTypeOf<AbortSignal | undefined>()
