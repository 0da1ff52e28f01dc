// A broker thread that stands still is not dead: nothing is adopted from it, nobody else
// waits for it longer than they said they would, and when it moves again all goes on.

import { afterAll, describe, expect, test } from 'vitest'
import { openMillrace } from '../../src/index.ts'
import { AttachedWorker } from './attached-worker.ts'
import { UNLIMITED, tally } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { LiveReader } from './live-reader.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'

let stalls = 0

afterAll(() => console.log(`stalled brokers: ${stalls} stalls that bit; given up: ${tally.kills} kills`))

/** The broker stands still in the middle of its next append. */
async function stall(faulty: FaultyMillrace, brokerId: number, provoke: () => unknown): Promise<void> {
  const seen = faulty.faults.bites(brokerId)
  faulty.faults.arm(brokerId, 'log.append.copied', 'park')
  provoke()
  await faulty.faults.bitten(brokerId, seen)
  stalls++
}

describe('a broker that stands still', () => {
  test('holds up its own partitions alone; sends end with their delivery timeout; then it goes on', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3 })
    const { millrace } = faulty
    const topic = await bytesTopic(millrace, 't', { partitions: 3 })
    const ledger = new SentLedger()
    const reader = new LiveReader(millrace, topic)
    const patient = millrace.producer()
    const hasty = millrace.producer({ deliveryTimeoutMs: 200 })
    for (let i = 0; i < 30; i++) await ledger.send(patient, topic, i % 3)

    let waiting = ledger.send(patient, topic, 1)
    await stall(faulty, 1, () => undefined)
    for (let i = 0; i < 100; i++) expect(await ledger.send(patient, topic, i % 2 === 0 ? 0 : 2)).toBeTypeOf('number')
    const hurried = await Promise.all([1, 2, 3].map(() => ledger.send(hasty, topic, 1, 100, 1)))
    for (const outcome of hurried) {
      expect(outcome).toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: true, message: expect.stringMatching(/broker 1/) as string })
    }
    // Calls that need no broker, or another one, are not held up.
    expect(await millrace.admin.listTopics()).toEqual(['t'])
    expect(ledger.pending).toBe(1)
    expect(faulty.events).toEqual([])

    faulty.faults.go(1)
    expect(await waiting).toBe(10)
    waiting = ledger.send(hasty, topic, 1, 100, 1)
    expect(await waiting).toBeTypeOf('number')
    await ledger.verify(millrace, topic)
    await reader.caughtUp(millrace)
    await reader.stop()
    await faulty.close()
  })

  test('holds up no failover, although it is to lead what another led', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
    const { millrace } = faulty
    // Broker 0 leads two partitions, so broker 1 gets what broker 2 leads.
    const topic = await bytesTopic(millrace, 't', { partitions: 4 })
    const ledger = new SentLedger()
    const producer = millrace.producer()
    for (let i = 0; i < 40; i++) await ledger.send(producer, topic, i % 4)
    await stall(faulty, 1, () => void ledger.send(producer, topic, 1))
    await faulty.kill(2)
    await faulty.happened('brokerRestarted', 1)
    const orphan = ledger.sendUntilAcked(producer, topic, 2)
    // The controller does not wait for the one that stands still.
    const other = await bytesTopic(millrace, 'other', { partitions: 1 })
    await ledger.sendUntilAcked(producer, topic, 0)
    expect((await producer.send(other, { value: new Uint8Array(1) })).offset).toBe(0)
    faulty.faults.go(1)
    await orphan
    for (let i = 0; i < 40; i++) await ledger.sendUntilAcked(producer, topic, i % 4)
    await ledger.verify(millrace, topic)
    const { partitions } = await millrace.admin.describeTopic('t')
    expect(partitions[2]).toMatchObject({ leader: 1, leaderEpoch: 1 })
    await faulty.close()
  })

  test("is the controller's: commands end with their timeout, sends elsewhere go on, and topics are known all the same", async () => {
    const faulty = await FaultyMillrace.open({ brokers: 2, attach: { controlTimeoutMs: 200 } })
    const { millrace } = faulty
    const topic = await bytesTopic(millrace, 't', { partitions: 2 })
    const ledger = new SentLedger()
    const producer = millrace.producer()
    // Its producer id, too, the controller's broker appends.
    await ledger.send(producer, topic, 1)
    const waiting = ledger.send(producer, topic, 0)
    await stall(faulty, 0, () => undefined)
    await expect(millrace.topic('new')).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: true })
    expect(await millrace.admin.describeTopic('t')).toMatchObject({ name: 't', partitions: [{ leader: 0 }, { leader: 1 }] })
    expect(await ledger.send(producer, topic, 1)).toBe(1)
    faulty.faults.go(0)
    expect(await waiting).toBe(0)
    await millrace.topic('new')
    await faulty.close()
  })

  test('is not waited for at closing longer than said', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 2 })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 2 })
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    const waiting = ledger.send(producer, topic, 1)
    await stall(faulty, 1, () => undefined)
    await faulty.close({ timeoutMs: 100 })
    expect(await waiting).toMatchObject({ code: 'CLOSED' })
  })
})

