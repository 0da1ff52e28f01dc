// Compressed records on the whole road, from producers to consumers that know nothing of it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytes, msgpack, nullable, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'
import type { BoundTopic } from '../../src/client/topic.ts'
import { extentStart } from '../../src/log/batch-walk.ts'
import { READ_OK, SharedLogReader } from '../../src/log/shared-log-reader.ts'
import { seededRandom } from '../../src/random.ts'
import { BATCH_HEADER_BYTES } from '../../src/record/record-batch-layout.ts'
import { batchSizeInBytes, compressionType } from '../../src/record/record-batch.ts'

const SEED = 0x5ca1e
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const NUMBERS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 << 20 })
})
afterAll(() => millrace.close())

interface Event {
  readonly id: number
  readonly text: string
  readonly tags: readonly string[]
}

function eventOf(seed: number): Event {
  const random = seededRandom(seed)
  const word = (): string => ['click', 'view', 'über', '中文', 'x'.repeat(random.below(200))][random.below(5)]!
  return { id: random.uint32(), text: Array.from({ length: random.below(30) }, word).join(' '), tags: [word(), word()] }
}

/** How the batches of a topic lie in the log: their bytes, and the numbers of their codecs. */
function kept(topic: unknown): { sizeInBytes: number; codecs: Set<number> } {
  const { engine, slots } = topic as BoundTopic
  const codecs = new Set<number>()
  let sizeInBytes = 0
  for (const slot of slots) {
    const reader = new SharedLogReader(engine.memory, slot)
    reader.seek(reader.logStartOffset)
    for (const target = { bytes: new Uint8Array(1 << 20), length: 0 }; reader.read(target, 1 << 20) === READ_OK; ) {
      sizeInBytes += target.length
      for (let at = 0; at < target.length; at += batchSizeInBytes(target.bytes, at)) codecs.add(compressionType(target.bytes, at))
    }
  }
  return { sizeInBytes, codecs }
}

describe.each(CODECS)('%s', (name) => {
  test('objects with keys and headers arrive one by one, whatever the way they were sent', async () => {
    const topic = await millrace.topic(`events-${name}`, { partitions: 3, key: nullable(string()), value: msgpack<Event>() })
    const producer = millrace.producer({ compressionType: name, batchSize: 8_192 })
    const sent: Promise<unknown>[] = []
    const expected = new Map<string, unknown[]>()
    for (let i = 0; i < 2_000; i++) {
      const key = `k${i % 50}`
      const record = { key, value: eventOf(SEED + i), headers: i % 10 === 0 ? { source: `s${i}` } : {}, timestamp: 1_000 + i }
      if (i % 3 === 0) sent.push(producer.send(topic, record))
      else
        while (!producer.offer(topic, key, record.value, { headers: record.headers, timestamp: record.timestamp })) await producer.drained()
      const list = expected.get(key) ?? []
      list.push([record.value, record.timestamp, Object.entries(record.headers)])
      expected.set(key, list)
    }
    await producer.flush()
    await Promise.all(sent)
    const found = new Map<string, unknown[]>()
    for await (const record of millrace.consumer({ autoOffsetReset: 'earliest' }).records(topic, { until: 'end' })) {
      const list = found.get(record.key!) ?? []
      list.push([record.value, record.timestamp, record.headers.toJSON()])
      found.set(record.key!, list)
    }
    expect(found).toEqual(expected)
    expect(kept(topic).codecs).toEqual(new Set([NUMBERS[name]]))
    await producer.close()
  })

  test('texts by cursors, in batches of a few records, and from offsets in the middle of a batch', async () => {
    const topic = await millrace.topic(`texts-${name}`, { value: bytes() })
    const producer = millrace.producer({ compressionType: name })
    const values = Array.from({ length: 5_000 }, (_, i) => `line ${i} of a log that says much the same in each of its lines`)
    await producer.sendAll(
      topic,
      values.map((value) => ({ value: Buffer.from(value) })),
    )
    const { sizeInBytes } = kept(topic)
    expect(sizeInBytes).toBeLessThan(values.join('').length / 3)
    const read = async (options: object, from: number): Promise<string[]> => {
      const consumer = millrace.consumer({ autoOffsetReset: 'earliest', ...options })
      const texts: string[] = []
      let next = from
      consumer.seek(topic, 0, from)
      for await (const batch of consumer.batches(topic, { until: 'end' })) {
        expect(batch.firstOffset).toBe(next)
        next = batch.nextOffset
        const cursor = batch.cursor()
        while (cursor.next()) texts.push(Buffer.from(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)).toString())
      }
      await consumer.close()
      return texts
    }
    for (const from of [0, 1, 777, 4_999]) expect(await read({}, from)).toEqual(values.slice(from))
    expect(await read({ maxPollRecords: 7 }, 1_234)).toEqual(values.slice(1_234))
    // A fetch holds no more than it may, however much is in what was read.
    expect(await read({ fetchMaxBytes: 4_096, maxPartitionFetchBytes: 4_096 }, 100)).toEqual(values.slice(100))
    await producer.close()
  })

  test('records are found by time inside a batch', async () => {
    const topic = await millrace.topic(`times-${name}`, { value: string() })
    const producer = millrace.producer({ compressionType: name })
    await producer.sendAll(
      topic,
      Array.from({ length: 1_000 }, (_, i) => ({ value: `${i}`, timestamp: 10_000 + 10 * i })),
    )
    const consumer = millrace.consumer()
    for (const [timestamp, offset] of [
      [0, 0],
      [10_000, 0],
      [10_001, 1],
      [15_000, 500],
      [19_990, 999],
    ] as const) {
      const [found] = await consumer.offsetsForTimes([{ topic, partition: 0, timestamp }])
      expect(found, `${timestamp}`).toMatchObject({ offset, timestamp: 10_000 + 10 * offset })
    }
    await consumer.close()
    await producer.close()
  })
})

