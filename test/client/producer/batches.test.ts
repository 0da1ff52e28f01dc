import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { partitionOfHash } from '../../../src/record/murmur2.ts'
import { murmur2OfText } from '../../../src/record/text-key.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'
import type { TakenBatch } from './hand-driven-broker.ts'

let broker: HandDrivenBroker

beforeEach(() => {
  broker = new HandDrivenBroker()
})
afterEach(() => broker.close())

const text = (bytes: number): string => 'x'.repeat(bytes)
const valuesOf = (batches: readonly TakenBatch[]): string[] => batches.flatMap(({ values }) => values)
/** The value of a record that alone, without a key, makes a batch of so many bytes. */
const valueFor = (batchBytes: number): string => {
  for (let length = batchBytes; length > 0; length--) {
    // header, attributes and two deltas of 0, null key, no headers, and two lengths
    const body = 3 + 1 + varintBytes(length) + length + 1
    if (61 + varintBytes(body) + body === batchBytes) return text(length)
  }
  throw new Error(`no record makes a batch of ${batchBytes} bytes`)
}
const varintBytes = (value: number): number => (value < 2 ** 6 ? 1 : value < 2 ** 13 ? 2 : value < 2 ** 20 ? 3 : 4)

describe('maxRequestSize and max.message.bytes', () => {
  test.each([
    ['maxRequestSize', { maxRequestSize: 9_000 }, {}, 9_000],
    ["the topic's max.message.bytes", {}, { 'max.message.bytes': 9_000 }, 9_000],
    ["the topic's max.message.bytes", { batchSize: 1_000_000 }, { 'max.message.bytes': 300_000 }, 300_000],
    ['maxRequestSize', { maxRequestSize: 2_000_000 }, { 'max.message.bytes': 2_000_001 }, 2_000_000],
  ] as const)('%s bounds a record to the byte, whatever is in the open batch', async (name, options, config, limit) => {
    const producer = broker.producer(options)
    const topic = broker.topic({ config })
    const tooLarge = `${valueFor(limit)}x`
    for (const filling of [undefined, 'small']) {
      if (filling !== undefined) producer.offer(topic, null, filling)
      expect(() => producer.offer(topic, null, tooLarge)).toThrow(
        expect.objectContaining({ code: 'MESSAGE_TOO_LARGE', message: expect.stringContaining(`above ${name} (${limit})`) as string }),
      )
      expect(producer.offer(topic, null, valueFor(limit))).toBe(true)
    }
    const batches = await broker.serve()
    expect(valuesOf(batches).map(({ length }) => length)).toEqual([valueFor(limit).length, 5, valueFor(limit).length])
    for (const { sizeInBytes } of batches) expect(sizeInBytes).toBeLessThanOrEqual(limit)
  })

  test('batches keep to a limit below batchSize', async () => {
    const producer = broker.producer({ batchSize: 65_536 })
    const topic = broker.topic({ config: { 'max.message.bytes': 5_000 } })
    for (let i = 0; i < 200; i++) while (!producer.offer(topic, null, `${i} ${text(400)}`)) await broker.serve()
    const batches = await broker.serve()
    await producer.flush()
    for (const { sizeInBytes } of batches) expect(sizeInBytes).toBeLessThanOrEqual(5_000)
    expect(Math.max(...batches.map(({ sizeInBytes }) => sizeInBytes))).toBeGreaterThan(4_500)
  })

  test('batchSize 0: a batch a record', async () => {
    const producer = broker.producer({ batchSize: 0 })
    const topic = broker.topic()
    for (const value of ['a', 'b', 'c']) expect(producer.offer(topic, null, value)).toBe(true)
    expect((await broker.serve()).map(({ values }) => [...values])).toEqual([['a'], ['b'], ['c']])
  })

  test('a record above batchSize has a batch of its own, in its place', async () => {
    const producer = broker.producer({ batchSize: 1_024 })
    const topic = broker.topic()
    for (const value of ['a', text(50_000), 'b']) producer.offer(topic, null, value)
    const batches = await broker.serve()
    expect(batches.map(({ values }) => values.map(({ length }) => length))).toEqual([[1], [50_000], [1]])
  })

  test('a broker that refuses a batch as too large', async () => {
    const producer = broker.producer()
    const sent = producer.send(broker.topic(), { value: 'a' })
    await nextTurn()
    broker.take()[0]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    await expect(sent).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE', retriable: false })
  })
})

