// Large batches, which a pool compresses: here the test is the pool, and answers when it likes.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Topic } from '../../../src/client/topic-definition.ts'
import { COMPRESS_ON_POOL_BYTES } from '../../../src/client/producer/batch-compressions.ts'
import { COPIES_MAX } from '../../../src/client/producer/batch-pool.ts'
import type { Producer } from '../../../src/client/producer/producer.ts'
import { seededRandom } from '../../../src/random.ts'
import { ZSTD } from '../../../src/record/zstd-codec.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'
import type { TakenBatch } from './hand-driven-broker.ts'

const LARGE = { compressionType: 'zstd', batchSize: 262_144 } as const

let broker: HandDrivenBroker

beforeEach(() => {
  broker = new HandDrivenBroker()
})
afterEach(() => {
  vi.restoreAllMocks()
  broker.close()
})

/** A value that fills a large batch. */
function large(letter: string, bytes = 262_000): string {
  return `${letter}${'.'.repeat(bytes)}`
}

const initials = (batches: readonly TakenBatch[]): string[] => batches.flatMap(({ values }) => values.map((value) => value[0]!))

async function sendLarge(producer: Producer, topic: Topic<string | null, string>, letters: string, partition = 0): Promise<void> {
  for (const letter of letters) void producer.send(topic, { value: large(letter), partition }).catch(() => undefined)
  await nextTurn()
}

async function compressAll(): Promise<void> {
  for (; broker.pool.given.length > 0; await nextTurn()) broker.pool.given.shift()!.compress()
}

describe('a large batch', () => {
  test('leaves when the pool has compressed it, and those behind it after it; other partitions do not wait', async () => {
    const producer = broker.producer(LARGE)
    const topic = broker.topic({ partitions: 2 })
    const compress = vi.spyOn(ZSTD, 'compress')
    await sendLarge(producer, topic, 'AB')
    const small = producer.send(topic, { value: large('c', 200), partition: 0 })
    void producer.send(topic, { value: 'd', partition: 1 })
    await nextTurn()
    // What the main thread compresses is the small batch of the other partition.
    expect(compress).toHaveBeenCalledTimes(1)
    expect(initials(await broker.serve())).toEqual(['d'])
    expect(broker.pool.given.map(({ task }) => task)).toMatchObject([{ type: 4 }, { type: 4 }])
    // The second first.
    broker.pool.given.pop()!.compress()
    expect(await broker.serve()).toEqual([])
    broker.pool.given.pop()!.compress()
    const batches = await broker.serve()
    expect(initials(batches)).toEqual(['A', 'B', 'c'])
    expect(batches.map(({ compression }) => compression)).toEqual([4, 4, 4])
    expect(batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 1, 2])
    expect(batches[0]!.sizeInBytes).toBeLessThan(1_000)
    expect(await small).toMatchObject({ partition: 0 })
  })

  test('is one of so many bytes: the next smaller one leaves at once', async () => {
    const producer = broker.producer(LARGE)
    const topic = broker.topic()
    const overhead = 75
    void producer.send(topic, { value: large('a', COMPRESS_ON_POOL_BYTES - overhead - 10) })
    expect(initials(await broker.serve())).toEqual(['a'])
    expect(broker.pool.given).toEqual([])
    void producer.send(topic, { value: large('B', COMPRESS_ON_POOL_BYTES - overhead + 10) })
    expect(await broker.serve()).toEqual([])
    expect(broker.pool.given[0]!.task.bytes.length).toBeGreaterThanOrEqual(COMPRESS_ON_POOL_BYTES)
    await compressAll()
    expect(initials(await broker.serve())).toEqual(['B'])
  })

  test('is compressed with what its topic asked for when it was sealed', async () => {
    const producer = broker.producer({ batchSize: LARGE.batchSize })
    const topic = broker.topic({ config: { 'compression.type': 'gzip', 'compression.gzip.level': 2 } })
    await sendLarge(producer, topic, 'A')
    broker.alter(topic, { 'compression.type': 'lz4' })
    await sendLarge(producer, topic, 'BC')
    expect(broker.pool.given.map(({ task: { type, level } }) => [type, level])).toEqual([
      [1, 2],
      [3, 9],
    ])
    await compressAll()
    expect((await broker.serve()).map(({ compression }) => compression)).toEqual([1, 3, 3])
  })

  test.each([0, 1, 'all'] as const)('is answered with acks: %s, whatever comes back in which order', async (acks) => {
    const producer = broker.producer({ ...LARGE, acks })
    const topic = broker.topic({ partitions: 3 })
    const random = seededRandom(7)
    const sent: Promise<unknown>[] = []
    const expected: string[][] = [[], [], []]
    const found: string[][] = [[], [], []]
    for (let i = 0; i < 120; i++) {
      const [partition, bytes] = [random.below(3), random.below(2) === 0 ? 10 : 150_000]
      const value = `${i} ${'x'.repeat(bytes)}`
      expected[partition]!.push(value)
      sent.push(producer.send(topic, { value, partition }))
      if (random.below(3) === 0) await nextTurn()
      for (const batch of broker.take()) {
        found[batch.partition]!.push(...batch.values)
        if (acks !== 0) batch.ack()
      }
      const { given } = broker.pool
      if (given.length > 0 && random.below(2) === 0) given.splice(random.below(given.length), 1)[0]!.compress()
    }
    for (let idle = 0; idle < 3; idle = broker.pool.given.length === 0 ? idle + 1 : 0) {
      await compressAll()
      for (const batch of broker.take()) {
        found[batch.partition]!.push(...batch.values)
        if (acks !== 0) batch.ack()
      }
      await nextTurn()
    }
    await Promise.all(sent)
    expect(found).toEqual(expected)
  })
})

