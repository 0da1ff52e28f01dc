// Topics that are deleted while they are written and read, and brokers that die over it:
// who waits is told, all memory and every row comes back, and everybody knows.

import { afterAll, describe, expect, test } from 'vitest'
import type { Producer } from '../../src/client/producer/producer.ts'
import { attachMillrace } from '../../src/index.ts'
import type { MillraceError } from '../../src/errors.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { GRANULE_BYTES } from '../../src/log/log-memory-layout.ts'
import { UNLIMITED, report, tally } from './fault-rounds.ts'
import type { FaultAction } from './fault-words.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'

const SEED = 0xde1
const GONE = { code: 'UNKNOWN_TOPIC_ID', retriable: false }

afterAll(() => console.log(report('deleted topics', SEED)))

/** Bytes of log memory that partitions hold, the metadata log's aside. */
function heldBytes(faulty: FaultyMillrace): number {
  const { memory } = faulty.engine
  let granules = 0
  for (let slot = 2; slot < memory.slotsHigh; slot++) granules += memory.holdings(slot) >> 2
  return granules * GRANULE_BYTES
}

/** Sends until the leader has heard that it must refuse. */
async function untilRefused(producer: Producer, topic: BytesTopic, record: { value: Uint8Array<ArrayBuffer> }): Promise<unknown> {
  for (;;) {
    const error: unknown = await producer.send(topic, record).then(
      () => undefined,
      (refused: unknown) => refused,
    )
    if (error !== undefined) return error
  }
}

test('under load: producers and readers are told, on every thread', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3 })
  const { millrace, engine } = faulty
  const attached = await attachMillrace(millrace.handle)
  const topic = await bytesTopic(millrace, 't', { partitions: 3 })
  const there = await bytesTopic(attached, 't', { partitions: 3 })
  const heard: string[] = []
  const leave = engine.onMetadata((delta) => {
    for (const { name } of delta.deletedTopics()) heard.push(name)
  })
  const reading = (async () => {
    for await (const batch of attached.consumer().batches(there)) if (batch.partition < 0) break
  })()
  reading.catch(() => undefined)
  const producer = millrace.producer()
  const outcomes: Promise<unknown>[] = []
  const send = (): void => void outcomes.push(producer.send(topic, { value: new Uint8Array(500) }).catch((error: MillraceError) => error))
  for (let i = 0; i < 200; i++) send()
  await Promise.all(outcomes)
  for (let i = 0; i < 200; i++) send()
  await engine.deleteTopic({ name: 't' })
  for (let i = 0; i < 20; i++) send()
  const after = (await Promise.all(outcomes)).slice(-20)
  for (const outcome of after) expect(outcome).toMatchObject(GONE)
  await expect(reading).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
  expect(await millrace.admin.listTopics()).toEqual([])
  expect(await attached.admin.listTopics()).toEqual([])
  while (heard.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual(['t'])
  leave()
  while (heldBytes(faulty) > 0) await new Promise((resolve) => setImmediate(resolve))
  await expect(engine.deleteTopic({ name: 't' })).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })

  // Made again it is another topic, empty, under the same name.
  const again = await bytesTopic(millrace, 't', { partitions: 3 })
  expect(again.topicId).not.toBe(topic.topicId)
  const ledger = new SentLedger()
  for (let i = 0; i < 6; i++) expect(await ledger.send(producer, again, i % 3)).toBe(Math.floor(i / 3))
  await ledger.verify(millrace, again)
  await expect(producer.send(topic, { value: new Uint8Array(1) })).rejects.toMatchObject(GONE)
  await attached.close()
  await faulty.close()
})

test('rows and memory come back, however often', async () => {
  // Room for 20 partitions at a time.
  const faulty = await FaultyMillrace.open({ brokers: 3, logMemoryBytes: 24 * 1024 * 1024, partitionsMax: 22 })
  const { millrace, engine } = faulty
  for (let round = 0; round < 30; round++) {
    const topic = await bytesTopic(millrace, `t-${round}`, { partitions: 12, config: { 'retention.bytes': -1 } })
    const producer = millrace.producer()
    const sent = Array.from({ length: 24 }, (_, i) => producer.send(topic, { value: new Uint8Array(100_000), partition: i % 12 }))
    await Promise.all(sent)
    await producer.close()
    if (round % 2 === 0) await engine.deleteTopic({ name: topic.name })
    else await engine.deleteTopic({ topicId: engine.metadata.topic(topic.name)!.topicId })
  }
  expect(engine.memory.slotsHigh).toBeLessThanOrEqual(22)
  await faulty.close()
})