describe('bufferMemory', () => {
  test('few records each of many partitions take little of it', async () => {
    const producer = broker.producer({ batchSize: 65_536, bufferMemory: 65_536 })
    const topic = broker.topic({ partitions: 100 })
    for (let i = 0; i < 200; i++) expect(producer.offer(topic, null, `${i} ${text(100)}`, { partition: i % 100 })).toBe(true)
    expect(valuesOf(await broker.serve())).toHaveLength(200)
    await producer.flush()
  })

  test('a batch grows up to batchSize, and the next one too', async () => {
    const producer = broker.producer({ batchSize: 20_000 })
    const topic = broker.topic()
    const values = Array.from({ length: 500 }, (_, i) => `${i} ${text(100)}`)
    const served: TakenBatch[] = []
    for (const value of values) while (!producer.offer(topic, null, value)) served.push(...(await broker.serve()))
    served.push(...(await broker.serve()))
    expect(valuesOf(served)).toEqual(values)
    for (const { sizeInBytes } of served.slice(0, -1)) {
      expect(sizeInBytes).toBeGreaterThan(19_800)
      expect(sizeInBytes).toBeLessThanOrEqual(20_000)
    }
  })

  test('a batch that finds no memory to grow leaves as it is', async () => {
    const producer = broker.producer({ batchSize: 65_536, bufferMemory: 65_536 })
    const topic = broker.topic()
    const values = Array.from({ length: 3_000 }, (_, i) => `${i} ${text(100)}`)
    const served: TakenBatch[] = []
    for (const value of values) while (!producer.offer(topic, null, value)) served.push(...(await broker.serve()))
    served.push(...(await broker.serve()))
    expect(valuesOf(served)).toEqual(values)
    for (const { sizeInBytes } of served) expect(sizeInBytes).toBeLessThanOrEqual(32_768)
  })

  test('a record larger than all of it still goes, alone', async () => {
    const producer = broker.producer({ batchSize: 1_024, bufferMemory: 1_024 })
    const topic = broker.topic()
    const sends = [text(100_000), 'small'].map((value) => producer.send(topic, { value }))
    await broker.serve()
    await Promise.all(sends)
  })
})

describe('lanes', () => {
  const MEBIBYTE = 1_024 * 1_024

  test('one for all topics of a broker, large enough for two batches of batchSize', async () => {
    const producer = broker.producer({ batchSize: 400_000 })
    for (let i = 0; i < 3; i++) producer.offer(broker.topic(), null, 'a')
    await nextTurn()
    expect(broker.laneCapacities).toEqual([MEBIBYTE])
  })

  test.each([0, 1, 'all'] as const)('acks %s: a larger one takes over for larger batches, and nothing passes', async (acks) => {
    const producer = broker.producer({ acks, maxRequestSize: 8 * MEBIBYTE - 64 })
    const topic = broker.topic({ config: { 'max.message.bytes': 8 * MEBIBYTE - 64 } })
    const lengths = [10, 60_000, 10, 600_000, 20, 30, 7 * MEBIBYTE, 40, 300_000, 5]
    const served: TakenBatch[] = []
    for (const length of lengths) {
      while (!producer.offer(topic, null, text(length))) served.push(...(await broker.serve()))
      await nextTurn()
    }
    served.push(...(await broker.serve()))
    await producer.flush()
    expect(valuesOf(served).map(({ length }) => length)).toEqual(lengths)
    expect(broker.laneCapacities).toEqual([MEBIBYTE / 2, 2 * MEBIBYTE, 16 * MEBIBYTE])
    expect(broker.lanes.map((lane) => lane.closedByProducer)).toEqual([true, true, false])
  })

  test('a busy partition does not keep a larger batch of another one from leaving', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic({ partitions: 2 })
    const busy = (): void => {
      for (let i = 0; i < 20; i++) producer.offer(topic, null, text(1_000), { partition: 0 })
    }
    busy()
    await nextTurn()
    const large = producer.send(topic, { value: text(900_000), partition: 1 })
    let arrived = false
    void large.then(() => (arrived = true))
    let unanswered: TakenBatch | undefined
    for (let turn = 0; turn < 100 && !arrived; turn++) {
      busy()
      await nextTurn()
      // One batch is always on its way, as long as there are any.
      const taken = broker.take()
      unanswered?.ack()
      unanswered = taken.pop()
      for (const batch of taken) batch.ack()
    }
    expect(arrived).toBe(true)
  })
})

