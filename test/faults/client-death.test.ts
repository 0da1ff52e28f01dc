// Threads of users that are terminated at any instant: nobody else is harmed, what they
// had published is in the log, their lanes and their bells are given back.

import { afterAll, describe, expect, test } from 'vitest'
import { Bells, THREAD_KIND_BROKER, THREAD_KIND_CLIENT } from '../../src/bells.ts'
import { BrokerLanes } from '../../src/broker/broker-lanes.ts'
import { allocateLane } from '../../src/lane/lane.ts'
import { LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'
import { AttachedWorker } from './attached-worker.ts'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { LiveReader } from './live-reader.ts'
import { SentLedger, bytesTopic, readAll } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'
import { SteadyLoad } from './steady-load.ts'

const SEED = 0xc11e
const AT_ONCE = 3
let kills = 0
let published = 0

afterAll(() =>
  console.log(`client deaths, seed ${SEED}: ${kills} threads terminated, each at work; ${published} records of theirs in the log`),
)

/** Runs `kill` for 0 to `count` - 1, some at a time. */
async function eachOf(count: number, kill: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const run = async (): Promise<void> => {
    while (next < count) await kill(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
}

/** Resolves when only the brokers and this thread hold a bell; fails by the test's timeout. */
async function onlyOurBells(faulty: FaultyMillrace, brokers: number): Promise<void> {
  while (faulty.bells.liveCount !== brokers + 1) await new Promise((resolve) => setImmediate(resolve))
}

/** How many records of each producer are in the topic; each producer's are a prefix of what it sent. */
async function prefixes(faulty: FaultyMillrace, topic: BytesTopic): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  for (const { sequences } of await readAll(faulty.millrace.consumer(), topic)) {
    for (const { producer, sequence } of sequences) {
      expect(sequence).toBe(counts.get(producer) ?? 0)
      counts.set(producer, sequence + 1)
    }
  }
  return counts
}

describe.each([{ brokers: 3 }, { brokers: 1 }])('with $brokers broker(s), beside producers and readers that go on', ({ brokers }) => {
  test('producers die at their kill points and at random instants', async () => {
    const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
    const { millrace } = faulty
    const random = seededRandom(SEED)
    const dying = await bytesTopic(millrace, 'dying', { partitions: 4 })
    const living = await bytesTopic(millrace, 'living', { partitions: 4 })
    const ledger = new SentLedger()
    const reader = new LiveReader(millrace, living)
    const load = new SteadyLoad({ producer: millrace.producer(), topic: living, ledger })
    const points: readonly (KillPoint | undefined)[] = ['lane.writer.claimed', 'lane.writer.copied', 'lane.writer.published', undefined]
    const acked: number[] = []
    await eachOf(12, async (index) => {
      const point = points[index % points.length]
      const passing = 1 + random.below(30)
      const at = point === undefined ? {} : { point, passing }
      const data = {
        handle: millrace.handle,
        role: 'producer',
        topic: 'dying',
        partition: index % 4,
        producerNumber: index,
        ...at,
      } as const
      const thread = new AttachedWorker(data)
      if (point === undefined) await thread.doneAtLeast(1 + random.below(200))
      else await thread.stands()
      await thread.terminate()
      kills++
      acked[index] = thread.done
      expect(thread.failed).toBe(0)
      await load.progress()
    })
    await onlyOurBells(faulty, brokers)
    // Nothing that a broker does afterwards is for the dead.
    await load.progress()
    await load.stop()
    const counts = await prefixes(faulty, dying)
    for (const [index, count] of acked.entries()) expect(counts.get(index) ?? 0).toBeGreaterThanOrEqual(count)
    for (const count of counts.values()) published += count
    await ledger.verify(millrace, living)
    expect(ledger.failures).toEqual([])
    await reader.caughtUp(millrace)
    await reader.stop()
    expect(faulty.events).toEqual([])
    await faulty.close()
  })

  test('consumers die at random instants, some while they wait', async () => {
    const faulty = await FaultyMillrace.open({ brokers })
    const { millrace } = faulty
    const random = seededRandom(SEED + 1)
    const topic = await bytesTopic(millrace, 'living', { partitions: 2 })
    const ledger = new SentLedger()
    const reader = new LiveReader(millrace, topic)
    const producer = millrace.producer()
    for (let i = 0; i < 200; i++) await ledger.send(producer, topic, i % 2)
    // The first half finds nothing more to read and waits; then there is a load.
    const data = { handle: millrace.handle, role: 'consumer', topic: 'living', partition: 0, producerNumber: 0 } as const
    await eachOf(4, async () => {
      const thread = new AttachedWorker(data)
      await thread.doneAtLeast(200)
      await thread.terminate()
      kills++
    })
    const load = new SteadyLoad({ producer, topic, ledger })
    await eachOf(6, async () => {
      const thread = new AttachedWorker(data)
      await thread.doneAtLeast(1 + random.below(2_000))
      await thread.terminate()
      kills++
      await load.progress()
    })
    await onlyOurBells(faulty, brokers)
    await load.stop()
    await ledger.verify(millrace, topic)
    expect(ledger.failures).toEqual([])
    await reader.caughtUp(millrace)
    await reader.stop()
    await faulty.close()
  })
})

test('a thread that closes what it has attached leaves nothing behind either', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 2 })
  const topic = await bytesTopic(faulty.millrace, 't')
  const data = { handle: faulty.millrace.handle, topic: 't', partition: 0 } as const
  const consumer = new AttachedWorker({ ...data, role: 'consumer', producerNumber: 0 })
  const producer = new AttachedWorker({ ...data, role: 'producer', producerNumber: 1 })
  await producer.doneAtLeast(100)
  await consumer.doneAtLeast(50)
  await consumer.finish()
  await producer.finish()
  await onlyOurBells(faulty, 2)
  expect((await prefixes(faulty, topic)).get(1)).toBe(producer.done)
  await faulty.close()
})

