// How a reading ends: return, break, throw, abort, close; and that nothing stays behind.

import { getEventListeners } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../src/index.ts'

let millrace: EmbeddedMillrace
let topic: Topic<string | null, string>

beforeAll(async () => {
  millrace = await openMillrace({ logMemoryBytes: 32 * 1024 * 1024 })
  topic = await millrace.topic('ends', { partitions: 2, value: string() })
  const producer = millrace.producer()
  for (let i = 0; i < 1_000; i++) await producer.sendAll(topic, [{ value: `${i}` }])
})
afterAll(() => millrace.close())

/** What keeps the process alive while something waits: the port of the thread's parker. */
const alive = (): string[] => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort')

describe('a reading ends', () => {
  test.each(['records', 'batches'] as const)('%s: by break and by a throw in the loop; the next one may begin', async (kind) => {
    const before = alive()
    const consumer = millrace.consumer()
    for (let round = 0; round < 3; round++) {
      for await (const _ of consumer[kind](topic)) break
      const loop = async (): Promise<void> => {
        for await (const _ of consumer[kind](topic)) throw new Error('the user')
      }
      consumer.seek(topic, 0, 0)
      consumer.seek(topic, 1, 0)
      await expect(loop()).rejects.toThrow('the user')
    }
    expect(alive()).toEqual(before)
  })

  test.each(['records', 'batches'] as const)('%s: return while next waits', async (kind) => {
    const before = alive()
    const consumer = millrace.consumer({ autoOffsetReset: 'latest' })
    const iterator = consumer[kind](topic)
    const next = [iterator.next(), iterator.next()]
    await nextTurn()
    expect(alive().length).toBeGreaterThan(before.length)
    expect(await iterator.return!()).toEqual({ value: undefined, done: true })
    expect(await Promise.all(next)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ])
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    expect(alive()).toEqual(before)
  })

  test.each(['records', 'batches'] as const)('%s: by abort, while next waits, and before it is called', async (kind) => {
    const before = alive()
    const consumer = millrace.consumer({ autoOffsetReset: 'latest' })
    const abort = new AbortController()
    const next = consumer[kind](topic, { signal: abort.signal }).next()
    await nextTurn()
    abort.abort(new Error('enough'))
    await expect(next).rejects.toMatchObject({ code: 'ABORTED', retriable: false, cause: new Error('enough') })
    await expect(consumer[kind](topic, { signal: abort.signal }).next()).rejects.toMatchObject({ code: 'ABORTED' })
    expect(getEventListeners(abort.signal, 'abort')).toEqual([])
    // Neither of them still reads the topic.
    await consumer[kind](topic).return!()
    expect(alive()).toEqual(before)
  })

  test.each(['records', 'batches'] as const)('%s: by abort in the middle of a loop, which must not look like its end', async (kind) => {
    const consumer = millrace.consumer({ maxPartitionFetchBytes: 500 })
    const abort = new AbortController()
    let rounds = 0
    const loop = async (): Promise<void> => {
      for await (const _ of consumer[kind](topic, { signal: abort.signal, until: 'end' })) if (++rounds === 3) abort.abort()
    }
    await expect(loop()).rejects.toMatchObject({ code: 'ABORTED' })
    expect(rounds).toBe(3)
    expect(getEventListeners(abort.signal, 'abort')).toEqual([])
  })

  test('its signal is let go of, however it ends', async () => {
    const abort = new AbortController()
    const { signal } = abort
    const consumer = millrace.consumer()
    for await (const _ of consumer.records(topic, { signal, until: 'end' })) {
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      break
    }
    for await (const _ of consumer.batches(topic, { signal, until: 'end' }));
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('by close: of the consumer, while next waits and in the middle of a batch', async () => {
    const before = alive()
    const consumer = millrace.consumer()
    const records = consumer.records(topic)
    for (let i = 0; i < 1_000; i++) await records.next()
    const next = records.next()
    await nextTurn()
    await consumer.close()
    expect(await next).toEqual({ value: undefined, done: true })

    const other = millrace.consumer()
    let count = 0
    for await (const _ of other.records(topic)) if (++count === 3) await other.close()
    expect(count).toBe(3)
    expect(alive()).toEqual(before)
  })

  test('asynchronous disposal is the same', async () => {
    const consumer = millrace.consumer({ autoOffsetReset: 'latest' })
    const iterator = consumer.records(topic)
    const next = iterator.next()
    await (iterator as unknown as AsyncDisposable)[Symbol.asyncDispose]()
    expect(await next).toEqual({ value: undefined, done: true })
    await consumer[Symbol.asyncDispose]()
    expect(() => consumer.records(topic)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })
})

describe('misuse', () => {
  test('two loops of one consumer over one topic', async () => {
    const consumer = millrace.consumer()
    const first = consumer.records(topic)
    expect(() => consumer.batches(topic)).toThrow(
      expect.objectContaining({
        code: 'INVALID_REQUEST',
        message: expect.stringMatching(/reads topic ends already: end that loop first/) as string,
      }),
    )
    await first.return!()
    await consumer.batches(topic).return!()
  })

  test('wrong options of reading', () => {
    const consumer = millrace.consumer()
    const read = (options: object): unknown => consumer.records(topic, options as never)
    expect(() => read({ until: 'now' })).toThrow(/reading option until must be one of "end"; "now" was given/)
    expect(() => read({ untill: 'end' })).toThrow(/did you mean until/)
    expect(() => read({ signal: new AbortController() })).toThrow(/signal must be an AbortSignal/)
    expect(() => read({ autoOffsetReset: 'latest' })).toThrow(/it is an option of the consumer/)
    expect(() => read('end' as never)).toThrow(/are given as an object/)
  })

  test('partitions and offsets that are none', () => {
    const consumer = millrace.consumer()
    const unknown = expect.objectContaining({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false }) as Error
    for (const partition of [2, -1, 0.5, '0' as never, undefined as never]) {
      expect(() => consumer.assign([{ topic, partition }])).toThrow(unknown)
      expect(() => consumer.seek(topic, partition, 0)).toThrow(unknown)
      expect(() => consumer.position(topic, partition)).toThrow(unknown)
    }
    for (const offset of [-1, 0.5, Number.NaN, 2 ** 53, '0' as never]) {
      expect(() => consumer.seek(topic, 0, offset)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    }
    consumer.assign([{ topic, partition: 1 }])
    // A failed call has changed nothing.
    expect(() =>
      consumer.assign([
        { topic, partition: 0 },
        { topic, partition: 7 },
      ]),
    ).toThrow(unknown)
    expect(consumer.assignment()).toEqual([{ topic: 'ends', partition: 1 }])
  })

  test('topics that are not bound, not assigned, or of another millrace', async () => {
    const other = await openMillrace({ logMemoryBytes: 16 * 1024 * 1024 })
    const foreign = await other.topic('ends', { value: string() })
    const consumer = millrace.consumer()
    expect(() => consumer.records(topic.definition as never)).toThrow(/topic "ends" is only defined: bind it first/)
    expect(() => consumer.records('ends' as never)).toThrow(/"ends" is not a topic/)
    expect(() => consumer.records(foreign)).toThrow(/topic ends was bound by another millrace/)
    expect(() => consumer.seek(foreign, 0, 0)).toThrow(/was bound by another millrace/)
    await expect(millrace.producer().send(foreign, { value: 'a' })).rejects.toThrow(/was bound by another millrace/)
    const unassigned = await millrace.topic('unassigned')
    consumer.assign([{ topic, partition: 1 }])
    expect(() => consumer.records(unassigned)).toThrow(/no partition of topic unassigned is assigned to this consumer/)
    await other.close()
  })

  test('a consumer after close', async () => {
    const consumer = millrace.consumer()
    await consumer.close()
    await consumer.close()
    const closed = expect.objectContaining({ code: 'CLOSED', retriable: false }) as Error
    expect(() => consumer.records(topic)).toThrow(closed)
    expect(() => consumer.batches(topic)).toThrow(closed)
    expect(() => consumer.assign([{ topic, partition: 0 }])).toThrow(closed)
    expect(() => consumer.seek(topic, 0, 0)).toThrow(closed)
    expect(() => consumer.position(topic, 0)).toThrow(closed)
  })

  test.each<[string, () => unknown, RegExp]>([
    ['openMillrace', () => openMillrace({ broker: 3 } as never), /did you mean brokers/],
    ['openMillrace', () => openMillrace({ brokers: 0 }), /openMillrace option brokers must be a whole number of brokers/],
    ['openMillrace', () => openMillrace({ logMemoryBytes: 17_000_000 }), /a multiple of 8388608/],
    ['producer', () => millrace.producer({ lingerMS: 5 } as never), /it is written lingerMs here/],
    ['producer', () => millrace.producer({ acks: 2 as never }), /producer option acks must be one of 0, 1, "all"/],
    ['consumer', () => millrace.consumer({ onRevoked: () => undefined }), /onRevoked is for a member of a group: set groupId/],
    ['consumer', () => millrace.consumer({ maxPollRecord: 5 } as never), /did you mean maxPollRecords/],
  ])('wrong options of %s', async (_, call, message) => {
    const failure = await Promise.resolve()
      .then(call)
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'INVALID_CONFIG', retriable: false, message: expect.stringMatching(message) as string })
  })
})