describe('partitions', () => {
  test('records with a key go where every Kafka client puts them', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 7 })
    for (let i = 0; i < 100; i++) producer.offer(topic, `user-${i}`, 'a')
    const batches = await broker.serve()
    for (const { partition, records } of batches) {
      for (const { key } of records) expect(partition).toBe(partitionOfHash(murmur2OfText(key!), 7))
    }
    expect(batches).toHaveLength(7)
  })

  test('records without one stay together for a batch, and change then: no batch of a single record', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic({ partitions: 5 })
    for (let i = 0; i < 1_000; i++) while (!producer.offer(topic, null, `${i} ${text(1_000)}`)) await broker.serve()
    const batches = await broker.serve()
    const partitions = new Set(batches.map(({ partition }) => partition))
    expect(partitions.size).toBe(5)
    const small = batches.filter(({ records }) => records.length < 10)
    expect(small.length).toBeLessThanOrEqual(1)
  })

  test('a partition that is named is kept, also when its batch is full', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic({ partitions: 3 })
    for (let i = 0; i < 100; i++) producer.offer(topic, null, text(1_000), { partition: 1 })
    for (const { partition } of await broker.serve()) expect(partition).toBe(1)
  })

  test('partitionerIgnoreKeys: keys do not count', async () => {
    const producer = broker.producer({ partitionerIgnoreKeys: true })
    const topic = broker.topic({ partitions: 7 })
    for (let i = 0; i < 100; i++) producer.offer(topic, `user-${i}`, 'a')
    expect(await broker.serve()).toHaveLength(1)
  })

  test('roundRobin: one after the other, also when one of them is full', async () => {
    const producer = broker.producer({ partitioner: 'roundRobin', batchSize: 4_096 })
    const topic = broker.topic({ partitions: 3 })
    const served: TakenBatch[] = []
    for (let i = 0; i < 300; i++) while (!producer.offer(topic, `${i}`, text(1_000))) served.push(...(await broker.serve()))
    const counts = new Map<number, number>()
    for (const { partition, records } of [...served, ...(await broker.serve())])
      counts.set(partition, (counts.get(partition) ?? 0) + records.length)
    expect([...counts.values()]).toEqual([100, 100, 100])
  })

  test('a partition whose leader takes nothing gets no more records without a key, when told so', async () => {
    const producer = broker.producer({ partitionerAvailabilityTimeoutMs: 500, batchSize: 1_024, deliveryTimeoutMs: 100_000 })
    const topic = broker.topic({ partitions: 3 })
    broker.elect(topic, 1, -1, 0)
    producer.offer(topic, null, text(10), { partition: 1 })
    await nextTurn()
    broker.clock.advance(500)
    const partitions: number[] = []
    for (let i = 0; i < 200; i++) {
      producer.offer(topic, null, text(1_000))
      partitions.push(...(await broker.serve()).map(({ partition }) => partition))
    }
    expect(new Set(partitions)).toEqual(new Set([0, 2]))
    broker.elect(topic, 1, 0, 1)
    expect((await broker.serve()).map(({ partition }) => partition)).toContain(1)
  })

  test("a function of one's own is asked once a record, and what it says wrong is refused", async () => {
    let calls = 0
    let answer: unknown
    const producer = broker.producer({
      batchSize: 16_384,
      partitioner: (key, partitionCount, topicName) => {
        calls++
        return (answer ?? (key!.length + topicName.length) % partitionCount) as number
      },
    })
    const topic = broker.topic({ partitions: 3 })
    for (let i = 0; i < 50; i++) producer.offer(topic, 'k'.repeat(i % 3), text(1_000))
    expect(calls).toBe(50)
    expect(new Set((await broker.serve()).map(({ partition }) => partition)).size).toBe(3)
    for (answer of [3, -1, 0.5, '1', Number.NaN]) {
      expect(() => producer.offer(topic, 'k', 'a')).toThrow(/the partitioner must give a whole number from 0 to 2 for topic/)
    }
    answer = 2
    expect(producer.offer(topic, 'k', 'a')).toBe(true)
  })

  test('a topic that is bound twice has one order', async () => {
    const producer = broker.producer()
    const [first, second] = broker.boundTwice()
    for (let i = 0; i < 12; i++) producer.offer(i % 4 < 2 ? first : second, null, `${i}`)
    expect(valuesOf(await broker.serve())).toEqual(Array.from({ length: 12 }, (_, i) => (i % 4 < 2 ? `${i}` : `second ${i}`)))
  })
})
