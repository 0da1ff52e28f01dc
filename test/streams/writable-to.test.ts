import { once } from 'node:events'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openMillrace } from '../../src/index.ts'
import type { EmbeddedMillrace, Producer } from '../../src/index.ts'
import { readableFrom, readableStreamFrom, writableStreamTo, writableTo } from '../../src/streams.ts'
import { codeOf, filled, numbers, upTo, valuesOf } from './number-topics.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

/** The producer that a stream has opened. */
function producerOf(make: () => void): Producer {
  const opened = vi.spyOn(millrace, 'producer')
  make()
  const producer = opened.mock.results.at(-1)!.value as Producer
  opened.mockRestore()
  return producer
}

describe('writableTo', () => {
  test('sends what is written, and finishes when all of it can be read', async () => {
    const topic = await numbers(millrace, 'written')
    const stream = writableTo(topic)
    for (const value of upTo(1_000)) if (!stream.write({ value })) await once(stream, 'drain')
    stream.end({ key: 'last', value: 1_000 })
    await once(stream, 'finish')
    expect(millrace.consumer().lag(topic)).toBe(1_001)
    expect(await valuesOf(millrace, topic)).toEqual(upTo(1_001))
  })

  test('pipeline from topic to topic: key, value, headers and timestamp carry over, the partition does not', async () => {
    const source = await filled(millrace, 'source', 300, 4)
    const target = await numbers(millrace, 'target')
    await pipeline(readableFrom(source, { until: 'end' }), writableTo(target))
    const seen = new Set<number>()
    for await (const record of readableFrom(target, { until: 'end' })) {
      const { value } = record
      expect(record).toMatchObject({ key: `k${value}`, partition: 0, timestamp: 1_000 + value })
      expect([...record.headers].map(({ key }) => [key, record.headers.get(key)])).toEqual([['n', `${value}`]])
      seen.add(value)
    }
    expect(seen.size).toBe(300)
  })

  test('a partition that is given for a record to send is used', async () => {
    const topic = await numbers(millrace, 'partition', 3)
    await pipeline(Readable.from(upTo(30).map((value) => ({ key: `k${value}`, value, partition: 2, timestamp: 5 }))), writableTo(topic))
    expect(millrace.consumer().lag(topic, 2)).toBe(30)
  })

  test('the first record that cannot be sent ends it, with the error of `offer`; those before are in the log', async () => {
    const topic = await numbers(millrace, 'unsendable')
    const loop: { self?: unknown } = {}
    loop.self = loop
    const records = [{ value: 1 }, { value: 2 }, { value: loop as never }, { value: 3 }]
    expect(await codeOf(pipeline(Readable.from(records), writableTo(topic)))).toBe('SERIALIZATION')
    expect(await codeOf(pipeline(Readable.from(['text']), writableTo(topic)))).toBe('INVALID_REQUEST')
    await vi.waitFor(async () => expect(await valuesOf(millrace, topic)).toEqual([1, 2]))
  })

  test('a batch that is refused fails it, at the end and in the middle', async () => {
    const topic = await numbers(millrace, 'refused')
    const small = await millrace.topic(`${topic.name}-small`, { config: { 'max.message.bytes': 100 } })
    // Only the leader can tell what it comes to.
    const large = upTo(300).map((i) => (i * 7_919) % 997)
    const failing = pipeline(Readable.from([{ value: large.join() }]), writableTo(small, { compressionType: 'gzip' }))
    expect(await codeOf(failing)).toBe('MESSAGE_TOO_LARGE')
    const stream = writableTo(topic)
    stream.on('error', () => undefined)
    stream.write({ value: 1 })
    await millrace.admin.deleteTopics([topic.name])
    await vi.waitFor(() => {
      if (!stream.destroyed) stream.write({ value: 2 })
      expect(stream.errored).toMatchObject({ code: expect.stringMatching(/^UNKNOWN_TOPIC/) as string })
    })
  })

  test('an abort, before or meanwhile, and destroy end it and close its producer', async () => {
    const topic = await numbers(millrace, 'aborted')
    const abort = new AbortController()
    let stream = writableTo(topic)
    const producers = [
      producerOf(() => void (stream = writableTo(topic, { signal: abort.signal }))),
      producerOf(() => void writableTo(topic).destroy()),
    ]
    stream.write({ value: 1 })
    abort.abort('enough')
    await expect(finished(stream)).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    expect(await codeOf(finished(writableTo(topic, { signal: abort.signal })))).toBe('ABORTED')
    for (const producer of producers) expect(() => producer.offer(topic, null, 1)).toThrow('closed')
  })

  test('wrong options are refused, and say what is right', async () => {
    const topic = await numbers(millrace, 'options')
    expect(() => writableTo(topic, { highWaterMark: -1 })).toThrow('stream option highWaterMark must be')
    expect(() => writableTo(topic, { linger: 5 } as never)).toThrow('lingerMs')
    expect(() => writableTo({ name: 'x' } as never)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  })
})

describe('writableStreamTo', () => {
  test('sends what is piped to it, and its end means that all can be read', async () => {
    const source = await filled(millrace, 'web-source', 1_000)
    const target = await numbers(millrace, 'web-target')
    await readableStreamFrom(source, { until: 'end' }).pipeTo(writableStreamTo(target))
    expect(millrace.consumer().lag(target)).toBe(1_000)
    expect(await valuesOf(millrace, target)).toEqual(upTo(1_000))
  })

  test('what fails errors it, an abort too, and its producer is closed', async () => {
    const topic = await numbers(millrace, 'web-failing')
    const abort = new AbortController()
    const streams = [writableStreamTo(topic)]
    const producers = [
      producerOf(() => void (streams[0] = writableStreamTo(topic))),
      producerOf(() => void (streams[1] = writableStreamTo(topic, { signal: abort.signal }))),
      producerOf(() => void (streams[2] = writableStreamTo(topic))),
    ]
    const [first, second, third] = streams.map((stream) => stream.getWriter())
    expect(await codeOf(first!.write('text' as never))).toBe('INVALID_REQUEST')
    expect(await codeOf(first!.write({ value: 1 }))).toBe('INVALID_REQUEST')
    const ended = codeOf(second!.closed)
    abort.abort()
    expect(await ended).toBe('ABORTED')
    await third!.write({ value: 5 })
    await third!.abort()
    for (const producer of producers) expect(() => producer.offer(topic, null, 1)).toThrow('closed')
    for (const writer of [first, second, third]) await writer!.closed.catch(() => undefined)
  })
})
