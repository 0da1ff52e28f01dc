// A topic that is given partitions while it is read.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ReadOptions } from '../../../src/client/consumer/read-options.ts'
import { HandDrivenLog, recordsOf, settle } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world: HandDrivenLog
let topic: TextTopic

beforeEach(() => {
  world = new HandDrivenLog()
  topic = world.topic(1)
})
afterEach(() => {
  expect(world.metadataListeners).toBe(0)
  world.close()
})

/** What a loop of the consumer is handed out. */
function loop(consumer: Consumer, options?: ReadOptions): { records: string[]; over: Promise<void> } {
  const records: string[] = []
  const over = (async () => {
    for await (const batch of consumer.batches(topic, options)) records.push(...recordsOf(batch))
  })()
  return { records, over }
}

describe('a loop over all partitions', () => {
  test.each(['earliest', 'latest', 'none'] as const)(
    'reads new ones from their beginning, whatever the reset: %s',
    async (autoOffsetReset) => {
      const consumer = world.consumer({ autoOffsetReset })
      consumer.seek(topic, 0, 0)
      const { records, over } = loop(consumer)
      await settle()
      world.addPartition(topic, true)
      world.addPartition(topic, true)
      world.append(topic, ['a', 'b'], 2)
      world.append(topic, ['c'], 1)
      world.append(topic, ['d'], 0)
      await settle()
      expect(records.sort()).toEqual(['0:0 d', '1:0 c', '2:0 a', '2:1 b'])
      expect(consumer.position(topic, 2)).toBe(2)
      expect(consumer.lag(topic)).toBe(0)
      await consumer.close()
      await over
    },
  )

  test('and those that come between its looking and its listening', async () => {
    world.onListen = () => {
      world.addPartition(topic, false)
      world.append(topic, ['early'], 1)
    }
    const consumer = world.consumer({ autoOffsetReset: 'latest' })
    const { records } = loop(consumer)
    await settle()
    expect(records).toEqual(['1:0 early'])
    await consumer.close()
  })

  test('and finds those that it heard nothing of when it begins', async () => {
    world.addPartition(topic, false)
    world.append(topic, ['early'], 1)
    const { records, over } = loop(world.consumer(), { until: 'end' })
    await over
    expect(records).toEqual(['1:0 early'])
  })

  test('once each, however often it is told of them', async () => {
    const consumer = world.consumer({ maxPartitionFetchBytes: 1 })
    const { records } = loop(consumer)
    // Told in the middle of its beginning, and found by it.
    world.addPartition(topic)
    world.tellAgain(topic)
    for (const value of ['a', 'b']) for (const partition of [0, 1]) world.append(topic, [value], partition)
    await settle()
    // In turn: none of them is read twice as often.
    expect(records).toEqual(['0:0 a', '1:0 a', '0:1 b', '1:1 b'])
    await consumer.close()
  })

  test('may withhold what is there until it is enough, of new ones too', async () => {
    const consumer = world.consumer({ fetchMinBytes: 150, fetchMaxWaitMs: 1_000_000 })
    const { records } = loop(consumer)
    world.append(topic, ['a'])
    await settle()
    world.addPartition(topic)
    await settle()
    expect(records).toEqual([])
    world.append(topic, ['b'.repeat(100)], 1)
    await settle()
    expect(records.sort()).toEqual(['0:0 a', `1:0 ${'b'.repeat(100)}`])
    await consumer.close()
  })

  test("does not, with until: 'end', nor where partitions are assigned: those have their end, or their names", async () => {
    const consumer = world.consumer()
    consumer.pause([{ topic, partition: 0 }])
    world.append(topic, ['a'])
    const { records, over } = loop(consumer, { until: 'end' })
    await settle()
    world.addPartition(topic)
    world.append(topic, ['b'], 1)
    consumer.resume([{ topic, partition: 0 }])
    await over
    expect(records).toEqual(['0:0 a'])
    const assigned = world.consumer()
    assigned.assign([{ topic, partition: 0 }])
    const other = loop(assigned)
    expect(world.metadataListeners).toBe(0)
    world.addPartition(topic)
    world.append(topic, ['c'], 2)
    await settle()
    expect(other.records).toEqual(['0:0 a'])
    await assigned.close()
  })
})

test('partitions that the topic was given since it was bound can be named', async () => {
  const consumer = world.consumer()
  const beyond = expect.objectContaining({
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: expect.stringContaining('partitions 0 to 0') as string,
  })
  expect(() => consumer.seek(topic, 1, 0)).toThrow(beyond)
  world.addPartition(topic)
  world.append(topic, ['a', 'b'], 1)
  consumer.seek(topic, 1, 1)
  expect(await consumer.endOffsets([{ topic, partition: 1 }])).toEqual([2])
  const { records, over } = loop(consumer, { until: 'end' })
  await over
  expect(records).toEqual(['1:1 b'])
  expect(() => consumer.pause([{ topic, partition: 2 }])).toThrow(/it has partitions 0 to 1/)
})

test.each(['return', 'abort', 'close', 'delete'] as const)('nobody listens any more after: %s', async (end) => {
  const consumer = world.consumer()
  const abort = new AbortController()
  const batches = consumer.batches(topic, { signal: abort.signal })
  const next = batches.next().catch((error: unknown) => error)
  expect(world.metadataListeners).toBe(1)
  if (end === 'return') await batches.return!()
  if (end === 'abort') abort.abort()
  if (end === 'close') await consumer.close()
  if (end === 'delete') world.delete(topic)
  await next
  expect(world.metadataListeners).toBe(0)
})