test('the opener closes: attached threads are told and end by themselves', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 2 })
  await bytesTopic(faulty.millrace, 't')
  const data = { handle: faulty.millrace.handle, topic: 't', partition: 0 } as const
  const consumer = new AttachedWorker({ ...data, role: 'consumer', producerNumber: 0 })
  const producer = new AttachedWorker({ ...data, role: 'producer', producerNumber: 1 })
  await Promise.all([producer.doneAtLeast(10), consumer.doneAtLeast(10)])
  await faulty.close()
  // What they await rejects with CLOSED, which nobody catches there, and so ends them.
  await expect(consumer.ended()).rejects.toMatchObject({ code: 'CLOSED', message: expect.stringContaining('has closed it') as string })
  await expect(producer.ended()).rejects.toMatchObject({ code: 'CLOSED' })
})

describe('the lanes of a client that is gone', () => {
  const handler = { onBatch: () => void taken++, onCorruptLane: () => undefined }
  let taken = 0

  function lane(bells: Bells): { buffer: SharedArrayBuffer; writer: LaneWriter } {
    const [broker, client] = [bells.claim(THREAD_KIND_BROKER), bells.claim(THREAD_KIND_CLIENT)]
    bells.release(broker.id, broker.incarnation)
    bells.release(client.id, client.incarnation)
    const buffer = allocateLane({ capacityBytes: 8_192, ackSlots: 8, producerThread: client.id, brokerThread: broker.id })
    return { buffer, writer: new LaneWriter(buffer, () => false) }
  }

  test('are read to the end, and then dropped', () => {
    taken = 0
    const bells = new Bells(Bells.allocate())
    const lanes = new BrokerLanes(bells, handler)
    const client = { id: 1, incarnation: 1 }
    const { buffer, writer } = lane(bells)
    lanes.open(buffer, client)
    const batch = new Uint8Array(100)
    for (let i = 0; i < 3; i++) expect(writer.offer(batch, 0, 100)).toBe(OFFERED)
    lanes.clientGone(client)
    expect(lanes.poll()).toBe(3)
    expect([taken, lanes.size]).toEqual([3, 0])
    expect(writer.closedByBroker).toBe(true)
  })

  test('are told from those of a later client with the same thread id', () => {
    const bells = new Bells(Bells.allocate())
    const lanes = new BrokerLanes(bells, handler)
    const [old, later] = [
      { id: 1, incarnation: 1 },
      { id: 1, incarnation: 3 },
    ]
    lanes.open(lane(bells).buffer, old)
    lanes.open(lane(bells).buffer, later)
    lanes.clientGone(old)
    lanes.poll()
    expect(lanes.size).toBe(1)
  })
})
