// Where a consumer reads, and when, with real brokers: by time, past deleted records, paused,
// and no sooner than enough is there.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../src/index.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024 })
})
afterAll(() => millrace.close())

const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`)

async function read(records: AsyncIterable<{ value: string }>, count = Number.POSITIVE_INFINITY): Promise<string[]> {
  const values: string[] = []
  for await (const { value } of records) if (values.push(value) === count) break
  return values
}

describe('by time', () => {
  let topic: Topic<string | null, string>
  const START_MS = 1_700_000_000_000

  beforeAll(async () => {
    topic = await millrace.topic('by-time', { partitions: 2, value: string(), config: { 'retention.ms': -1 } })
    const producer = millrace.producer({ batchSize: 1_000 })
    // Some hundred batches, a second between two records, out of order in pairs.
    for (let i = 0; i < 2_000; i++) {
      while (!producer.offer(topic, null, `${i}`, { timestamp: START_MS + (i ^ 1) * 1_000, partition: 1 })) await producer.drained()
    }
    await producer.close()
  })

  test('offsetsForTimes finds the first at or after each time', async () => {
    const consumer = millrace.consumer()
    const found = await consumer.offsetsForTimes(
      [0, 1_000, 1_500, 1_998_000, 1_999_000, 1_999_001].map((ms) => ({ topic, partition: 1, timestamp: START_MS + ms })),
    )
    expect(found.map((each) => each?.offset)).toEqual([0, 0, 2, 1_998, 1_998, undefined])
    expect(found[2]).toEqual({ offset: 2, timestamp: START_MS + 3_000, leaderEpoch: expect.any(Number) as number })
    expect(await consumer.offsetsForTimes([{ topic, partition: 0, timestamp: 0 }])).toEqual([null])
  })

  test('a consumer starts with the last so much time', async () => {
    const agoMs = Date.now() - (START_MS + 1_990_000)
    const consumer = millrace.consumer({ autoOffsetReset: `by_duration:PT${Math.floor(agoMs / 1_000)}S` })
    const values = await read(consumer.records(topic, { until: 'end' }))
    expect(Number(values[0])).toBeGreaterThan(1_980)
    expect(values.at(-1)).toBe('1999')
    expect(consumer.position(topic, 1)).toBe(2_000)
  })

  test('an abort ends a look-up', async () => {
    const query = [{ topic, partition: 1, timestamp: 0 }]
    await expect(millrace.consumer().offsetsForTimes(query, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

test('records that were deleted in the middle of a batch are not read, whatever the bound', async () => {
  const topic = await millrace.topic('deleted', { value: string() })
  await millrace.producer().sendAll(
    topic,
    upTo(100).map((value) => ({ value })),
  )
  await millrace.admin.deleteRecords('deleted', { 0: 37 })
  for (const maxPollRecords of [undefined, 1, 10]) {
    const consumer = millrace.consumer({ maxPollRecords })
    expect(await consumer.beginningOffsets([{ topic, partition: 0 }])).toEqual([37])
    expect(await read(consumer.records(topic, { until: 'end' }))).toEqual(upTo(100).slice(37))
  }
})

test('a partition that is paused under load is not read, and nothing of it is lost', async () => {
  const topic = await millrace.topic('paused', { partitions: 2, value: string() })
  const producer = millrace.producer({ batchSize: 500 })
  const count = 5_000
  const sent = (async () => {
    for (let i = 0; i < count; i++) {
      for (let partition = 0; partition < 2; partition++) {
        while (!producer.offer(topic, null, `${i}`, { partition })) await producer.drained()
      }
      if (i % 100 === 0) await producer.flush()
    }
    await producer.flush()
  })()
  const consumer = millrace.consumer()
  const read: string[][] = [[], []]
  const pauses = [0, 0]
  for await (const batch of consumer.batches(topic)) {
    expect(consumer.paused().map(({ partition }) => partition)).not.toContain(batch.partition)
    for (const { value } of batch) read[batch.partition]!.push(value)
    // The other one is read now, if there may be something left of it.
    const other = 1 - batch.partition
    if (read[other]!.length < count && read[batch.partition]!.length < count) {
      consumer.pause([{ topic, partition: batch.partition }])
      pauses[batch.partition]!++
    }
    consumer.resume([{ topic, partition: other }])
    if (read.every(({ length }) => length === count)) break
  }
  await sent
  expect(read).toEqual([upTo(count), upTo(count)])
  expect(Math.min(...pauses)).toBeGreaterThan(2)
})

test('a long poll: nothing is read before enough is there, and nothing is lost', async () => {
  const topic = await millrace.topic('long-poll', { value: string() })
  const consumer = millrace.consumer({ fetchMinBytes: 5_000, fetchMaxWaitMs: 3_600_000 })
  const producer = millrace.producer()
  const sizes: number[] = []
  const values: string[] = []
  const loop = (async () => {
    let bytes = 0
    for await (const batch of consumer.batches(topic)) {
      bytes += batch.sizeInBytes
      values.push(...[...batch].map(({ value }) => value))
      // Offsets of what was there when it was enough.
      if (consumer.lag(topic) === 0) sizes.push(bytes)
      if (values.length >= 300) break
    }
  })()
  for (const value of upTo(400)) await producer.send(topic, { value })
  await loop
  expect(values).toEqual(upTo(values.length))
  for (const [i, size] of sizes.entries()) expect(size - (sizes[i - 1] ?? 0)).toBeGreaterThanOrEqual(5_000)
})