describe('a batch that is given up while it is compressed', () => {
  test('by its delivery timeout: the late answer does not touch the batch that has its memory now', async () => {
    const producer = broker.producer({ ...LARGE, deliveryTimeoutMs: 1_000, bufferMemory: 900_000 })
    const topic = broker.topic()
    const first = producer.send(topic, { value: large('A') })
    await nextTurn()
    broker.clock.advance(1_000)
    await expect(first).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    const second = producer.send(topic, { value: large('B') })
    await nextTurn()
    const [late, next] = broker.pool.given.splice(0)
    expect([late, next].map((each) => each!.task.bytes.includes(0x42))).toEqual([false, true])
    late!.compress()
    expect(await broker.serve()).toEqual([])
    next!.compress()
    const batches = await broker.serve()
    expect(batches.flatMap(({ values }) => values)).toEqual([large('B')])
    expect(batches[0]!.baseSequence).toBe(0)
    await second
  })

  test('by the deletion of its topic', async () => {
    const producer = broker.producer(LARGE)
    const topic = broker.topic()
    const sent = [producer.send(topic, { value: large('A') }), producer.send(topic, { value: large('B') })]
    await nextTurn()
    broker.elect(topic, 0, -1, 0)
    broker.control(topic, 0).markDeleting()
    broker.deleteTopic(topic)
    const flushed = producer.flush()
    expect(await Promise.allSettled(sent)).toMatchObject([
      { reason: { code: 'UNKNOWN_TOPIC_ID' } },
      { reason: { code: 'UNKNOWN_TOPIC_ID' } },
    ])
    await flushed
    await compressAll()
    expect(await broker.serve()).toEqual([])
  })

  test('by close, when its time is over', async () => {
    const producer = broker.producer(LARGE)
    const sent = producer.send(broker.topic(), { value: large('A') })
    await nextTurn()
    const closed = producer.close({ timeoutMs: 100 })
    broker.clock.advance(100)
    await expect(sent).rejects.toMatchObject({ code: 'CLOSED' })
    await closed
    await compressAll()
    expect(await broker.serve()).toEqual([])
  })
})