describe.each<KillPoint>(['broker.delete.answered', 'broker.delete.freed'])('a leader dies at %s', (point) => {
  test.each<FaultAction>(['park', 'throw', 'exit'])('by: %s', async (action) => {
    const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED, partitionsMax: 10 })
    const { millrace, engine } = faulty
    for (const [round, victim] of [1, 0, 2].entries()) {
      // More partitions than are free, unless those of the round before came back.
      const topic = await bytesTopic(millrace, `t-${round}`, { partitions: 6 })
      const ledger = new SentLedger()
      const producer = millrace.producer()
      for (let i = 0; i < 30; i++) await ledger.sendUntilAcked(producer, topic, i % 6, 2_000)
      const { incarnation } = faulty.broker(victim)
      const seen = faulty.faults.bites(victim)
      faulty.faults.arm(victim, point, action)
      const deleted = engine.deleteTopic({ name: topic.name })
      await faulty.faults.bitten(victim, seen)
      if (action === 'park') await faulty.kill(victim)
      await faulty.died(victim, incarnation)
      tally.kills++
      await deleted
      await faulty.happened('brokerRestarted', round + 1)
      expect(await millrace.admin.listTopics()).toEqual([])
      while (heldBytes(faulty) > 0) await new Promise((resolve) => setImmediate(resolve))
      await producer.close()
    }
    await faulty.close()
  })
})

test('a leader that is dead already, with the only broker: the next one sweeps what is left', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 1, restarts: UNLIMITED })
  const { millrace, engine } = faulty
  const topic = await bytesTopic(millrace, 't', { partitions: 2 })
  const ledger = new SentLedger()
  const producer = millrace.producer()
  for (let i = 0; i < 10; i++) await ledger.send(producer, topic, i % 2, 2_000)
  // It dies when the record stands in the log and nobody has seen it.
  faulty.faults.arm(0, 'controller.appended', 'exit')
  await engine.deleteTopic({ name: 't' })
  await faulty.died(0, 1)
  tally.kills++
  while (heldBytes(faulty) > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(await millrace.admin.listTopics()).toEqual([])
  await faulty.close()
})

test('configs and partitions of a topic under load change without a loss', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3 })
  const { millrace, engine } = faulty
  const topic = await bytesTopic(millrace, 't', { partitions: 2 })
  const ledger = new SentLedger()
  const producer = millrace.producer()
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < 100; i++) sends.push(ledger.send(producer, topic, i % 2, 1_000))
  const resource = { type: 'topic', name: 't' } as const
  await engine.alterConfigs({ resource, ops: [{ op: 'SET', name: 'max.message.bytes', value: '3000' }], validateOnly: true })
  expect((await millrace.admin.describeTopic('t')).config).toEqual({})
  await engine.alterConfigs({ resource, ops: [{ op: 'SET', name: 'max.message.bytes', value: '3000' }] })
  for (let i = 0; i < 100; i++) sends.push(ledger.send(producer, topic, i % 2, 100))
  await Promise.all(sends)
  expect((await millrace.admin.describeTopic('t')).config).toEqual({ 'max.message.bytes': '3000' })
  await ledger.verify(millrace, topic)
  await expect(producer.send(topic, { value: new Uint8Array(9_000), partition: 0 })).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  // What a topic does not say itself, brokers say: all of them, and before that the one that leads.
  const other = await bytesTopic(millrace, 'other', { partitions: 1 })
  const alter = (name: string, value: string): Promise<void> =>
    engine.alterConfigs({ resource: { type: 'broker', name }, ops: [{ op: 'SET', name: 'message.max.bytes', value }] })
  const { leader } = (await engine.describeTopic('other'))!.partitions[0]!
  const tooLarge = { value: new Uint8Array(5_000) }
  await alter('', '2000')
  await expect(untilRefused(producer, other, tooLarge)).resolves.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  await alter(String(leader), '6000')
  let sent: unknown
  do sent = await producer.send(other, tooLarge).catch(() => undefined)
  while (sent === undefined)
  await expect(producer.send(topic, { value: new Uint8Array(9_000), partition: 0 })).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })

  await expect(engine.createPartitions({ name: 't', partitions: 2 })).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' })
  await engine.createPartitions({ name: 't', partitions: 5, validateOnly: true })
  expect((await engine.describeTopic('t'))!.partitions).toHaveLength(2)
  expect((await engine.createPartitions({ name: 't', partitions: 5 })).partitions).toHaveLength(5)
  const grown = await bytesTopic(millrace, 't')
  expect(grown.partitions).toBe(5)
  const next = millrace.producer()
  for (let partition = 0; partition < 5; partition++) await next.send(grown, { value: new Uint8Array(10), partition })

  const { clusterId, controllerId, brokers, metadataOffset } = engine.describeCluster()
  expect(clusterId).toMatch(/^[\w-]{22}$/)
  expect(controllerId).toBe(faulty.activeController)
  expect(brokers).toMatchObject([0, 1, 2].map((brokerId) => ({ brokerId, brokerEpoch: 1, fenced: false })))
  expect(metadataOffset).toBe(faulty.engine.controlBlock(0).highWatermark)
  await faulty.close()
})
