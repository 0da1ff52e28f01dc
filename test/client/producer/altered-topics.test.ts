// A topic that is given partitions and other configs while producers send to it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { partitionOfHash } from '../../../src/record/murmur2.ts'
import { murmur2OfText } from '../../../src/record/text-key.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'

let broker: HandDrivenBroker

beforeEach(() => {
  broker = new HandDrivenBroker()
})
afterEach(() => broker.close())

const text = (bytes: number): string => 'x'.repeat(bytes)
const hashed = (key: string, count: number): number => partitionOfHash(murmur2OfText(key), count)
/** Keys that go elsewhere when 2 partitions become 5. */
const movingKeys = Array.from({ length: 40 }, (_, i) => `key-${i}`).filter((key) => hashed(key, 2) !== hashed(key, 5))

describe('partitions that are added', () => {
  test('keys go to them in the next job, although a batch of the old partition is open', async () => {
    const producer = broker.producer({ lingerMs: 1_000 })
    const topic = broker.topic({ partitions: 2 })
    for (const key of movingKeys) producer.offer(topic, key, 'before')
    broker.grow(topic, 5)
    await nextTurn()
    for (const key of movingKeys) producer.offer(topic, key, 'after')
    void producer.flush()
    const records = (await broker.serve()).flatMap(({ partition, records: each }) => each.map((record) => ({ partition, ...record })))
    for (const { key, value, partition } of records) expect(partition).toBe(hashed(key!, value === 'before' ? 2 : 5))
    expect(records).toHaveLength(2 * movingKeys.length)
  })

  test('within one job too, some records later, with timestamps of their own or not', () => {
    for (const options of [undefined, { timestamp: 5 }]) {
      const producer = broker.producer({ lingerMs: 1_000 })
      const topic = broker.topic({ partitions: 2 })
      producer.offer(topic, 'key', 'before', options)
      broker.grow(topic, 5)
      for (let i = 0; i < 64; i++) producer.offer(topic, movingKeys[0]!, 'either', options)
      producer.offer(topic, movingKeys[0]!, 'after', options)
      producer.flush().catch(() => undefined)
      const after = broker.take().filter(({ values }) => values.includes('after'))
      expect(after.map(({ partition }) => partition)).toEqual([hashed(movingKeys[0]!, 5)])
    }
  })

  test.each([true, false])('records without a key spread over all, adaptively: %s', async (partitionerAdaptivePartitioningEnable) => {
    const producer = broker.producer({ batchSize: 1_000, partitionerAdaptivePartitioningEnable })
    const topic = broker.topic({ partitions: 2 })
    const send = async (): Promise<Set<number>> => {
      for (let i = 0; i < 600; i++) while (!producer.offer(topic, null, text(300))) await broker.serve()
      return new Set((await broker.serve()).map(({ partition }) => partition))
    }
    expect([...(await send())].sort()).toEqual([0, 1])
    broker.grow(topic, 5)
    expect([...(await send())].sort()).toEqual([0, 1, 2, 3, 4])
  })

  test('round robin takes them in', async () => {
    const producer = broker.producer({ partitioner: 'roundRobin' })
    const topic = broker.topic({ partitions: 2 })
    for (let i = 0; i < 3; i++) producer.offer(topic, null, 'before')
    await broker.serve()
    broker.grow(topic, 4)
    for (let i = 0; i < 4; i++) producer.offer(topic, null, 'after')
    expect((await broker.serve()).map(({ partition }) => partition).sort()).toEqual([0, 1, 2, 3])
  })

  test('a partitioner of the user is told how many there are now', async () => {
    const counts: number[] = []
    const partitioner = (_: Uint8Array | null, count: number): number => {
      counts.push(count)
      return 0
    }
    const producer = broker.producer({ partitioner })
    const topic = broker.topic({ partitions: 2 })
    producer.offer(topic, null, 'before')
    await broker.serve()
    broker.grow(topic, 4)
    producer.offer(topic, null, 'after')
    expect(counts).toEqual([2, 4])
  })

  test('can be named at once, and no others', () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 2 })
    producer.offer(topic, null, 'a', { partition: 1 })
    broker.grow(topic, 4)
    expect(producer.offer(topic, null, 'b', { partition: 3 })).toBe(true)
    expect(() => producer.offer(topic, null, 'c', { partition: 4 })).toThrow(/has no partition 4: it has partitions 0 to 3/)
    expect(topic.partitions).toBe(4)
  })

  test('and a topic that is deleted stays as it was', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 2 })
    producer.offer(topic, null, 'a', { partition: 1 })
    broker.deleteTopic(topic)
    await nextTurn()
    producer.offer(topic, null, 'b', { partition: 1 })
    expect(topic.partitions).toBe(2)
    expect((await broker.serve()).flatMap(({ values }) => values)).toEqual(['a', 'b'])
  })
})

describe('max.message.bytes', () => {
  test.each(['topic', 'all brokers', 'its leader'] as const)('of %s: raised and lowered, it counts for the next record', async (whose) => {
    const producer = broker.producer({ maxRequestSize: 8_000_000, batchSize: 1_000 })
    const topic = broker.topic(whose === 'topic' ? { config: { 'max.message.bytes': 2_000 } } : {})
    const resource = { topic, 'all brokers': 'all brokers', 'its leader': 0 }[whose] as typeof topic | 'all brokers' | 0
    const name = whose === 'topic' ? 'max.message.bytes' : 'message.max.bytes'
    broker.alter(resource, { [name]: '2000' })
    const tooLarge = expect.objectContaining({
      code: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining('max.message.bytes (2000)') as string,
    })
    expect(() => producer.offer(topic, null, text(2_500))).toThrow(tooLarge)
    broker.alter(resource, { [name]: '3000000' })
    await nextTurn()
    expect(producer.offer(topic, null, text(2_500_000))).toBe(true)
    expect((await broker.serve()).flatMap(({ values }) => values)).toHaveLength(1)
    broker.alter(resource, { [name]: '2000' })
    await nextTurn()
    expect(() => producer.offer(topic, null, text(2_500))).toThrow(tooLarge)
    expect(producer.offer(topic, null, text(1_500))).toBe(true)
    await broker.serve()
  })

  test("another broker's is nothing to a partition, until that broker leads it", async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    broker.alter(3, { 'message.max.bytes': '2000' })
    expect(producer.offer(topic, null, text(2_500))).toBe(true)
    await broker.serve()
  })

  test('lowered under an open batch: that grows no further', async () => {
    const producer = broker.producer({ lingerMs: 1_000, batchSize: 65_536 })
    const topic = broker.topic()
    for (let i = 0; i < 3; i++) producer.offer(topic, null, text(1_000))
    broker.alter(topic, { 'max.message.bytes': '4000' })
    await nextTurn()
    for (let i = 0; i < 6; i++) producer.offer(topic, null, text(1_000))
    void producer.flush()
    const sizes = (await broker.serve()).map(({ values }) => values.length)
    expect(sizes).toEqual([3, 3, 3])
  })
})

test('a topic that becomes compacted requires keys from then on', async () => {
  const producer = broker.producer()
  const topic = broker.topic()
  producer.offer(topic, null, 'a')
  broker.alter(topic, { 'cleanup.policy': 'compact' })
  await nextTurn()
  expect(() => producer.offer(topic, null, 'b')).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }))
  broker.alter(topic, {})
  await nextTurn()
  expect(producer.offer(topic, null, 'c')).toBe(true)
  await broker.serve()
})
