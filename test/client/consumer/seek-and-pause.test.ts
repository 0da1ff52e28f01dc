// Positions, pauses and look-ups, with a log that the test appends to by hand.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import { HandDrivenLog, recordsOf, settle } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world: HandDrivenLog
let topic: TextTopic

beforeEach(() => {
  world = new HandDrivenLog()
  topic = world.topic(3)
})
afterEach(() => world.close())

const unknown = expect.objectContaining({ code: 'UNKNOWN_TOPIC_OR_PARTITION' }) as Error
const closed = expect.objectContaining({ code: 'CLOSED' }) as Error

/** What a loop is handed out, as it comes. */
class Loop {
  readonly records: string[] = []
  readonly over: Promise<void>

  constructor(batches: AsyncIterable<ConsumerBatch<unknown, unknown>>) {
    this.over = (async () => {
      for await (const batch of batches) this.records.push(...recordsOf(batch))
    })()
    this.over.catch(() => undefined)
  }

  async take(): Promise<string[]> {
    await settle()
    return this.records.splice(0)
  }
}

describe('seekToBeginning and seekToEnd', () => {
  test('are resolved when the partition is next read, not before', async () => {
    world.append(topic, ['a', 'b'])
    const consumer = world.consumer()
    consumer.assign([{ topic, partition: 0 }])
    consumer.seekToEnd([{ topic, partition: 0 }])
    world.append(topic, ['c'])
    const loop = new Loop(consumer.batches(topic))
    expect(await loop.take()).toEqual([])
    world.append(topic, ['d'])
    expect(await loop.take()).toEqual(['0:3 d'])
    // In a loop that runs and waits: at once.
    consumer.seekToBeginning([{ topic, partition: 0 }])
    expect(await loop.take()).toEqual(['0:0 a', '0:1 b', '0:2 c', '0:3 d'])
    await consumer.close()
  })

  test.each(['batches', 'records'] as const)(
    'the end is that of the first call of next, also when the event loop has its turn first: %s',
    async (what) => {
      world.append(topic, ['a'])
      const [fresh, sought, paused] = [world.consumer({ autoOffsetReset: 'latest' }), world.consumer(), world.consumer()]
      sought.seekToEnd([0, 1, 2].map((partition) => ({ topic, partition })))
      paused.seekToEnd([0, 1, 2].map((partition) => ({ topic, partition })))
      paused.pause([{ topic, partition: 0 }])
      // Long enough without a turn.
      world.clock.advance(5)
      const first = [fresh, sought, paused].map((consumer) => consumer[what](topic).next())
      world.append(topic, ['b'])
      world.append(topic, ['c'], 1)
      for (const next of first.slice(0, 2)) expect((await next).value).toMatchObject({ partition: 0 })
      expect((await first[2])!.value).toMatchObject({ partition: 1 })
      expect([fresh, sought, paused].map((consumer) => consumer.position(topic, 0))).toEqual([2, 2, 2])
      await Promise.all([fresh, sought, paused].map((consumer) => consumer.close()))
    },
  )

  test('the beginning is that of the time of reading', async () => {
    world.append(topic, ['a'])
    world.append(topic, ['b'])
    const consumer = world.consumer({ autoOffsetReset: 'none' })
    consumer.seekToBeginning([{ topic, partition: 0 }])
    world.log(topic).deleteRecordsBefore(1)
    expect(consumer.position(topic, 0)).toBe(1)
    // A position that was asked for is resolved.
    world.log(topic).deleteRecordsBefore(2)
    expect(consumer.position(topic, 0)).toBe(1)
  })

  test('without partitions: all assigned, or all that are known', async () => {
    for (let partition = 0; partition < 3; partition++) world.append(topic, ['a', 'b'], partition)
    const consumer = world.consumer()
    expect(consumer.position(topic, 0)).toBe(0)
    consumer.seekToEnd()
    expect([0, 1].map((partition) => consumer.position(topic, partition))).toEqual([2, 0])
    consumer.assign([1, 2].map((partition) => ({ topic, partition })))
    consumer.seek(topic, 0, 1)
    consumer.seekToEnd()
    expect([0, 1, 2].map((partition) => consumer.position(topic, partition))).toEqual([1, 2, 2])
    consumer.seekToBeginning([])
    expect(consumer.position(topic, 1)).toBe(2)
    consumer.seekToBeginning()
    expect([0, 1, 2].map((partition) => consumer.position(topic, partition))).toEqual([1, 0, 0])
    expect(() => consumer.seekToEnd([{ topic, partition: 3 }])).toThrow(unknown)
  })
})

