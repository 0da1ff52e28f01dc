// The producer on the whole road, with brokers on threads; its contract, refusal by
// refusal, is in producer/*.test.ts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytes, json, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, Producer, ProducerOptions, Topic } from '../../src/index.ts'

const MEBIBYTE = 1_024 * 1_024
/** The largest batch that there can be. */
const LARGEST_BYTES = 8 * MEBIBYTE - 64

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 3, logMemoryBytes: 256 * MEBIBYTE })
})
afterAll(() => millrace.close())

type BytesTopic = Topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>

/** A value of so many bytes that says its number and is filled with it. */
function pattern(n: number, length: number): Uint8Array {
  const value = new Uint8Array(length).fill(n & 0xff)
  new DataView(value.buffer).setUint32(0, n)
  return value
}

async function offerAll(producer: Producer, topic: BytesTopic, values: Iterable<Uint8Array>, partition?: number): Promise<void> {
  for (const value of values) {
    while (!producer.offer(topic, null, value, partition === undefined ? undefined : { partition })) await producer.drained()
  }
  await producer.flush()
}

async function lengthsOf(topic: BytesTopic): Promise<number[]> {
  const lengths: number[] = []
  for await (const { value } of millrace.consumer().records(topic, { until: 'end' })) {
    const n = new DataView(value.buffer, value.byteOffset).getUint32(0)
    expect(n).toBe(lengths.length)
    expect(value.at(-1)).toBe(value.length > 4 ? n & 0xff : value.at(-1))
    lengths.push(value.length)
  }
  return lengths
}

describe('records of every size', () => {
  test.each([0, 1, 'all'] as const)('acks %s: up to the largest there can be, each whole and in its place', async (acks) => {
    const topic = await millrace.topic(`sizes-${acks}`, { value: bytes(), config: { 'max.message.bytes': LARGEST_BYTES } })
    const producer = millrace.producer({ acks, maxRequestSize: LARGEST_BYTES })
    const lengths = [4, 100, 70_000, 4, 300_000, 1_000_000, 5, 2 * MEBIBYTE, 100, LARGEST_BYTES - 75, 9]
    await offerAll(
      producer,
      topic,
      lengths.map((length, n) => pattern(n, length)),
    )
    await producer.close()
    // With acks 0 nobody says when it is there.
    for (;;) {
      const [partition] = (await millrace.admin.describeTopic(topic.name)).partitions
      if (partition!.endOffset === lengths.length) break
    }
    expect(await lengthsOf(topic)).toEqual(lengths)
  })

  test('one byte more is refused', async () => {
    const topic = await millrace.topic('sizes-all', { value: bytes() })
    const producer = millrace.producer({ maxRequestSize: LARGEST_BYTES })
    let length = LARGEST_BYTES - 100
    for (; length < LARGEST_BYTES; length++) {
      const sent = await producer.send(topic, { value: pattern(0, length) }).catch((error: unknown) => error as { code: string })
      if ('code' in sent) {
        expect(sent).toMatchObject({ code: 'MESSAGE_TOO_LARGE', retriable: false })
        break
      }
      length += 10
    }
    expect(length).toBeLessThan(LARGEST_BYTES)
    await producer.close()
  })

  test('a topic that takes less than batchSize gets batches that it takes', async () => {
    const topic = await millrace.topic('small-batches', { value: bytes(), config: { 'max.message.bytes': 2_000 } })
    const producer = millrace.producer()
    await offerAll(
      producer,
      topic,
      Array.from({ length: 5_000 }, (_, n) => pattern(n, 100)),
    )
    await expect(producer.send(topic, { value: pattern(0, 2_000) })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining("the topic's max.message.bytes (2000)") as string,
    })
    expect(await lengthsOf(topic)).toHaveLength(5_000)
  })
})

describe('every setting delivers every record, in order', () => {
  test.each<ProducerOptions>([
    {},
    { acks: 1 },
    { batchSize: 0 },
    { batchSize: 300 },
    { batchSize: MEBIBYTE },
    { lingerMs: 3 },
    { bufferMemory: 65_536 },
    { bufferMemory: 20_000, batchSize: 5_000, lingerMs: 1 },
    { maxRequestSize: 1_000 },
  ])('%j', async (options) => {
    const topic = await millrace.topic(`setting-${JSON.stringify(options).replaceAll(/\W/g, '-')}`, {
      partitions: 3,
      value: json<number>(),
    })
    const producer = millrace.producer(options)
    const count = 3_000
    for (let n = 0; n < count; n++) while (!producer.offer(topic, `${n % 7}`, n)) await producer.drained()
    const sends = Array.from({ length: 50 }, (_, i) => producer.send(topic, { key: 'sent', value: i }))
    await producer.sendAll(
      topic,
      Array.from({ length: 200 }, (_, i) => ({ key: 'sent', value: 50 + i })),
    )
    await Promise.all(sends)
    await producer.close()
    const last = new Map<string | null, number>()
    let read = 0
    for await (const { key, value } of millrace.consumer().records(topic, { until: 'end' })) {
      const before = last.get(key)
      if (before !== undefined) expect(value).toBe(key === 'sent' ? before + 1 : before + 7)
      last.set(key, value)
      read++
    }
    expect(read).toBe(count + 250)
    expect(last.size).toBe(8)
  })
})

describe('topics of several brokers in one producer', () => {
  test('send says where each record stands', async () => {
    const topic = await millrace.topic('offsets', { partitions: 6, value: string() })
    const producer = millrace.producer()
    const results = await Promise.all(Array.from({ length: 600 }, (_, i) => producer.send(topic, { value: `${i}`, partition: i % 6 })))
    expect(results.map(({ offset }) => offset)).toEqual(Array.from({ length: 600 }, (_, i) => Math.floor(i / 6)))
    for await (const { partition, offset, value } of millrace.consumer().records(topic, { until: 'end' })) {
      expect(Number(value)).toBe(offset * 6 + partition)
    }
  })

  test('producers of one topic do not disturb each other', async () => {
    const topic = await millrace.topic('many-producers', { value: json<[number, number]>() })
    const producers = Array.from({ length: 8 }, () => millrace.producer({ batchSize: 1_000 }))
    await Promise.all(
      producers.map(async (producer, p) => {
        for (let n = 0; n < 1_000; n++) while (!producer.offer(topic, null, [p, n])) await producer.drained()
        await producer.close()
      }),
    )
    const next = producers.map(() => 0)
    for await (const { value } of millrace.consumer().records(topic, { until: 'end' })) expect(value[1]).toBe(next[value[0]]!++)
    expect(next).toEqual(producers.map(() => 1_000))
  })
})