describe('what waits for it', () => {
  test('flush', async () => {
    const producer = broker.producer({ ...LARGE, lingerMs: 1_000 })
    const topic = broker.topic()
    expect(producer.offer(topic, null, large('A'))).toBe(true)
    let isFlushed = false
    const flushed = producer.flush().then(() => (isFlushed = true))
    await broker.serve()
    expect(isFlushed).toBe(false)
    await compressAll()
    expect(initials(await broker.serve())).toEqual(['A'])
    await flushed
  })

  test('close, which sends it', async () => {
    const producer = broker.producer(LARGE)
    const sent = producer.send(broker.topic(), { value: large('A') })
    const closed = producer.close()
    await broker.serve()
    await compressAll()
    expect(initials(await broker.serve())).toEqual(['A'])
    await closed
    expect(await sent).toMatchObject({ offset: 0 })
  })

  test('a send that found no room for the copy of another, which an abort ends, and one that does not', async () => {
    const producer = broker.producer({ ...LARGE, bufferMemory: 700_000 })
    const topic = broker.topic()
    await sendLarge(producer, topic, 'A')
    const abort = new AbortController()
    const waiting = producer.send(topic, { value: large('B') }, { signal: abort.signal })
    const next = producer.send(topic, { value: large('C') })
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
    expect(broker.pool.given).toHaveLength(1)
    await compressAll()
    expect(initials(await broker.serve())).toEqual(['A', 'C'])
    await next
  })
})

describe('memory', () => {
  test('so many copies are made at once, and each is of bufferMemory', async () => {
    const producer = broker.producer({ ...LARGE, bufferMemory: 4_000_000 })
    const topic = broker.topic({ partitions: 20 })
    let taken = 0
    while (producer.offer(topic, null, large('A'), { partition: taken % 20 })) taken++
    await nextTurn()
    // Of 256 KiB each; a quarter is kept for copies.
    expect(taken).toBe(11)
    expect(broker.pool.given).toHaveLength(COPIES_MAX)
    const flushed = producer.flush()
    let served = 0
    while (served < taken) {
      expect(broker.pool.given.length).toBeLessThanOrEqual(COPIES_MAX)
      broker.pool.given.shift()!.compress()
      served += (await broker.serve()).length
    }
    await flushed
    expect(served).toBe(taken)
  })

  test('too little for a copy: it is compressed here', async () => {
    const producer = broker.producer({ ...LARGE, bufferMemory: 300_000 })
    void producer.send(broker.topic(), { value: large('A') })
    const batches = await broker.serve()
    expect(broker.pool.given).toEqual([])
    expect(batches).toMatchObject([{ compression: 4, values: [large('A')] }])
  })
})

test('a pool that fails is not asked again: all is compressed here from then on, and that is said once', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const producer = broker.producer(LARGE)
  const topic = broker.topic({ partitions: 2 })
  await sendLarge(producer, topic, 'ABC')
  await sendLarge(producer, topic, 'D', 1)
  const [first, ...rest] = broker.pool.given.splice(0)
  first!.fail(new Error('no thread'))
  await nextTurn()
  for (const each of rest) each.fail(new Error('the pool is closed'))
  await sendLarge(producer, topic, 'E')
  const batches = await broker.serve()
  expect(initials(batches.filter(({ partition }) => partition === 0))).toEqual(['A', 'B', 'C', 'E'])
  expect(initials(batches.filter(({ partition }) => partition === 1))).toEqual(['D'])
  expect(new Set(batches.map(({ compression }) => compression))).toEqual(new Set([4]))
  expect(broker.pool.given).toEqual([])
  expect(broker.pool.isClosed).toBe(true)
  expect(warn).toHaveBeenCalledTimes(1)
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('no thread'), 'MillraceWarning')
})
