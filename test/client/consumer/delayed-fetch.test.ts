// fetch.min.bytes and fetch.max.wait.ms: what is there is withheld until it is enough, or has
// waited long enough.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import { HandDrivenLog, markerBatch, recordsOf, settle, textBatch } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world: HandDrivenLog
let topic: TextTopic

beforeEach(() => {
  world = new HandDrivenLog()
  topic = world.topic(2)
})
afterEach(() => world.close())

const BATCH_BYTES = textBatch(['a']).length

interface Reading {
  readonly batches: AsyncIterableIterator<ConsumerBatch<unknown, unknown>, undefined, void>
  readonly read: string[]
  readonly looks: () => number
}

/** A loop; `read` has what it was handed out. */
function reading(options: ConsumerOptions): Reading {
  const consumer = world.consumer(options)
  const batches = consumer.batches(topic)
  const read: string[] = []
  void (async () => {
    for await (const batch of batches) read.push(...recordsOf(batch))
  })()
  const timers = vi.spyOn(world.clock, 'setTimer')
  return { batches, read, looks: () => timers.mock.calls.length }
}

test('so many bytes, over all partitions, are handed out together', async () => {
  const { batches, read } = reading({ fetchMinBytes: 3 * BATCH_BYTES, fetchMaxWaitMs: 1_000_000 })
  await settle()
  world.append(topic, ['a'])
  await settle()
  world.append(topic, ['b'], 1)
  await settle()
  expect(read).toEqual([])
  world.append(topic, ['c'])
  await settle()
  expect(read.sort()).toEqual(['0:0 a', '0:1 c', '1:0 b'])
  // And then anew.
  world.append(topic, ['d'])
  world.append(topic, ['e'])
  await settle()
  expect(read).toHaveLength(3)
  world.append(topic, ['f'], 1)
  await settle()
  expect(read).toHaveLength(6)
  await batches.return!()
})

test('fewer are handed out when the wait is over, counted from the first of them', async () => {
  const { batches, read, looks } = reading({ fetchMinBytes: 10_000, fetchMaxWaitMs: 500 })
  await settle()
  // Nothing is there: nothing is timed.
  expect(looks()).toBe(0)
  world.clock.advance(10_000)
  await settle()
  world.append(topic, ['a'])
  await settle()
  expect(looks()).toBe(1)
  world.clock.advance(499)
  world.append(topic, ['b'], 1)
  await settle()
  expect(read).toEqual([])
  world.clock.advance(1)
  await settle()
  expect(read.sort()).toEqual(['0:0 a', '1:0 b'])
  world.append(topic, ['c'])
  await settle()
  world.clock.advance(499)
  await settle()
  expect(read).toHaveLength(2)
  world.clock.advance(1)
  await settle()
  expect(read).toHaveLength(3)
  expect(looks()).toBe(2)
  await batches.return!()
})

test('what comes while a go is handed out belongs to the next', async () => {
  const consumer = world.consumer({ fetchMinBytes: 2 * BATCH_BYTES, fetchMaxWaitMs: 1_000_000, maxPartitionFetchBytes: 1 })
  const batches = consumer.batches(topic)
  const first = batches.next()
  world.append(topic, ['a'])
  world.append(topic, ['b'])
  expect(recordsOf((await first).value!)).toEqual(['0:0 a'])
  world.append(topic, ['c'])
  expect(recordsOf((await batches.next()).value!)).toEqual(['0:1 b'])
  const third = vi.fn()
  void batches.next().then(third)
  await settle()
  expect(third).not.toHaveBeenCalled()
  world.append(topic, ['d'])
  await settle()
  expect(third).toHaveBeenCalledTimes(1)
  await consumer.close()
})

test('a byte is enough by default, and no timer runs', async () => {
  const { batches, read, looks } = reading({})
  await settle()
  world.append(topic, ['a'])
  await settle()
  expect(read).toEqual(['0:0 a'])
  expect(looks()).toBe(0)
  await batches.return!()
})

test("until: 'end' waits for nothing: all that it reads is there", async () => {
  world.append(topic, ['a'])
  const consumer = world.consumer({ fetchMinBytes: 1_000_000 })
  const read: string[] = []
  for await (const batch of consumer.batches(topic, { until: 'end' })) read.push(...recordsOf(batch))
  expect(read).toEqual(['0:0 a'])
})

