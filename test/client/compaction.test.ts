import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nullable, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../src/index.ts'

const EAGER = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': 0 } as const

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 1, logMemoryBytes: 32 * 1024 * 1024 })
})
afterAll(() => millrace.close())

type Table = Topic<string | null, string | null>

function table(name: string, partitions = 1): Promise<Table> {
  return millrace.topic(name, { partitions, key: nullable(string()), value: nullable(string()), config: EAGER })
}

async function offsetsOf(topic: Table): Promise<number[]> {
  const offsets: number[] = []
  for await (const { offset } of millrace.consumer().records(topic, { until: 'end' })) offsets.push(offset)
  return offsets
}

/** Sends until the topic has more offsets than records. */
async function sendUntilCompacted(topic: Table): Promise<{ offsets: number[]; sent: number }> {
  const producer = millrace.producer()
  let sent = 0
  for (;;) {
    for (let i = 0; i < 50; i++, sent++) await producer.send(topic, { key: `k${sent % 5}`, value: `${sent}`.padEnd(1_000) })
    const offsets = await offsetsOf(topic)
    if (offsets.length < sent / 2) return { offsets, sent }
  }
}

test('a compacted topic keeps the last value of each key, at its offset', async () => {
  const topic = await table('kept')
  const { offsets, sent } = await sendUntilCompacted(topic)
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
  for (let offset = sent - 5; offset < sent; offset++) expect(offsets).toContain(offset)
  const values = new Map<string | null, string | null>()
  for await (const { key, value } of millrace.consumer().records(topic, { until: 'end' })) values.set(key, value)
  expect([...values].map(([key, value]) => [key, Number(value)]).toSorted()).toEqual(
    Array.from({ length: 5 }, (_, i) => sent - 5 + i)
      .map((n) => [`k${n % 5}`, n])
      .toSorted(),
  )
})

test('no batch without records is handed out, from whatever offset', async () => {
  const topic = await table('gaps')
  const { offsets, sent } = await sendUntilCompacted(topic)
  const gap = Array.from({ length: sent }, (_, offset) => offset).filter((offset) => !offsets.includes(offset))
  expect(gap.length).toBeGreaterThan(20)
  for (const from of [0, gap[3]!, gap.at(-1)!]) {
    const consumer = millrace.consumer()
    consumer.seek(topic, 0, from)
    let records = 0
    for await (const batch of consumer.batches(topic, { until: 'end' })) {
      const inBatch = [...batch].length
      expect(inBatch).toBeGreaterThan(0)
      records += inBatch
    }
    expect(records).toBe(offsets.filter((offset) => offset >= from).length)
  }
})

describe('a record without a key', () => {
  test('is refused by every way of sending, and nothing is lost of the others', async () => {
    const topic = await table('keyless', 2)
    const producer = millrace.producer()
    const refusal = { code: 'INVALID_RECORD', retriable: false, message: expect.stringMatching(/keyless is compacted.*key/) as string }
    await expect(producer.send(topic, { value: 'v' })).rejects.toMatchObject(refusal)
    await expect(producer.send(topic, { key: null, value: 'v', partition: 1 })).rejects.toMatchObject(refusal)
    expect(() => producer.offer(topic, null, 'v')).toThrow(expect.objectContaining(refusal) as Error)
    expect(() => producer.offer(topic, null, 'v', { partition: 0 })).toThrow(expect.objectContaining(refusal) as Error)
    const byHand = millrace.producer({ partitioner: () => 0 })
    await expect(byHand.send(topic, { value: 'v' })).rejects.toMatchObject(refusal)
    expect(producer.offer(topic, 'k', 'v')).toBe(true)
    await producer.send(topic, { key: '', value: null })
    await producer.close()
    expect(await offsetsOf(topic)).toHaveLength(2)
  })
})
