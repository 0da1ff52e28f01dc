import { once } from 'node:events'
import { Transform, Writable } from 'node:stream'
import type { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openMillrace, string } from '../../src/index.ts'
import type { ConsumerRecord, EmbeddedMillrace } from '../../src/index.ts'
import { readableFrom } from '../../src/streams.ts'
import type { TopicReadable } from '../../src/streams.ts'
import { codeOf, committedOf, filled, numbers, send, upTo } from './number-topics.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

type Record = ConsumerRecord<string | null, number>

/** Takes records until it has `n`; each way that a stream has of being read. The last one is in hand when it resolves. */
const READERS: readonly [string, (stream: TopicReadable<string | null, number>, n: number) => Promise<number[]>][] = [
  [
    'read()',
    async (stream, n) => {
      const values: number[] = []
      while (values.length < n) {
        const record = stream.read() as Record | null
        if (record === null) await once(stream, 'readable')
        else values.push(record.value)
      }
      return values
    },
  ],
  [
    "'data'",
    (stream, n) =>
      new Promise((resolve) => {
        const values: number[] = []
        stream.on('data', (record: Record) => {
          values.push(record.value)
          if (values.length < n) return
          stream.pause()
          resolve(values)
        })
      }),
  ],
  [
    'an iterator',
    async (stream, n) => {
      const values: number[] = []
      const iterator = stream[Symbol.asyncIterator]()
      while (values.length < n) values.push((await iterator.next()).value!.value)
      return values
    },
  ],
  [
    'pipe',
    (stream, n) =>
      new Promise((resolve) => {
        const values: number[] = []
        const sink = new Writable({
          objectMode: true,
          highWaterMark: 1,
          write(record: Record, _, taken) {
            values.push(record.value)
            if (values.length < n) setImmediate(taken)
            else resolve(values)
          },
        })
        stream.pipe(sink)
      }),
  ],
]

