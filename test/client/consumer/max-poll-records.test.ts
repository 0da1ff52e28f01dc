// maxPollRecords, and the bounds in bytes.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import { HandDrivenLog, emptiedBatch, markerBatch, recordsOf, textBatch } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world: HandDrivenLog
let topic: TextTopic

beforeEach(() => {
  world = new HandDrivenLog()
  topic = world.topic(2)
})
afterEach(() => world.close())

const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`)

async function readAll(options: ConsumerOptions, from?: number): Promise<ConsumerBatch[]> {
  const consumer = world.consumer(options)
  if (from !== undefined) consumer.seek(topic, 0, from)
  const batches: ConsumerBatch[] = []
  for await (const batch of consumer.batches(topic, { until: 'end' })) {
    expect(consumer.position(topic, batch.partition)).toBe(batch.nextOffset)
    // Made while the memory is the batch's.
    expect([...batch].length).toBeGreaterThan(0)
    batches.push(batch)
  }
  return batches
}

const ranges = (batches: ConsumerBatch[]): number[][] => batches.map(({ firstOffset, nextOffset }) => [firstOffset, nextOffset])

describe('maxPollRecords', () => {
  test('bounds the records of a batch, within one that was written and across several', async () => {
    world.append(topic, upTo(10))
    world.append(topic, upTo(2))
    world.append(topic, upTo(3))
    const batches = await readAll({ maxPollRecords: 4 })
    expect(ranges(batches)).toEqual([
      [0, 4],
      [4, 8],
      [8, 12],
      [12, 15],
    ])
    expect(batches.flatMap(recordsOf)).toEqual([...upTo(10), ...upTo(2), ...upTo(3)].map((value, offset) => `0:${offset} ${value}`))
  })

  test.each([1, 2, 3, 7, 1_000])('%i at a time: every record once, with cursor and iterator', async (maxPollRecords) => {
    const written: string[] = []
    for (const size of [1, 5, 2, 9, 1, 1, 30]) {
      world.append(topic, upTo(size))
      written.push(...upTo(size))
      world.appendBatch(topic, size % 2 === 0 ? markerBatch() : emptiedBatch(2))
    }
    const read: string[] = []
    const consumer = world.consumer({ maxPollRecords, maxPartitionFetchBytes: 300 })
    for await (const batch of consumer.batches(topic, { until: 'end' })) {
      const records = [...batch]
      expect(records.length).toBeLessThanOrEqual(maxPollRecords)
      read.push(...records.map(({ value }) => String(value)))
      const cursor = batch.cursor()
      for (const { offset } of records) {
        expect(cursor.next()).toBe(true)
        expect(cursor.offset).toBe(offset)
      }
      expect(cursor.next()).toBe(false)
    }
    expect(read).toEqual(written)
    expect(consumer.lag(topic)).toBe(0)
  })

  test('from the middle of a batch, and of a compacted one', async () => {
    world.append(topic, upTo(6))
    world.appendBatch(topic, textBatch(['x', 'y', 'z'], [], { offsetDeltas: [2, 5, 8], lastOffsetDelta: 9 }))
    const batches = await readAll({ maxPollRecords: 2 }, 3)
    expect(ranges(batches)).toEqual([
      [3, 5],
      [5, 9],
      [9, 15],
    ])
    expect(batches.flatMap(recordsOf)).toEqual(['0:3 3', '0:4 4', '0:5 5', '0:8 x', '0:11 y', '0:14 z'])
  })

  test('a seek within what was fetched, and away from it', async () => {
    world.append(topic, upTo(10))
    const consumer = world.consumer({ maxPollRecords: 3 })
    const batches = consumer.batches(topic)
    const next = async (): Promise<string[]> => recordsOf((await batches.next()).value!)
    expect(await next()).toEqual(['0:0 0', '0:1 1', '0:2 2'])
    consumer.seek(topic, 0, 8)
    expect(await next()).toEqual(['0:8 8', '0:9 9'])
    consumer.seek(topic, 0, 1)
    expect(await next()).toEqual(['0:1 1', '0:2 2', '0:3 3'])
    consumer.seekToBeginning()
    expect(await next()).toEqual(['0:0 0', '0:1 1', '0:2 2'])
    await consumer.close()
  })

  test('a pause between two batches of one fetch: the rest comes after resume', async () => {
    world.append(topic, upTo(5))
    world.append(topic, ['other'], 1)
    const consumer = world.consumer({ maxPollRecords: 2 })
    const batches = consumer.batches(topic)
    const next = async (): Promise<string[]> => recordsOf((await batches.next()).value!)
    expect(await next()).toEqual(['0:0 0', '0:1 1'])
    consumer.pause([{ topic, partition: 0 }])
    expect(await next()).toEqual(['1:0 other'])
    consumer.resume([{ topic, partition: 0 }])
    expect(await next()).toEqual(['0:2 2', '0:3 3'])
    expect(await next()).toEqual(['0:4 4'])
    await consumer.close()
  })

  test('a later loop goes on behind the last record that was handed out', async () => {
    world.append(topic, upTo(5))
    const consumer = world.consumer({ maxPollRecords: 1 })
    for (let i = 0; i < 5; i++) {
      for await (const record of consumer.records(topic)) {
        expect(record.offset).toBe(i)
        break
      }
    }
    expect(consumer.position(topic, 0)).toBe(5)
  })

  test('records before a damaged one are handed out, then the damage is told', async () => {
    const batch = textBatch(upTo(4))
    // The third record says that it is longer than its batch.
    const third = 61 + 2 * ((batch.length - 61) / 4)
    batch[third] = 0x7e
    world.appendBatch(topic, batch)
    const consumer = world.consumer({ maxPollRecords: 3 })
    const batches = consumer.batches(topic)
    expect(recordsOf((await batches.next()).value!)).toEqual(['0:0 0', '0:1 1'])
    await expect(batches.next()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' })
    expect(consumer.position(topic, 0)).toBe(2)
  })

  test('what was handed out never changes, whatever is fetched behind it', async () => {
    for (let i = 0; i < 50; i++) world.append(topic, upTo(20))
    const batches = await readAll({ maxPollRecords: 7, maxPartitionFetchBytes: 500 })
    expect(batches.flatMap(recordsOf)).toEqual(Array.from({ length: 1_000 }, (_, i) => `0:${i} ${i % 20}`))
  })
})

describe('bounds in bytes', () => {
  test.each([
    [{ maxPartitionFetchBytes: 0 }, 1],
    [{ fetchMaxBytes: 0 }, 1],
    [{ maxPartitionFetchBytes: 2 * textBatch(['a']).length }, 2],
    [{ fetchMaxBytes: 2 * textBatch(['a']).length + 1 }, 2],
  ])('%j: so many batches at a time, one at least', async (options, batchesAtATime) => {
    for (let i = 0; i < 4; i++) world.append(topic, ['a'])
    const batches = await readAll(options)
    expect(ranges(batches)).toEqual(Array.from({ length: 4 / batchesAtATime }, (_, i) => [i * batchesAtATime, (i + 1) * batchesAtATime]))
  })

  test('one that is larger than the bound is handed out whole, and changes nothing for those behind it', async () => {
    world.append(topic, ['a'])
    world.append(topic, ['x'.repeat(10_000)])
    for (let i = 0; i < 3; i++) world.append(topic, ['a'])
    expect(ranges(await readAll({ fetchMaxBytes: 100 }))).toEqual([0, 1, 2, 3, 4].map((offset) => [offset, offset + 1]))
  })
})