describe('a broker that dies over and over', () => {
  test('is given up; when none is left, everything that waits and every later call fails, saying so', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 1, restarts: { maxRestarts: 2 } })
    const { millrace } = faulty
    const topic = await bytesTopic(millrace, 't')
    const ledger = new SentLedger()
    const producer = millrace.producer()
    await ledger.send(producer, topic, 0)
    const thread = new AttachedWorker({ handle: millrace.handle, role: 'consumer', topic: 't', partition: 0, producerNumber: 0 })
    await thread.doneAtLeast(1)
    const consumer = millrace.consumer()
    const iterator = consumer.batches(topic)
    await iterator.next()
    const nextBatch = iterator.next()
    nextBatch.catch(() => undefined)
    for (let death = 0; death < 3; death++) {
      await faulty.happened('brokerRestarted', death)
      await faulty.kill(0)
      tally.kills++
    }
    await faulty.happened('brokerGivenUp', 1)
    const gone = { code: 'BROKER_NOT_AVAILABLE', retriable: false, message: expect.stringMatching(/died too often/) as string }
    await expect(nextBatch).rejects.toMatchObject(gone)
    await expect(thread.ended()).rejects.toMatchObject(gone)
    await expect(producer.send(topic, { value: new Uint8Array(1) })).rejects.toMatchObject({ code: 'CLOSED', retriable: false })
    await expect(millrace.topic('new')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(millrace.admin.listTopics()).rejects.toMatchObject(gone)
    await faulty.close()
  })

  test('with records on their way: they fail, saying so', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 1, restarts: { maxRestarts: 0 } })
    const topic = await bytesTopic(faulty.millrace, 't')
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    await ledger.send(producer, topic, 0)
    const dead = faulty.kill(0)
    // In flight, or waiting for a leader: which of them is chance.
    const outcomes = Promise.all(Array.from({ length: 20 }, () => ledger.send(producer, topic, 0)))
    await dead
    tally.kills++
    for (const outcome of await outcomes) {
      if (typeof outcome !== 'number') expect(outcome.code).toBe('BROKER_NOT_AVAILABLE')
    }
    expect(ledger.failures.length).toBeGreaterThan(0)
    await faulty.close()
  })

  test('is given up alone: the others lead on, and its partitions too', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3, restarts: { maxRestarts: 1 } })
    const { millrace } = faulty
    const topic = await bytesTopic(millrace, 't', { partitions: 3 })
    const ledger = new SentLedger()
    const producer = millrace.producer()
    for (let death = 0; death < 2; death++) {
      await faulty.happened('brokerRestarted', death)
      await faulty.kill(0)
      tally.kills++
      for (let i = 0; i < 12; i++) await ledger.sendUntilAcked(producer, topic, i % 3)
    }
    await faulty.happened('brokerGivenUp', 1)
    const other = await bytesTopic(millrace, 'other', { partitions: 4 })
    for (let partition = 0; partition < 4; partition++) await producer.send(other, { value: new Uint8Array(1), partition })
    await ledger.verify(millrace, topic)
    const leaders = (await millrace.admin.describeTopic('other')).partitions.map(({ leader }) => leader)
    expect(new Set(leaders)).toEqual(new Set([1, 2]))
    await faulty.close()
  })

  test('never starts: opening fails, saying why, and leaves nothing behind', async () => {
    const workerUrl = new URL('data:text/javascript,throw new Error("this entry does not start")')
    await expect(openMillrace({ brokers: 3, workerUrl, logLevel: 'silent' })).rejects.toMatchObject({
      code: 'BROKER_NOT_AVAILABLE',
      message: expect.stringMatching(/did not start: .*this entry does not start/) as string,
    })
  })
})