describe('pause and resume', () => {
  test('a paused partition is not read, and its position stays', async () => {
    for (let partition = 0; partition < 3; partition++) world.append(topic, ['a'], partition)
    const consumer = world.consumer()
    consumer.pause([0, 2].map((partition) => ({ topic, partition })))
    expect(consumer.paused()).toEqual([0, 2].map((partition) => ({ topic: topic.name, partition })))
    const loop = new Loop(consumer.batches(topic))
    expect(await loop.take()).toEqual(['1:0 a'])
    expect([0, 1, 2].map((partition) => consumer.position(topic, partition))).toEqual([0, 1, 0])
    expect(consumer.lag(topic)).toBe(2)
    consumer.resume([{ topic, partition: 2 }])
    expect(await loop.take()).toEqual(['2:0 a'])
    consumer.resume([0, 1, 2].map((partition) => ({ topic, partition })))
    expect(consumer.paused()).toEqual([])
    expect(await loop.take()).toEqual(['0:0 a'])
    await consumer.close()
  })

  test('a loop that runs obeys at its next batch', async () => {
    for (let i = 0; i < 4; i++) for (let partition = 0; partition < 2; partition++) world.append(topic, [`${i}`], partition)
    const consumer = world.consumer({ maxPartitionFetchBytes: 1 })
    const read: string[] = []
    const loop = (async () => {
      for await (const batch of consumer.batches(topic)) {
        read.push(...recordsOf(batch))
        if (read.length === 3) consumer.pause([{ topic, partition: 1 }])
      }
    })()
    await settle()
    expect(read).toEqual(['0:0 0', '1:0 0', '0:1 1', '0:2 2', '0:3 3'])
    await consumer.close()
    await loop
  })

  test('a loop whose partitions are all paused waits without looking, and goes on at resume', async () => {
    const consumer = world.consumer()
    consumer.pause([0, 1, 2].map((partition) => ({ topic, partition })))
    const loop = new Loop(consumer.batches(topic))
    await settle()
    expect(world.isWaiting).toBe(true)
    // It has left no mark: whoever appends has nobody to ring.
    world.append(topic, ['a'])
    expect(await loop.take()).toEqual([])
    consumer.seek(topic, 0, 0)
    expect(await loop.take()).toEqual([])
    consumer.resume([{ topic, partition: 0 }])
    expect(await loop.take()).toEqual(['0:0 a'])
    await consumer.close()
    expect(world.isWaiting).toBe(false)
    await loop.over
  })

  test("until: 'end' waits for a partition that is paused before its end", async () => {
    world.append(topic, ['a'])
    world.append(topic, ['b'], 1)
    const consumer = world.consumer()
    consumer.pause([{ topic, partition: 0 }])
    const loop = new Loop(consumer.batches(topic, { until: 'end' }))
    expect(await loop.take()).toEqual(['1:0 b'])
    expect(world.isWaiting).toBe(true)
    consumer.resume([{ topic, partition: 0 }])
    await loop.over
    expect(loop.records).toEqual(['0:0 a'])
  })

  test('partitions that are none', () => {
    const consumer = world.consumer()
    expect(() => consumer.pause([{ topic, partition: 3 }])).toThrow(unknown)
    expect(() => consumer.resume([{ topic, partition: -1 }])).toThrow(unknown)
    // A failed call has changed nothing.
    expect(() =>
      consumer.pause([
        { topic, partition: 0 },
        { topic, partition: 7 },
      ]),
    ).toThrow(unknown)
    expect(consumer.paused()).toEqual([])
  })
})

