// Positions and offsets across 2^31, 2^32 and up to 2^53 - 1, through the public road: lanes
// start near the edge, and a log whose last leader left it there.

import { describe, expect, test } from 'vitest'
import { FIRST_TOPIC_SLOT } from '../../src/metadata/metadata-records.ts'
import { KAFKA_ERRORS, kafkaErrorName } from '../../src/errors.ts'
import type { Overtaken } from '../../src/index.ts'
import { AttachedWorker } from './attached-worker.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'

/** Lane positions are counted in units of 8 bytes and wrap as Int32. */
const UNIT_BYTES = 8

describe('lanes', () => {
  test.each([
    { name: '2^31 bytes', start: 2 ** 31 },
    { name: '2^32 bytes', start: 2 ** 32 },
    { name: '2^31 units', start: 2 ** 31 * UNIT_BYTES },
    { name: '2^32 units', start: 2 ** 32 * UNIT_BYTES },
  ])('pass $name', async ({ start }) => {
    // The edge comes after some records, in the middle of a batch or of a padding.
    const laneStartPosition = start - 40_000
    const faulty = await FaultyMillrace.open({ brokers: 2, attach: { laneStartPosition } })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 2 })
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 200 }, (_, i) => ledger.send(producer, topic, i % 2, (round * 97 + i * 31) % 3_000)))
    }
    expect(ledger.acked).toBe(4_000)
    await ledger.verify(faulty.millrace, topic)
    await faulty.close()
  })
})

describe('offsets', () => {
  /** A topic whose log ends at an offset: its leader is dead, and its successor opens it there. */
  async function openAt(faulty: FaultyMillrace, offset: number): Promise<Awaited<ReturnType<typeof bytesTopic>>> {
    const topic = await bytesTopic(faulty.millrace, 't')
    // The first rows of the partition table are the metadata log's and its snapshots'.
    const control = faulty.engine.controlBlock(FIRST_TOPIC_SLOT)
    control.publishLogStart(offset)
    control.publishMemoryStart(offset)
    control.publishLogEnd(offset)
    control.publishDurableEnd(offset)
    control.publishHighWatermark(offset)
    control.publishLastStable(offset)
    await faulty.kill(0)
    await faulty.happened('brokerRestarted', 1)
    return topic
  }

  test.each([
    { name: '2^31', edge: 2 ** 31 },
    { name: '2^32', edge: 2 ** 32 },
    { name: '2^40', edge: 2 ** 40 },
  ])('pass $name', async ({ edge }) => {
    const faulty = await FaultyMillrace.open()
    const topic = await openAt(faulty, edge - 500)
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    expect(await ledger.sendUntilAcked(producer, topic, 0)).toBe(edge - 500)
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 100 }, () => ledger.send(producer, topic, 0)))
    const [read] = await ledger.verify(faulty.millrace, topic)
    expect(read!.startOffset).toBe(edge - 500)
    expect(read!.sequences).toHaveLength(1_001)
    const consumer = faulty.millrace.consumer()
    consumer.seek(topic, 0, edge)
    for await (const record of consumer.records(topic, { until: 'end' })) {
      expect(record.offset).toBe(edge)
      break
    }
    // Another leader opens it behind the edge.
    await faulty.kill(0)
    expect(await ledger.sendUntilAcked(producer, topic, 0)).toBe(edge + 501)
    await ledger.verify(faulty.millrace, topic)
    await faulty.close()
  })

  test('just below 2^53 - 1: readers seek, are overtaken and count exactly', async () => {
    const faulty = await FaultyMillrace.open()
    const edge = Number.MAX_SAFE_INTEGER
    const topic = await openAt(faulty, edge - 4)
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    for (let i = 0; i < 4; i++) expect(await ledger.sendUntilAcked(producer, topic, 0)).toBe(edge - 4 + i)
    const consumer = faulty.millrace.consumer()
    const overtaken: Overtaken[] = []
    consumer.on('overtaken', (event) => overtaken.push(event))
    /** The offsets that are read from there to the end. */
    const readFrom = async (offset: number): Promise<number[]> => {
      consumer.seek(topic, 0, offset)
      const offsets: number[] = []
      for await (const record of consumer.records(topic, { until: 'end' })) offsets.push(record.offset)
      expect(consumer.position(topic, 0)).toBe(edge)
      return offsets
    }
    expect(await readFrom(edge - 1)).toEqual([edge - 1])
    expect(await readFrom(edge)).toEqual([])
    expect(overtaken).toEqual([])
    expect(await readFrom(0)).toEqual([edge - 4, edge - 3, edge - 2, edge - 1])
    expect(overtaken).toEqual([{ topic: 't', partition: 0, missed: edge - 4, from: 0, to: edge - 4 }])
    expect(() => consumer.seek(topic, 0, edge + 1)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    await consumer.close()
    await faulty.close()
  })

  test.each([
    { name: '2^31', edge: 2 ** 31 },
    { name: '2^32', edge: 2 ** 32 },
    { name: '2^53 - 401', edge: Number.MAX_SAFE_INTEGER - 400 },
  ])('pass $name while a reader on another thread follows, and a leader dies at each point', async ({ edge }) => {
    const faulty = await FaultyMillrace.open({ restarts: { maxRestarts: 100 } })
    const topic = await openAt(faulty, edge - 60)
    const reader = new AttachedWorker({ handle: faulty.millrace.handle, role: 'consumer', topic: 't', partition: 0, producerNumber: 0 })
    await reader.atWork()
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    const points = ['log.append.copied', 'log.append.ended', 'log.append.published', 'lane.reader.taken'] as const
    for (const point of points) {
      for (let i = 0; i < 20; i++) await ledger.sendUntilAcked(producer, topic, 0)
      const { incarnation } = faulty.broker(0)
      faulty.faults.arm(0, point, 'exit')
      const sent = ledger.send(producer, topic, 0)
      await faulty.died(0, incarnation)
      await sent
    }
    for (let i = 0; i < 20; i++) await ledger.sendUntilAcked(producer, topic, 0)
    const [read] = await ledger.verify(faulty.millrace, topic)
    expect(read!.startOffset).toBe(edge - 60)
    expect(read!.startOffset + read!.sequences.length).toBeGreaterThan(edge)
    await reader.doneAtLeast(read!.sequences.length)
    await reader.terminate()
    await faulty.close()
  })

  test('end before 2^53 - 1, with an error and not with a wrong offset', async () => {
    const faulty = await FaultyMillrace.open()
    const edge = Number.MAX_SAFE_INTEGER
    const topic = await openAt(faulty, edge - 2)
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    expect(await ledger.sendUntilAcked(producer, topic, 0)).toBe(edge - 2)
    expect(await ledger.sendUntilAcked(producer, topic, 0)).toBe(edge - 1)
    await expect(producer.send(topic, { value: new Uint8Array(12) })).rejects.toMatchObject({
      code: kafkaErrorName(KAFKA_ERRORS.UNKNOWN_SERVER_ERROR),
      retriable: false,
    })
    await ledger.verify(faulty.millrace, topic)
    expect((await faulty.millrace.admin.describeTopic('t')).partitions[0]!.endOffset).toBe(edge)
    await faulty.close()
  })
})
