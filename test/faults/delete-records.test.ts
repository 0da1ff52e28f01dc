// Records that are deleted up to offsets in the middle of batches, while producers send,
// readers read and leaders die: what is left begins where the answer said, and nothing of
// it is lost, doubled or torn.

import { afterAll, expect, test } from 'vitest'
import type { Millrace } from '../../src/client/millrace.ts'
import { seededRandom } from '../../src/random.ts'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { LiveReader } from './live-reader.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'

const SEED = 0xde1e
const counts = { deletions: 0, inBatch: 0, kills: 0 }

afterAll(() =>
  console.log(`deleted records, seed ${SEED}: ${counts.deletions} deletions, ${counts.inBatch} inside a batch, ${counts.kills} kills`),
)

/** The first record that can be read of a partition, and where its batch began. */
async function firstRecord(millrace: Millrace, topic: BytesTopic, partition: number): Promise<{ offset: number; baseOffset: number }> {
  const consumer = millrace.consumer()
  consumer.assign([{ topic, partition }])
  for await (const batch of consumer.batches(topic, { until: 'end' })) {
    const cursor = batch.cursor()
    cursor.next()
    const { buffer, byteOffset } = cursor.bytes
    const found = { offset: cursor.offset, baseOffset: Number(new DataView(buffer, byteOffset).getBigInt64(cursor.batchStart)) }
    await consumer.close()
    return found
  }
  throw new Error(`partition ${partition} is empty`)
}

test('under load, a reader, and deaths of the leader', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
  const { millrace } = faulty
  const { admin } = millrace
  const topic = await bytesTopic(millrace, 't', { partitions: 2, config: { 'retention.bytes': -1 } })
  const random = seededRandom(SEED)
  const ledger = new SentLedger()
  const producer = millrace.producer()
  const reader = new LiveReader(millrace, topic)
  const lowWatermarks = [0, 0]
  for (let round = 0; round < 24; round++) {
    const { partitions } = await admin.describeTopic('t')
    const killed = round % 4 === 3 ? faulty.kill(partitions[round % 2]!.leader) : undefined
    // Sends of one job are one batch, or a few when its leader dies.
    const sends = [0, 1].flatMap((partition) =>
      Array.from({ length: 25 }, () => ledger.send(producer, topic, partition, random.below(3_000))),
    )
    const before = partitions.map(({ startOffset, endOffset }) => startOffset + random.below(endOffset - startOffset + 1))
    const deleted = await admin.deleteRecords('t', { 0: before[0]!, 1: before[1]! })
    for (const { partition, lowWatermark } of deleted) {
      expect(lowWatermark).toBe(before[partition])
      lowWatermarks[partition] = lowWatermark
      counts.deletions++
    }
    expect((await admin.listOffsets('t', 'earliest')).map(({ offset }) => offset)).toEqual(lowWatermarks)
    await Promise.all(sends)
    if (killed !== undefined) {
      await killed
      counts.kills++
      for (const partition of [0, 1]) await ledger.sendUntilAcked(producer, topic, partition)
    }
    // A new reader begins there, and so did whoever led since.
    for (const [partition, lowWatermark] of lowWatermarks.entries()) {
      const first = await firstRecord(millrace, topic, partition)
      expect(first.offset).toBe(lowWatermark)
      if (first.baseOffset < lowWatermark) counts.inBatch++
    }
  }
  const read = await ledger.verify(millrace, topic)
  expect(read.map(({ startOffset }) => startOffset)).toEqual(lowWatermarks)
  await reader.caughtUp(millrace)
  await reader.stop()
  await faulty.close()
  expect(faulty.count('brokerDied')).toBe(counts.kills)
  expect(counts.inBatch).toBeGreaterThan(20)
})

test('a reader that stands in front of them goes on behind them, and hears how many it missed', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 1 })
  const { millrace } = faulty
  const topic = await bytesTopic(millrace, 't')
  const ledger = new SentLedger()
  const producer = millrace.producer()
  for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 20 }, () => ledger.send(producer, topic, 0, 2_000)))
  const consumer = millrace.consumer({ maxPartitionFetchBytes: 50_000 })
  const overtaken: unknown[] = []
  consumer.on('overtaken', (event) => overtaken.push(event))
  const batches = consumer.batches(topic, { until: 'end' })
  const first = (await batches.next()).value!
  expect(first.nextOffset).toBeLessThan(100)
  const next = first.nextOffset
  await millrace.admin.deleteRecords('t', { 0: 333 })
  const read: number[] = []
  for await (const batch of batches) for (const record of batch) read.push(record.offset)
  expect(overtaken).toMatchObject([{ topic: 't', partition: 0, missed: 333 - next, from: next, to: 333 }])
  expect(read).toEqual(Array.from({ length: 800 - 333 }, (_, i) => 333 + i))
  await ledger.verify(millrace, topic)
  await faulty.close()
})