describe('topics by name', () => {
  const name = 'by-name'

  beforeEach(() => {
    topic = world.topic(3, name)
  })

  test('what names partitions is taken back by all that takes them', async () => {
    for (let partition = 0; partition < 3; partition++) world.append(topic, ['a', 'b', 'c'], partition)
    const consumer = world.consumer()
    consumer.assign([0, 1].map((partition) => ({ topic, partition })))
    const mine = consumer.assignment()
    expect(mine).toEqual([0, 1].map((partition) => ({ topic: name, partition })))
    consumer.pause(mine)
    expect(consumer.paused()).toEqual(mine)
    consumer.resume(consumer.paused())
    expect(consumer.paused()).toEqual([])
    consumer.seek(name, 0, 2)
    expect([consumer.position(name, 0), consumer.position(topic, 0)]).toEqual([2, 2])
    expect([consumer.lag(name, 0), consumer.lag(name)]).toEqual([1, 4])
    consumer.seekToEnd(mine)
    expect(consumer.lag(name)).toBe(0)
    consumer.seekToBeginning(mine)
    expect(consumer.lag(name)).toBe(6)
    expect(await consumer.beginningOffsets(mine)).toEqual([0, 0])
    expect(await consumer.endOffsets(mine)).toEqual([3, 3])
    expect(await consumer.offsetsForTimes([{ ...mine[0]!, timestamp: 0 }])).toMatchObject([{ offset: 0 }])
    // Names may be assigned too, and stand for the topic as the consumer knows it.
    consumer.assign([{ topic: name, partition: 2 }])
    const loop = new Loop(consumer.batches(topic, { until: 'end' }))
    expect(await loop.take()).toEqual(['2:0 a', '2:1 b', '2:2 c'])
  })

  test('a topic that is read is known by name', async () => {
    world.append(topic, ['a'], 1)
    const consumer = world.consumer()
    const loop = new Loop(consumer.batches(topic))
    expect(await loop.take()).toEqual(['1:0 a'])
    consumer.seek(name, 1, 0)
    expect(await loop.take()).toEqual(['1:0 a'])
    await consumer.close()
  })

  test('a name that the consumer does not know, and a partition that is none', async () => {
    const consumer = world.consumer()
    const sentence = /knows no topic "by-name" .*: pass the bound topic, as `await millrace\.topic\(…\)` gave it/
    const unheard = expect.objectContaining({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      retriable: false,
      message: expect.stringMatching(sentence) as string,
    }) as Error
    const partitions = [{ topic: name, partition: 0 }]
    expect(() => consumer.assign(partitions)).toThrow(unheard)
    expect(() => consumer.seek(name, 0, 0)).toThrow(unheard)
    expect(() => consumer.seekToEnd(partitions)).toThrow(unheard)
    expect(() => consumer.position(name, 0)).toThrow(unheard)
    expect(() => consumer.lag(name)).toThrow(unheard)
    expect(() => consumer.pause(partitions)).toThrow(unheard)
    await expect(consumer.endOffsets(partitions)).rejects.toThrow(unheard)
    // Asked about once, by the bound topic.
    expect(consumer.position(topic, 0)).toBe(0)
    expect(consumer.position(name, 0)).toBe(0)
    expect(() => consumer.seek(name, 3, 0)).toThrow(/topic by-name has no partition 3/)
  })

  test('of topics of one name, the one that the consumer met last', () => {
    world.append(topic, ['a'])
    const consumer = world.consumer()
    consumer.seekToEnd([{ topic, partition: 0 }])
    const anew = world.topic(1, name)
    expect(consumer.position(anew, 0)).toBe(0)
    expect([consumer.position(name, 0), consumer.position(topic, 0)]).toEqual([0, 1])
  })
})

describe('a topic that is deleted', () => {
  test('ends a loop', async () => {
    world.append(topic, ['a'])
    const loop = new Loop(world.consumer().batches(topic))
    expect(await loop.take()).toEqual(['0:0 a'])
    world.delete(topic, 1)
    await expect(loop.over).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID', retriable: false })
  })

  test('is said of a paused partition once it is resumed', async () => {
    const consumer = world.consumer()
    consumer.pause([{ topic, partition: 1 }])
    const loop = new Loop(consumer.batches(topic))
    await settle()
    world.delete(topic, 1)
    await settle()
    consumer.resume([{ topic, partition: 1 }])
    await expect(loop.over).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
  })
})

