// Producers at ten times the speed of consumers, and consumers that stand still: memory is
// flat, nothing grows, nobody is blocked but who said so. The everyday form of R11.

import { afterAll, describe, expect, test } from 'vitest'
import { openMillrace } from '../../src/index.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'

const MEBIBYTE = 1024 * 1024
const ARENA_BYTES = 32 * MEBIBYTE
const LOAD_MS = 3_000
const lines: string[] = []

afterAll(() => console.log(lines.join('\n')))

/** Slope of a line through points one apart, by least squares. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let above = 0
  let below = 0
  for (const [i, value] of values.entries()) {
    above += (i - middle) * (value - mean)
    below += (i - middle) ** 2
  }
  return above / below
}

test.each([
  { brokers: 1, growthMebibytesMax: 32 },
  // Batches that wait for memory from another broker are copied aside, and collected late.
  { brokers: 2, growthMebibytesMax: 192 },
])('with producers at ten times the consumers’ speed memory is flat, $brokers broker(s)', async ({ brokers, growthMebibytesMax }) => {
  const millrace = await openMillrace({ brokers, logMemoryBytes: ARENA_BYTES, logLevel: 'silent' })
  const topic = await bytesTopic(millrace, 't', { partitions: 2 })
  const producer = millrace.producer()
  const consumer = millrace.consumer()
  let missed = 0
  let read = 0
  consumer.on('overtaken', (event) => (missed += event.missed))
  const batches = consumer.batches(topic)
  const value = new Uint8Array(500)
  let offered = 0
  const samples: { atMs: number; rssBytes: number }[] = []
  const startMs = performance.now()
  for (let turn = 0; performance.now() - startMs < LOAD_MS; turn++) {
    for (let i = 0; i < 2_000; i++) {
      while (!producer.offer(topic, null, value)) await producer.drained()
      offered++
    }
    // One record in ten is read at the most.
    if (read + missed < offered && read < offered / 10) {
      const { value: batch } = await batches.next()
      const cursor = batch!.cursor()
      while (cursor.next()) read++
    }
    if (turn % 10 === 0) samples.push({ atMs: performance.now() - startMs, rssBytes: process.memoryUsage.rss() })
  }
  await producer.flush()
  // The rest is read at once: what was not overtaken is all there.
  await batches.return!()
  for await (const batch of consumer.batches(topic, { until: 'end' })) {
    const cursor = batch.cursor()
    while (cursor.next()) read++
  }
  expect(read + missed).toBe(offered)
  expect(missed).toBeGreaterThan(0)
  expect(offered * 500).toBeGreaterThan(4 * ARENA_BYTES)
  await millrace.close()

  // The first second fills the arena and warms up.
  const warm = samples.filter(({ atMs }) => atMs > 1_000).map(({ rssBytes }) => rssBytes / MEBIBYTE)
  const growth = slope(warm) * warm.length
  const offeredMebibytes = (offered * 500) / MEBIBYTE
  lines.push(
    `overload, ${brokers} broker(s): ${offeredMebibytes.toFixed(0)} MiB offered into ${ARENA_BYTES / MEBIBYTE} MiB, ${read} records read, ${missed} overtaken; ` +
      `resident ${Math.min(...warm).toFixed(0)} to ${Math.max(...warm).toFixed(0)} MiB, trend ${growth.toFixed(1)} MiB in ${((LOAD_MS - 1_000) / 1_000).toFixed(0)} s`,
  )
  expect(warm.length).toBeGreaterThan(5)
  expect(growth).toBeLessThan(growthMebibytesMax)
})

describe('a producer whose broker stands still', () => {
  test('holds what bufferMemory and the lane hold, refuses offers, and says BUFFER_EXHAUSTED after maxBlockMs', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 2 })
    const { millrace, faults } = faulty
    const topic = await bytesTopic(millrace, 't', { partitions: 2 })
    const bufferMemory = 4 * MEBIBYTE
    const producer = millrace.producer({ bufferMemory, maxBlockMs: 100 })
    const ledger = new SentLedger()
    const first = ledger.send(producer, topic, 1)
    faults.arm(1, 'log.append.claimed', 'park')
    await faults.bitten(1, 0)
    const value = new Uint8Array(10_000)
    let taken = 0
    while (producer.offer(topic, null, value, { partition: 1 })) taken++
    expect(taken * value.length).toBeLessThanOrEqual(bufferMemory)
    await expect(producer.drained()).rejects.toMatchObject({
      code: 'BUFFER_EXHAUSTED',
      retriable: true,
      message: expect.stringContaining('100 ms') as string,
    })
    await expect(producer.send(topic, { value, partition: 1 })).rejects.toMatchObject({ code: 'BUFFER_EXHAUSTED' })
    // Not taken means not taken: when the broker goes on, exactly what was taken is there.
    faults.go(1)
    expect(await first).toBe(0)
    await producer.flush()
    const { partitions } = await millrace.admin.describeTopic('t')
    expect(partitions[1]!.endOffset).toBe(1 + taken)
    await faulty.close()
  })

  test('a send that waits for room goes on when there is some, in order', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 1 })
    const { millrace, faults } = faulty
    const topic = await bytesTopic(millrace, 't')
    const producer = millrace.producer({ bufferMemory: MEBIBYTE, maxRequestSize: MEBIBYTE })
    const ledger = new SentLedger()
    faults.arm(0, 'log.append.claimed', 'park')
    const sends = Array.from({ length: 400 }, () => ledger.send(producer, topic, 0, 10_000))
    await faults.bitten(0, 0)
    expect(ledger.pending).toBe(400)
    faults.go(0)
    expect(await Promise.all(sends)).toEqual(Array.from({ length: 400 }, (_, i) => i))
    await ledger.verify(millrace, topic)
    await faulty.close()
  })
})
