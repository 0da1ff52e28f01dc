// Positions go past what holds no record for users: control batches, emptied and compacted
// ones, and deleted records.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import { HandDrivenLog, emptiedBatch, markerBatch, recordsOf, settle, textBatch } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world: HandDrivenLog
let topic: TextTopic

beforeEach(() => {
  world = new HandDrivenLog()
  topic = world.topic()
})
afterEach(() => world.close())

/** Each batch as [firstOffset, nextOffset, records]. */
async function readAll(consumer: Consumer): Promise<[number, number, string[]][]> {
  const read: [number, number, string[]][] = []
  for await (const batch of consumer.batches(topic, { until: 'end' })) read.push([batch.firstOffset, batch.nextOffset, recordsOf(batch)])
  return read
}

describe.each([
  ['a control batch', 1, () => markerBatch()],
  ['an emptied batch', 5, () => emptiedBatch(5)],
])('%s', (_, offsets, batch) => {
  test('alone: no batch is handed out, and the end is reached', async () => {
    world.appendBatch(topic, batch())
    const consumer = world.consumer()
    expect(await readAll(consumer)).toEqual([])
    expect(consumer.position(topic, 0)).toBe(offsets)
    expect(consumer.lag(topic)).toBe(0)
  })

  test('first, between and last', async () => {
    world.appendBatch(topic, batch())
    world.append(topic, ['a', 'b'])
    world.appendBatch(topic, batch())
    world.appendBatch(topic, batch())
    world.append(topic, ['c'])
    world.appendBatch(topic, batch())
    const end = 4 * offsets + 3
    // A fetch takes one batch at a time, so each of them is met alone too.
    for (const maxPartitionFetchBytes of [1, 1_000_000]) {
      const consumer = world.consumer({ maxPartitionFetchBytes })
      const read = await readAll(consumer)
      expect(read.flatMap(([, , records]) => records)).toEqual([`0:${offsets} a`, `0:${offsets + 1} b`, `0:${3 * offsets + 2} c`])
      for (const [, , records] of read) expect(records).not.toEqual([])
      expect(consumer.position(topic, 0)).toBe(end)
    }
  })

  test('while a loop waits: it goes on waiting, and the position moves on', async () => {
    const consumer = world.consumer()
    const next = consumer.batches(topic).next()
    await settle()
    world.appendBatch(topic, batch())
    await settle()
    expect(world.isWaiting).toBe(true)
    expect(consumer.position(topic, 0)).toBe(offsets)
    world.append(topic, ['x'])
    expect(recordsOf((await next).value!)).toEqual([`0:${offsets} x`])
    await consumer.close()
  })
})

describe('compaction', () => {
  test('records that were taken out of a batch, at its ends and between', async () => {
    world.appendBatch(topic, textBatch(['b', 'd'], [], { offsetDeltas: [1, 3], lastOffsetDelta: 9 }))
    world.append(topic, ['e'])
    const consumer = world.consumer()
    expect(await readAll(consumer)).toEqual([[0, 11, ['0:1 b', '0:3 d', '0:10 e']]])
    consumer.seek(topic, 0, 2)
    expect(await readAll(consumer)).toEqual([[2, 11, ['0:3 d', '0:10 e']]])
  })

  test('a position behind the last record that is left of a batch', async () => {
    world.appendBatch(topic, textBatch(['a'], [], { lastOffsetDelta: 9 }))
    const consumer = world.consumer()
    consumer.seek(topic, 0, 5)
    expect(await readAll(consumer)).toEqual([])
    expect(consumer.position(topic, 0)).toBe(10)
    world.append(topic, ['b'])
    expect(await readAll(consumer)).toEqual([[10, 11, ['0:10 b']]])
  })

  test('the last batches of the log are gone: its end is reached, and reading goes on behind it', async () => {
    world.append(topic, ['a'])
    const { extents } = world.fixture.memory
    const granule = world.control(topic).lastExtent
    const end = extents.end(granule)
    for (const value of ['b', 'c']) world.append(topic, [value])
    extents.setEnd(granule, end)
    const consumer = world.consumer()
    expect(await readAll(consumer)).toEqual([[0, 1, ['0:0 a']]])
    expect(consumer.position(topic, 0)).toBe(3)
  })
})

describe('deleted records', () => {
  test('below the log start in the middle of a batch are not handed out', async () => {
    world.append(topic, ['a', 'b', 'c', 'd'])
    world.append(topic, ['e'])
    expect(world.log(topic).deleteRecordsBefore(2)).toBe(2)
    const consumer = world.consumer()
    expect(await readAll(consumer)).toEqual([[2, 5, ['0:2 c', '0:3 d', '0:4 e']]])
  })

  test('a reader before the new log start is overtaken by as many as went', async () => {
    world.append(topic, ['a', 'b', 'c', 'd'])
    const consumer = world.consumer()
    const events: unknown[] = []
    consumer.on('overtaken', (event) => events.push(event))
    consumer.seek(topic, 0, 1)
    world.log(topic).deleteRecordsBefore(3)
    expect(await readAll(consumer)).toEqual([[3, 4, ['0:3 d']]])
    expect(events).toEqual([{ topic: topic.name, partition: 0, missed: 2, from: 1, to: 3 }])
  })
})

test('a batch that is damaged is told again: the position stays before it', async () => {
  world.append(topic, ['a'])
  // It says that compaction took most of two records, and has none.
  world.appendBatch(topic, textBatch(['bb'], [], { lastOffsetDelta: 3, offsetDeltas: [9] }))
  const consumer = world.consumer({ maxPartitionFetchBytes: 1 })
  const iterator = consumer.batches(topic, { until: 'end' })
  expect(recordsOf((await iterator.next()).value!)).toEqual(['0:0 a'])
  await expect(iterator.next()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' })
  expect(consumer.position(topic, 0)).toBe(1)
  await expect(consumer.batches(topic).next()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' })
})

test('isolation: read_committed stops at the last stable offset', async () => {
  world.append(topic, ['a'])
  world.append(topic, ['b'])
  world.control(topic).publishLastStable(1)
  const committed = world.consumer({ isolationLevel: 'read_committed' })
  expect(await readAll(committed)).toEqual([[0, 1, ['0:0 a']]])
  expect(committed.lag(topic)).toBe(0)
  expect(await committed.endOffsets([{ topic, partition: 0 }])).toEqual([1])
  committed.seekToEnd()
  expect(committed.position(topic, 0)).toBe(1)
  expect(await readAll(world.consumer())).toEqual([[0, 2, ['0:0 a', '0:1 b']]])
  world.control(topic).publishLastStable(2)
  expect(await readAll(committed)).toEqual([[1, 2, ['0:1 b']]])
})
