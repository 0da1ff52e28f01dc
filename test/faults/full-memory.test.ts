// Log memory runs full: pinned topics refuse, others give their oldest records, counted,
// and readers that fall behind are told how many; a broker that dies then is replaced too.

import { afterAll, describe, expect, test } from 'vitest'
import type { Overtaken } from '../../src/client/consumer/partition-fetcher.ts'
import { MillraceError } from '../../src/errors.ts'
import { UNLIMITED, killLeaders, report, tally } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic, readAll } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'

const SEED = 0xf011
const MEBIBYTE = 1024 * 1024
const ARENA_BYTES = 16 * MEBIBYTE
const RECORD_BYTES = 8_000

afterAll(() => console.log(report('full memory', SEED)))

/** Offers records to partition 0 of a topic until so many are there, at full speed. */
async function fill(faulty: FaultyMillrace, topic: BytesTopic, records: number, from = 0): Promise<void> {
  const producer = faulty.millrace.producer()
  for (let i = from; i < from + records; i++) {
    const value = new Uint8Array(RECORD_BYTES)
    new DataView(value.buffer).setUint32(4, i)
    value.fill((i * 7 + 1) & 0xff, 12)
    while (!producer.offer(topic, null, value, { partition: 0 })) await producer.drained()
  }
  await producer.flush()
  await producer.close()
}

describe('a pinned topic', () => {
  test('takes half of log memory, then refuses retriably, saying so; nothing of it goes; others are written', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 2, logMemoryBytes: ARENA_BYTES })
    const { millrace } = faulty
    const pinned = await bytesTopic(millrace, 'pinned', { partitions: 2, config: { 'retention.bytes': -1 } })
    const other = await bytesTopic(millrace, 'other')
    const ledger = new SentLedger()
    const producer = millrace.producer({ retries: 0 })
    for (let i = 0; i < (2 * ARENA_BYTES) / RECORD_BYTES; i++) await ledger.send(producer, pinned, i % 2, RECORD_BYTES)
    expect(ledger.failures.length).toBeGreaterThan(0)
    for (const failure of ledger.failures) {
      expect(failure).toMatchObject({
        code: 'KAFKA_STORAGE_ERROR',
        retriable: true,
        message: expect.stringMatching(/log memory is full.*not written/) as string,
      })
    }
    expect(ledger.acked * RECORD_BYTES).toBeGreaterThan(ARENA_BYTES / 4)
    expect(ledger.acked * RECORD_BYTES).toBeLessThanOrEqual(ARENA_BYTES / 2)
    await fill(faulty, other, (2 * ARENA_BYTES) / RECORD_BYTES)
    const read = await ledger.verify(millrace, pinned)
    expect(read.reduce((sum, { startOffset, sequences }) => sum + startOffset + sequences.length, 0)).toBe(ledger.acked)
    // Offered records are refused alike.
    producer.offer(pinned, null, new Uint8Array(RECORD_BYTES), { partition: 0 })
    await expect(producer.flush()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR', retriable: true })
    // Where retries are left, the broker is asked again until the delivery timeout.
    const patient = millrace.producer({ deliveryTimeoutMs: 500 })
    const startMs = performance.now()
    await expect(patient.send(pinned, { value: new Uint8Array(RECORD_BYTES), partition: 0 })).rejects.toMatchObject({
      code: 'KAFKA_STORAGE_ERROR',
      retriable: true,
    })
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(500)
    await faulty.close()
  })

  test('is refused by the next leader as well, which has all that was taken', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 2, logMemoryBytes: ARENA_BYTES })
    const { millrace } = faulty
    const topic = await bytesTopic(millrace, 'pinned', { partitions: 2, config: { 'retention.bytes': -1 } })
    const ledger = new SentLedger()
    const producer = millrace.producer({ retries: 0 })
    for (let i = 0; i < ARENA_BYTES / RECORD_BYTES; i++) await ledger.send(producer, topic, i % 2, RECORD_BYTES)
    const before = ledger.acked
    for (const victim of [0, 1]) {
      await faulty.kill(victim)
      tally.kills++
      await faulty.happened('brokerRestarted', victim + 1)
    }
    let refused: number | MillraceError
    do refused = await ledger.send(producer, topic, 0, RECORD_BYTES)
    while (refused instanceof MillraceError && refused.code === 'NETWORK_EXCEPTION')
    expect(refused).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(ledger.acked).toBe(before)
    await ledger.verify(millrace, topic)
    await faulty.close()
  })
})

