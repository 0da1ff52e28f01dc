// Closing: twice, under load, with brokers dead or dying. It always ends, every call ends
// with it, and nothing that was acknowledged is missing.

import { describe, expect, test } from 'vitest'
import { FIRST_TOPIC_SLOT } from '../../src/metadata/metadata-records.ts'
import { AttachedWorker } from './attached-worker.ts'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'

/** C7 asks for one second; the machine may be busy. */
const CLOSE_MS_MAX = 4_000

/** Sends as fast as it may until the producer is closed; resolves with the ledger when every send has its outcome. */
async function sendUntilClosed(faulty: FaultyMillrace, topic: BytesTopic): Promise<SentLedger> {
  const ledger = new SentLedger()
  const producer = faulty.millrace.producer()
  const loop = async (partition: number): Promise<void> => {
    for (;;) {
      const outcome = await ledger.send(producer, topic, partition, 500)
      if (typeof outcome !== 'number' && !outcome.retriable) return
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, i) => loop(i % topic.partitions)))
  return ledger
}

/** Every acknowledged offset lies below the watermark that was published. */
function expectAckedPublished(faulty: FaultyMillrace, ledger: SentLedger): void {
  expect(ledger.pending).toBe(0)
  for (const [partition, offset] of ledger.highestAcked()) {
    // The first rows of the partition table are the metadata log's and its snapshots'.
    expect(faulty.engine.controlBlock(FIRST_TOPIC_SLOT + partition).highWatermark).toBeGreaterThan(offset)
  }
}

test('two calls of close are one, for each that can be closed', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 2 })
  const { millrace } = faulty
  const topic = await bytesTopic(millrace, 't')
  const producer = millrace.producer()
  const consumer = millrace.consumer()
  const batches = consumer.batches(topic)
  const waiting = batches.next()
  const sent = producer.send(topic, { value: new Uint8Array(1) })
  await Promise.all([producer.close(), producer.close()])
  expect((await sent).offset).toBe(0)
  expect((await waiting).done).toBe(false)
  await Promise.all([consumer.close(), consumer.close()])
  expect((await batches.next()).done).toBe(true)
  const first = millrace.close()
  expect(millrace.close()).toBe(first)
  await first
  await millrace.close()
  await producer.close()
  await consumer.close()
  expect(() => producer.offer(topic, null, new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  expect(() => consumer.batches(topic)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  expect(() => millrace.producer()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  await expect(millrace.topic('t')).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(millrace.admin.listTopics()).rejects.toMatchObject({ code: 'CLOSED' })
  expect(faulty.bells.liveCount).toBe(0)
})

describe.each([{ brokers: 3 }, { brokers: 1 }])('with $brokers broker(s)', ({ brokers }) => {
  test('under load: every send ends, none that was acknowledged is missing', async () => {
    const faulty = await FaultyMillrace.open({ brokers })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 4 })
    const sending = sendUntilClosed(faulty, topic)
    const reader = faulty.millrace.consumer().batches(topic)
    for (let i = 0; i < 5; i++) await reader.next()
    const startMs = performance.now()
    await faulty.close()
    expect(performance.now() - startMs).toBeLessThan(CLOSE_MS_MAX)
    const ledger = await sending
    expectAckedPublished(faulty, ledger)
    // What was taken before was flushed: only calls that came after were refused.
    for (const failure of ledger.failures) expect(failure.code).toBe('CLOSED')
    expect((await reader.next()).done).toBe(true)
  })

  test('while other threads send at full speed', async () => {
    const faulty = await FaultyMillrace.open({ brokers })
    await bytesTopic(faulty.millrace, 't', { partitions: 2 })
    const data = { handle: faulty.millrace.handle, role: 'producer', topic: 't' } as const
    const threads = [0, 1].map((partition) => new AttachedWorker({ ...data, partition, producerNumber: partition }))
    await Promise.all(threads.map((thread) => thread.doneAtLeast(100)))
    const startMs = performance.now()
    await faulty.close()
    expect(performance.now() - startMs).toBeLessThan(CLOSE_MS_MAX)
    for (const thread of threads) await expect(thread.ended()).rejects.toMatchObject({ code: 'CLOSED' })
    for (const partition of [0, 1]) {
      expect(faulty.engine.controlBlock(FIRST_TOPIC_SLOT + partition).highWatermark).toBeGreaterThanOrEqual(threads[partition]!.done)
    }
  })

  test('while other threads offer what is sent once: they are told that it is closed, not that brokers died', async () => {
    for (let round = 0; round < 5; round++) {
      const faulty = await FaultyMillrace.open({ brokers, logMemoryBytes: 32 * 1024 * 1024 })
      await bytesTopic(faulty.millrace, 't', { partitions: 2 })
      const data = { handle: faulty.millrace.handle, role: 'offerer', topic: 't' } as const
      const threads = [0, 1].map((partition) => new AttachedWorker({ ...data, partition, producerNumber: partition }))
      await Promise.all(threads.map((thread) => thread.doneAtLeast(1_000)))
      await faulty.close()
      for (const thread of threads) await expect(thread.ended()).rejects.toMatchObject({ code: 'CLOSED' })
    }
  })

  test('while brokers are dead, dying or starting', async () => {
    for (const instant of ['at once', 'dead', 'starting', 'started'] as const) {
      const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
      const topic = await bytesTopic(faulty.millrace, 't', { partitions: 4 })
      const sending = sendUntilClosed(faulty, topic)
      const victims = Array.from({ length: brokers }, (_, id) => id)
      const { incarnation } = faulty.broker(0)
      const dying = victims.map((id) => faulty.cluster.terminateBroker(id))
      if (instant !== 'at once') await faulty.died(0, incarnation)
      if (instant === 'starting') await new Promise((resolve) => setImmediate(resolve))
      if (instant === 'started') await faulty.happened('brokerRestarted', brokers)
      // Records that no broker takes any more are told by close, unless their sends told it.
      await faulty.close({ timeoutMs: 300 })
      await Promise.all(dying)
      expectAckedPublished(faulty, await sending)
    }
  })
})

test('offers that nobody could take any more are told by close', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 1 })
  const topic = await bytesTopic(faulty.millrace, 't')
  const producer = faulty.millrace.producer()
  await producer.send(topic, { value: new Uint8Array(1) })
  faulty.faults.arm(0, 'log.append.claimed', 'park')
  producer.offer(topic, null, new Uint8Array(1))
  await faulty.faults.bitten(0, 0)
  await expect(faulty.close({ timeoutMs: 50 })).rejects.toMatchObject({
    code: 'CLOSED',
    message: expect.stringContaining('1 record(s) of t-0') as string,
  })
})