describe('lag', () => {
  test('of one partition, and of all that are read', async () => {
    world.append(topic, ['a', 'b', 'c'])
    world.append(topic, ['a', 'b'], 2)
    const consumer = world.consumer()
    expect([0, 1, 2].map((partition) => consumer.lag(topic, partition))).toEqual([3, 0, 2])
    expect(consumer.lag(topic)).toBe(5)
    consumer.seek(topic, 0, 2)
    expect(consumer.lag(topic)).toBe(3)
    consumer.assign([{ topic, partition: 2 }])
    expect(consumer.lag(topic)).toBe(2)
    consumer.seek(topic, 2, 100)
    expect(consumer.lag(topic, 2)).toBe(0)
    expect(() => consumer.lag(topic, 3)).toThrow(unknown)
    expect(() => world.consumer({ autoOffsetReset: 'none' }).lag(topic)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
  })
})

describe('look-ups', () => {
  test('beginning and end offsets, in the order of the partitions', async () => {
    world.append(topic, ['a', 'b', 'c'])
    world.append(topic, ['a'], 2)
    world.log(topic).deleteRecordsBefore(2)
    const consumer = world.consumer()
    const partitions = [2, 0, 1].map((partition) => ({ topic, partition }))
    expect(await consumer.beginningOffsets(partitions)).toEqual([0, 2, 0])
    expect(await consumer.endOffsets(partitions)).toEqual([1, 3, 0])
    await expect(consumer.endOffsets([{ topic, partition: 3 }])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  test('offsets for times: the first record at or after each, or null', async () => {
    world.append(topic, ['a', 'b', 'c'], 0, [100, 200, 300])
    world.append(topic, ['d'], 0, [250])
    world.append(topic, ['e'], 2, [1_000])
    const consumer = world.consumer()
    const times = [0, 100, 101, 300, 301].map((timestamp) => ({ topic, partition: 0, timestamp }))
    expect(
      await consumer.offsetsForTimes([...times, { topic, partition: 1, timestamp: 0 }, { topic, partition: 2, timestamp: 5 }]),
    ).toEqual([
      { offset: 0, timestamp: 100, leaderEpoch: 1 },
      { offset: 0, timestamp: 100, leaderEpoch: 1 },
      { offset: 1, timestamp: 200, leaderEpoch: 1 },
      { offset: 2, timestamp: 300, leaderEpoch: 1 },
      null,
      null,
      { offset: 0, timestamp: 1_000, leaderEpoch: 1 },
    ])
    expect(await consumer.offsetsForTimes([])).toEqual([])
    for (const timestamp of [-1, 0.5, Number.NaN, '5' as never]) {
      await expect(consumer.offsetsForTimes([{ topic, partition: 0, timestamp }])).rejects.toMatchObject({ code: 'INVALID_TIMESTAMP' })
    }
    await expect(consumer.offsetsForTimes([{ topic, partition: 9, timestamp: 0 }])).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  test('end with CLOSED when the consumer is closed meanwhile', async () => {
    world.holdsLookUps = true
    const consumer = world.consumer()
    const found = consumer.offsetsForTimes([{ topic, partition: 0, timestamp: 0 }])
    await consumer.close({ timeoutMs: 1 })
    await Promise.all([world.answerLookUps(), expect(found).rejects.toMatchObject({ code: 'CLOSED' })])
  })
})

test('all of them after close', async () => {
  const consumer = world.consumer()
  await consumer.close()
  const partitions = [{ topic, partition: 0 }]
  expect(() => consumer.seekToBeginning()).toThrow(closed)
  expect(() => consumer.seekToEnd(partitions)).toThrow(closed)
  expect(() => consumer.pause(partitions)).toThrow(closed)
  expect(() => consumer.resume(partitions)).toThrow(closed)
  expect(() => consumer.lag(topic)).toThrow(closed)
  await expect(consumer.beginningOffsets(partitions)).rejects.toThrow(closed)
  await expect(consumer.endOffsets(partitions)).rejects.toThrow(closed)
  await expect(consumer.offsetsForTimes([{ topic, partition: 0, timestamp: 1 }])).rejects.toThrow(closed)
})