test('a wait of 0 ms withholds nothing', async () => {
  const { batches, read } = reading({ fetchMinBytes: 1_000_000, fetchMaxWaitMs: 0 })
  world.append(topic, ['a'])
  await settle()
  expect(read).toEqual(['0:0 a'])
  await batches.return!()
})

test('batches larger than the bounds of a fetch count whole, and are handed out', async () => {
  const large = 'x'.repeat(5_000)
  const { batches, read } = reading({ fetchMinBytes: 4_000, fetchMaxWaitMs: 1_000_000, fetchMaxBytes: 10, maxPartitionFetchBytes: 10 })
  world.append(topic, [large])
  await settle()
  expect(read).toEqual([`0:0 ${large}`])
  await batches.return!()
})

describe('what moves a position while bytes are withheld', () => {
  test('a seek: bytes are counted from there', async () => {
    const consumer = world.consumer({ fetchMinBytes: 3 * BATCH_BYTES, fetchMaxWaitMs: 1_000_000 })
    for (const value of ['a', 'b']) world.append(topic, [value])
    consumer.seekToEnd([{ topic, partition: 0 }])
    const next = consumer.batches(topic).next()
    world.append(topic, ['c'])
    await settle()
    consumer.seek(topic, 0, 0)
    expect(recordsOf((await next).value!)).toEqual(['0:0 a', '0:1 b', '0:2 c'])
    await consumer.close()
  })

  test('a paused partition counts for nothing until it is resumed', async () => {
    const consumer = world.consumer({ fetchMinBytes: 2 * BATCH_BYTES, fetchMaxWaitMs: 1_000_000 })
    consumer.pause([{ topic, partition: 0 }])
    const next = consumer.batches(topic).next()
    for (const value of ['a', 'b']) world.append(topic, [value])
    await settle()
    expect(world.isWaiting).toBe(true)
    consumer.resume([{ topic, partition: 0 }])
    expect(recordsOf((await next).value!)).toEqual(['0:0 a', '0:1 b'])
    await consumer.close()
  })

  test('retention, and deletion, are told at once', async () => {
    const consumer = world.consumer({ fetchMinBytes: 1_000_000, fetchMaxWaitMs: 1_000_000, autoOffsetReset: 'none' })
    for (let partition = 0; partition < 2; partition++) consumer.seek(topic, partition, 0)
    const next = consumer.batches(topic).next()
    for (const value of ['a', 'b']) world.append(topic, [value])
    await settle()
    world.log(topic).deleteRecordsBefore(1)
    world.append(topic, ['c'])
    await expect(next).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    consumer.seek(topic, 0, 1)
    const again = consumer.batches(topic).next()
    await settle()
    world.delete(topic)
    await expect(again).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
  })

  test('a position beyond the end is told at once', async () => {
    const consumer = world.consumer({ fetchMinBytes: 1_000_000, fetchMaxWaitMs: 1_000_000 })
    const events: unknown[] = []
    consumer.on('overtaken', (event) => events.push(event))
    const next = consumer.batches(topic).next()
    world.append(topic, ['a'])
    await settle()
    consumer.seek(topic, 0, 7)
    expect(events).toEqual([{ topic: topic.name, partition: 0, missed: 0, from: 7, to: 0 }])
    // What is read behind such news is not withheld again.
    expect(recordsOf((await next).value!)).toEqual(['0:0 a'])
    await consumer.close()
  })

  test('control batches count, and do not make it stall', async () => {
    const { batches, read } = reading({ fetchMinBytes: markerBatch().length, fetchMaxWaitMs: 1_000_000 })
    world.appendBatch(topic, markerBatch())
    await settle()
    expect(read).toEqual([])
    world.append(topic, ['a'])
    world.append(topic, ['b'])
    await settle()
    expect(read).toEqual(['0:1 a', '0:2 b'])
    await batches.return!()
  })
})

test('no timer is left behind, however it ends', async () => {
  const pending = (): number => world.clock.pending
  for (const end of ['return', 'close', 'abort'] as const) {
    const consumer = world.consumer({ fetchMinBytes: 1_000_000, fetchMaxWaitMs: 500 })
    const abort = new AbortController()
    const batches = consumer.batches(topic, { signal: abort.signal })
    const next = batches.next()
    next.catch(() => undefined)
    world.append(topic, ['a'])
    await settle()
    expect(pending()).toBe(1)
    if (end === 'return') await batches.return!()
    if (end === 'abort') abort.abort()
    if (end === 'close') await consumer.close()
    expect(pending()).toBe(0)
    await consumer.close()
  }
})