test('a topic may hold batches of all codecs, and be told to keep one', async () => {
  const topic = await millrace.topic('mixed', { value: string() })
  const expected: string[] = []
  for (const [round, compressionType] of [...CODECS, 'none' as const, ...CODECS].entries()) {
    const producer = millrace.producer({ compressionType })
    for (let i = 0; i < 50; i++) expected.push(`${round} ${compressionType} ${i}`)
    await producer.sendAll(
      topic,
      expected.slice(-50).map((value) => ({ value })),
    )
    await producer.close()
  }
  const found: string[] = []
  for await (const { value } of millrace.consumer({ autoOffsetReset: 'earliest' }).records(topic, { until: 'end' })) found.push(value)
  expect(found).toEqual(expected)
  expect(kept(topic).codecs).toEqual(new Set([0, 1, 2, 3, 4]))

  const own = await millrace.topic('kept-as-lz4', { value: string(), config: { 'compression.type': 'lz4' } })
  await millrace.producer({ compressionType: 'zstd' }).send(own, { value: 'x' })
  await millrace.producer().send(own, { value: 'y' })
  expect(kept(own).codecs).toEqual(new Set([3]))
})

test('a batch that is damaged in its stream is told with its place, and reading goes on behind it', async () => {
  const topic = await millrace.topic('damaged', { value: string() })
  const producer = millrace.producer({ compressionType: 'zstd' })
  for (let i = 0; i < 3; i++) await producer.send(topic, { value: `${i}`.repeat(500) })
  const { engine, slots } = topic as unknown as BoundTopic
  const { arena } = engine.memory
  const start = extentStart(engine.controlBlock(slots[0]!).firstExtent)
  const second = start + batchSizeInBytes(arena, start) + BATCH_HEADER_BYTES
  arena.fill(0xee, second, second + 9)
  const consumer = millrace.consumer({ autoOffsetReset: 'earliest' })
  const found: string[] = []
  const read = async (): Promise<void> => {
    for await (const { value } of consumer.records(topic, { until: 'end' })) found.push(value)
  }
  await expect(read()).rejects.toMatchObject({
    code: 'CORRUPT_MESSAGE',
    retriable: false,
    message: expect.stringContaining('damaged-0 at offset 1') as string,
  })
  await expect(read()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' })
  consumer.seek(topic, 0, 2)
  await read()
  expect(found).toEqual(['0'.repeat(500), '2'.repeat(500)])
})