describe('readableFrom', () => {
  test('gives records in order, whole, to `for await`, and ends at the end', async () => {
    const topic = await filled(millrace, 'whole', 500)
    const records: Record[] = []
    const stream = readableFrom(topic, { until: 'end' })
    for await (const record of stream) records.push(record)
    expect(records.map(({ value }) => value)).toEqual(upTo(500))
    expect(records[7]).toMatchObject({ topic: topic.name, partition: 0, offset: 7, key: 'k7', timestamp: 1_007 })
    expect(records[7]!.headers.get('n')).toBe('7')
    expect([stream.destroyed, stream.readableEnded]).toEqual([true, true])
  })

  test('an empty topic ends at once', async () => {
    const values: unknown[] = []
    for await (const record of readableFrom(await numbers(millrace, 'empty'), { until: 'end' })) values.push(record)
    expect(values).toEqual([])
  })

  test('partitions, and where reading starts', async () => {
    const topic = await filled(millrace, 'partitions', 100, 4)
    const partitions = new Set<number>()
    for await (const record of readableFrom(topic, { until: 'end', partitions: [1, 3] })) partitions.add(record.partition)
    expect([...partitions].sort()).toEqual([1, 3])
    const latest = readableFrom(topic, { autoOffsetReset: 'latest' })
    const first = latest[Symbol.asyncIterator]().next()
    await new Promise(setImmediate)
    await send(millrace, topic, [100])
    expect((await first).value!.value).toBe(100)
    latest.destroy()
  })

  test('waits for what comes later, and a reader that waits is no busy loop', async () => {
    const topic = await filled(millrace, 'later', 10)
    const stream = readableFrom(topic)
    const values: number[] = []
    stream.on('data', (record: Record) => values.push(record.value))
    await vi.waitFor(() => expect(values).toHaveLength(10))
    for (let i = 10; i < 20; i++) await send(millrace, topic, [i])
    await vi.waitFor(() => expect(values).toEqual(upTo(20)))
    stream.destroy()
    await once(stream, 'close')
  })

  test('pipeline, through a stream that fails: the error comes out, and the consumer is closed', async () => {
    const topic = await filled(millrace, 'pipeline', 100)
    const opened = vi.spyOn(millrace, 'consumer')
    const seen: number[] = []
    const numbersOnly = (): Transform =>
      new Transform({ objectMode: true, transform: (record: Record, _, next) => next(null, record.value) })
    await pipeline(readableFrom(topic, { until: 'end' }), numbersOnly(), async (values: AsyncIterable<number>) => {
      for await (const value of values) seen.push(value)
    })
    expect(seen).toEqual(upTo(100))
    const failure = new Error('full')
    const failing = new Writable({ objectMode: true, write: (_, __, next) => next(failure) })
    const source = readableFrom(topic)
    await expect(pipeline(source, numbersOnly(), failing)).rejects.toBe(failure)
    if (!source.closed) await once(source, 'close')
    const consumers = opened.mock.results.map(({ value }) => value as ReturnType<typeof millrace.consumer>)
    opened.mockRestore()
    expect(consumers).toHaveLength(2)
    for (const consumer of consumers) expect(() => consumer.position(topic, 0)).toThrow('closed')
  })

  test('a record that cannot be decoded throws where it is touched, and the stream goes on', async () => {
    const topic = await numbers(millrace, 'undecodable')
    const raw = await millrace.topic(topic.name, { value: string() })
    const producer = millrace.producer()
    await producer.sendAll(
      raw,
      ['1', '{', '3'].map((value) => ({ value })),
    )
    const values: unknown[] = []
    for await (const record of readableFrom(topic, { until: 'end' })) {
      try {
        values.push(record.value)
      } catch (error) {
        values.push((error as { code: string }).code)
      }
    }
    expect(values).toEqual([1, 'DESERIALIZATION', 3])
  })

  test('a signal ends it with ABORTED: while it waits, before it starts, and while nobody reads', async () => {
    const topic = await filled(millrace, 'aborted', 3)
    const abort = new AbortController()
    const reading = (async () => {
      for await (const record of readableFrom(topic, { signal: abort.signal }))
        if (record.value === 2) setImmediate(() => abort.abort('enough'))
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    const late: Readable = readableFrom(topic, { signal: abort.signal })
    expect(await codeOf(finished(late))).toBe('ABORTED')
    const later = new AbortController()
    const unread: Readable = readableFrom(topic, { signal: later.signal })
    later.abort()
    expect(await codeOf(finished(unread))).toBe('ABORTED')
  })

  test('a deleted topic fails it, a closed millrace ends it', async () => {
    const topic = await filled(millrace, 'deleted', 3)
    const reading = (async () => {
      for await (const record of readableFrom(topic)) if (record.value === 2) void millrace.admin.deleteTopics([topic.name])
    })()
    expect(await codeOf(reading)).toBe('UNKNOWN_TOPIC_ID')
    const other = await openMillrace({ logMemoryBytes: 16 * 1024 * 1024 })
    const values: number[] = []
    for await (const record of readableFrom(await filled(other, 'closed', 3))) if (values.push(record.value) === 3) void other.close()
    expect(values).toEqual([0, 1, 2])
    await other.close()
  })

  test('wrong options are refused, and say what is right', async () => {
    const topic = await numbers(millrace, 'options')
    expect(() => readableFrom(topic, { until: 'now' } as never)).toThrow('stream option until must be')
    expect(() => readableFrom(topic, { partitions: [] })).toThrow('names none')
    expect(() => readableFrom(topic, { partitions: [7] })).toThrow(expect.objectContaining({ code: 'UNKNOWN_TOPIC_OR_PARTITION' }))
    expect(() => readableFrom(topic, { highWaterMark: 16 } as never)).toThrow('reads no record ahead of its reader')
    expect(() => readableFrom(topic, { groupID: 'g' } as never)).toThrow('groupId')
    expect(() => readableFrom(topic, 'end' as never)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
    expect(() => readableFrom({ name: 'x' } as never)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  })
})

describe('in a group', () => {
  test.each(READERS)('%s: a record is settled when the next is asked for, and what waits never is', async (how, take) => {
    const groupId = `settles by ${how}`
    const topic = await filled(millrace, 'settled', 100)
    for (const [from, n] of [
      [0, 1],
      [0, 40],
      [39, 61],
    ] as const) {
      const stream = readableFrom(topic, { groupId })
      expect(await take(stream, n)).toEqual(upTo(n).map((i) => from + i))
      // The one in hand is not settled: it comes again.
      stream.destroy()
      await once(stream, 'close')
      expect(await committedOf(millrace, groupId, topic)).toBe(from + n - 1)
    }
  })

  test.each(READERS)('%s: the last one before a lull is settled by waiting for more', async (how, take) => {
    const groupId = `lull by ${how}`
    const topic = await filled(millrace, 'lull', 10)
    const stream = readableFrom(topic, { groupId, autoCommitIntervalMs: 1 })
    if (how === "'data'") stream.on('data', () => undefined)
    else if (how === 'pipe') stream.pipe(new Writable({ objectMode: true, highWaterMark: 1, write: (_, __, next) => next() }))
    else take(stream, 11).catch(() => undefined)
    await vi.waitFor(async () => expect(await committedOf(millrace, groupId, topic)).toBe(10))
    stream.destroy()
    await once(stream, 'close')
  })

  test('one that came later than it was asked for, and waits in the stream, is not settled', async () => {
    const topic = await numbers(millrace, 'waits')
    const stream = readableFrom(topic, { groupId: 'waits', autoCommitIntervalMs: 1 })
    expect(stream.read()).toBe(null)
    await send(millrace, topic, [0, 1, 2])
    await once(stream, 'readable')
    expect(stream.readableLength).toBe(1)
    expect((stream.read() as Record).value).toBe(0)
    // Asks for the next; what was sent with it may lie in a batch of its own.
    let next = stream.read() as Record | null
    while (next === null) {
      await once(stream, 'readable')
      next = stream.read() as Record | null
    }
    expect(next.value).toBe(1)
    expect(stream.readableLength).toBe(0)
    await vi.waitFor(async () => expect(await committedOf(millrace, 'waits', topic)).toBe(1))
    stream.destroy()
    await once(stream, 'close')
    expect(await committedOf(millrace, 'waits', topic)).toBe(1)
  })

  test('the end settles the last, once its reader has asked past it', async () => {
    const topic = await filled(millrace, 'last', 20)
    const stream = readableFrom(topic, { groupId: 'last', until: 'end', autoCommitIntervalMs: 1 })
    let seen = 0
    for await (const _ of stream) {
      if (++seen < 20) continue
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      expect(await committedOf(millrace, 'last', topic)).toBeLessThan(20)
      expect(stream.readableEnded).toBe(false)
    }
    expect(await committedOf(millrace, 'last', topic)).toBe(20)
  })

  test('break, throw and an abort settle nothing of what is in hand', async () => {
    const topic = await filled(millrace, 'broken', 20)
    for await (const record of readableFrom(topic, { groupId: 'broken' })) if (record.value === 4) break
    await vi.waitFor(async () => expect(await committedOf(millrace, 'broken', topic)).toBe(4))
    const failure = new Error('mine')
    const reading = (async () => {
      for await (const record of readableFrom(topic, { groupId: 'broken' })) if (record.value === 9) throw failure
    })()
    await expect(reading).rejects.toBe(failure)
    await vi.waitFor(async () => expect(await committedOf(millrace, 'broken', topic)).toBe(9))
  })

  test('two streams share the partitions, and each record comes once', async () => {
    const topic = await filled(millrace, 'shared', 400, 4)
    const values: number[] = []
    const read = async (): Promise<void> => {
      for await (const record of readableFrom(topic, { groupId: 'shared', until: 'end' })) {
        values.push(record.value)
        if (values.length % 50 === 0) await new Promise(setImmediate)
      }
    }
    await Promise.all([read(), read()])
    expect(values.sort((a, b) => a - b)).toEqual(upTo(400))
    expect(await committedOf(millrace, 'shared', topic)).toBe(400)
  })
})