describe('default retention', () => {
  test('takes the oldest, counted; what is left is whole', async () => {
    const faulty = await FaultyMillrace.open({ logMemoryBytes: ARENA_BYTES })
    const topic = await bytesTopic(faulty.millrace, 't')
    const records = Math.ceil((3 * ARENA_BYTES) / RECORD_BYTES)
    await fill(faulty, topic, records)
    const [partition] = (await faulty.millrace.admin.describeTopic('t')).partitions
    expect(partition!.startOffset).toBeGreaterThan(0)
    expect(partition!.trimmedRecords).toBe(partition!.startOffset)
    const [read] = await readAll(faulty.millrace.consumer(), topic)
    expect(read!.startOffset).toBe(partition!.startOffset)
    expect(read!.sequences.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: records - read!.startOffset }, (_, i) => read!.startOffset + i),
    )
    await faulty.close()
  })

  test.each<{ autoOffsetReset: 'earliest' | 'latest' }>([{ autoOffsetReset: 'earliest' }, { autoOffsetReset: 'latest' }])(
    'a reader that it has overtaken goes on by its policy ($autoOffsetReset) and hears the exact count',
    async ({ autoOffsetReset }) => {
      const faulty = await FaultyMillrace.open({ brokers: 2, logMemoryBytes: ARENA_BYTES })
      const topic = await bytesTopic(faulty.millrace, 't')
      await fill(faulty, topic, 5)
      const consumer = faulty.millrace.consumer({ autoOffsetReset })
      consumer.seek(topic, 0, 0)
      const batches = consumer.batches(topic)
      const seen: number[] = []
      const events: Overtaken[] = []
      consumer.on('overtaken', (event) => events.push(event))
      const take = (batch: { cursor(): { next(): boolean; offset: number } }): void => {
        const cursor = batch.cursor()
        while (cursor.next()) seen.push(cursor.offset)
      }
      take((await batches.next()).value!)
      expect(seen).toEqual([0, 1, 2, 3, 4])
      await fill(faulty, topic, Math.ceil((3 * ARENA_BYTES) / RECORD_BYTES), 5)
      const { startOffset, endOffset } = (await faulty.millrace.admin.describeTopic('t')).partitions[0]!
      const next = batches.next()
      // It goes on at the end once it has found out; only then is there a new end.
      while (events.length === 0) await new Promise((resolve) => setImmediate(resolve))
      if (autoOffsetReset === 'latest') await fill(faulty, topic, 1, endOffset)
      take((await next).value!)
      const to = autoOffsetReset === 'latest' ? endOffset : startOffset
      expect(events).toEqual([{ topic: 't', partition: 0, missed: to - 5, from: 5, to }])
      expect(seen[5]).toBe(to)
      await batches.return!()
      await faulty.close()
    },
  )

  test("under 'none' it ends with OFFSET_OUT_OF_RANGE, which says the count", async () => {
    const faulty = await FaultyMillrace.open({ logMemoryBytes: ARENA_BYTES })
    const topic = await bytesTopic(faulty.millrace, 't')
    await fill(faulty, topic, 5)
    const consumer = faulty.millrace.consumer({ autoOffsetReset: 'none' })
    consumer.seek(topic, 0, 0)
    const batches = consumer.batches(topic)
    await batches.next()
    await fill(faulty, topic, Math.ceil((2 * ARENA_BYTES) / RECORD_BYTES), 5)
    const [partition] = (await faulty.millrace.admin.describeTopic('t')).partitions
    await expect(batches.next()).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining(`${partition!.startOffset - 5} record(s) went by retention`) as string,
    })
    expect(await batches.next()).toEqual({ value: undefined, done: true })
    await faulty.close()
  })

  test.each([{ brokers: 1 }, { brokers: 2 }])(
    'elections find memory that only time frees, with nobody else awake ($brokers brokers)',
    async ({ brokers }) => {
      const faulty = await FaultyMillrace.open({ brokers, logMemoryBytes: ARENA_BYTES, restarts: UNLIMITED })
      const { millrace } = faulty
      const filler = await bytesTopic(millrace, 'filler')
      await fill(faulty, filler, (3 * ARENA_BYTES) / RECORD_BYTES)
      // So many that each death makes a record of the metadata log that needs an extent of its own.
      await bytesTopic(millrace, 'many', { partitions: 400 })
      for (let death = 0; death < 4; death++) {
        const { partitions } = await millrace.admin.describeTopic('filler')
        await faulty.kill(partitions[0]!.leader)
        tally.kills++
        await faulty.happened('brokerRestarted', death + 1)
      }
      await faulty.close()
    },
  )

  test('goes on while brokers die, and their successors are chosen although memory is full', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3, logMemoryBytes: 24 * MEBIBYTE, restarts: UNLIMITED })
    const { millrace } = faulty
    const filler = await bytesTopic(millrace, 'filler')
    await fill(faulty, filler, (24 * MEBIBYTE) / RECORD_BYTES)
    const topic = await bytesTopic(millrace, 'load', { partitions: 4 })
    await killLeaders(faulty, topic, {
      seed: SEED,
      rounds: 6,
      bytesMax: 60_000,
      kill: async (_, leader) => {
        await fill(faulty, filler, 500)
        await faulty.kill(leader)
        tally.kills++
      },
    })
    const [partition] = (await millrace.admin.describeTopic('filler')).partitions
    expect(partition!.trimmedRecords).toBeGreaterThan(0)
    await faulty.close()
  })
})
