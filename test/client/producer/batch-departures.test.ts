import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BatchDepartures } from '../../../src/client/producer/batch-departures.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'
import type { TakenBatch } from './hand-driven-broker.ts'

let broker: HandDrivenBroker

beforeEach(() => {
  broker = new HandDrivenBroker()
})
afterEach(() => broker.close())

const KIB = 'x'.repeat(1_024)
const valuesOf = (batches: readonly TakenBatch[]): string[][] => batches.map(({ values }) => [...values])

describe('lingerMs 0', () => {
  test('a batch leaves when the current job ends: all of the job in one', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    for (const value of ['a', 'b', 'c']) producer.offer(topic, null, value)
    expect(broker.take()).toEqual([])
    await nextTurn()
    expect(valuesOf(broker.take())).toEqual([['a', 'b', 'c']])
  })

  test('a full batch leaves at once', () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic()
    for (let i = 0; i < 20; i++) producer.offer(topic, null, KIB)
    const [full, ...more] = broker.take()
    expect(full!.sizeInBytes).toBeLessThanOrEqual(16_384)
    expect(full!.values).toHaveLength(15)
    expect(more).toEqual([])
  })

  test('with several batches on their way, one that has room grows until they come back', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    for (let i = 0; i < 20; i++) {
      producer.offer(topic, null, `${i}`)
      await nextTurn()
    }
    const first = broker.take()
    expect(valuesOf(first)).toEqual([['0'], ['1'], ['2'], ['3'], ['4']])
    for (const batch of first) batch.ack()
    await nextTurn()
    expect(valuesOf(broker.take())).toEqual([Array.from({ length: 15 }, (_, i) => `${i + 5}`)])
  })

  test('one of each partition leaves, however many there are; behind it a batch that has room grows', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 40 })
    const offerAll = async (value: string): Promise<void> => {
      for (let partition = 0; partition < 40; partition++) producer.offer(topic, null, value, { partition })
      await nextTurn()
    }
    await offerAll('a')
    await offerAll('b')
    await offerAll('c')
    const first = broker.take()
    expect(valuesOf(first)).toEqual(Array.from({ length: 40 }, () => ['a']))
    for (const batch of first) batch.ack()
    await nextTurn()
    expect(valuesOf(broker.take())).toEqual(Array.from({ length: 40 }, () => ['b', 'c']))
  })

  test('full batches of many partitions: all leave, and each partition keeps its order', async () => {
    const producer = broker.producer({ batchSize: 4_096, bufferMemory: 1_048_576 })
    const topic = broker.topic({ partitions: 100 })
    const seen = new Map<number, string[]>()
    const serve = async (): Promise<void> => {
      for (const { partition, values } of await broker.serve()) seen.set(partition, [...(seen.get(partition) ?? []), ...values])
    }
    for (let i = 0; i < 2_000; i++) while (!producer.offer(topic, null, `${i} ${KIB}`, { partition: i % 100 })) await serve()
    const flushed = producer.flush()
    await serve()
    await flushed
    for (let partition = 0; partition < 100; partition++) {
      const expected = Array.from({ length: 20 }, (_, round) => `${round * 100 + partition} ${KIB}`)
      expect(seen.get(partition)).toEqual(expected)
    }
  })

  test('every job has its own timestamp, and a long one more than one', async () => {
    const producer = broker.producer({ lingerMs: 0 })
    const topic = broker.topic()
    const startMs = broker.clock.nowMs()
    for (let i = 0; i < 3; i++) {
      producer.offer(topic, null, 'a')
      await nextTurn()
      broker.clock.advance(1_000)
    }
    for (let i = 0; i < 130; i++) {
      producer.offer(topic, null, 'b')
      broker.clock.advance(1)
    }
    await nextTurn()
    const timestamps = broker.take().flatMap(({ records }) => records.map(({ timestamp }) => timestamp - startMs))
    expect(timestamps.slice(0, 3)).toEqual([0, 1_000, 2_000])
    expect([...new Set(timestamps.slice(3))]).toEqual([3_000, 3_064, 3_128])
  })
})

describe('lingerMs', () => {
  test('a batch that is not full waits for more, so long and no longer', async () => {
    const producer = broker.producer({ lingerMs: 50 })
    const topic = broker.topic({ partitions: 2 })
    producer.offer(topic, null, 'a', { partition: 0 })
    await nextTurn()
    broker.clock.advance(30)
    producer.offer(topic, null, 'b', { partition: 1 })
    producer.offer(topic, null, 'c', { partition: 0 })
    broker.clock.advance(19)
    expect(broker.take()).toEqual([])
    broker.clock.advance(1)
    expect(valuesOf(broker.take())).toEqual([['a', 'c']])
    broker.clock.advance(29)
    expect(broker.take()).toEqual([])
    broker.clock.advance(1)
    expect(valuesOf(broker.take())).toEqual([['b']])
  })

  test('a full one does not', () => {
    const producer = broker.producer({ lingerMs: 50, batchSize: 16_384 })
    const topic = broker.topic()
    for (let i = 0; i < 20; i++) producer.offer(topic, null, KIB)
    expect(broker.take()).toHaveLength(1)
  })

  test('its ack is heard when it comes, and not when the linger of others is over', async () => {
    const producer = broker.producer({ lingerMs: 60_000, batchSize: 16_384 })
    const topic = broker.topic()
    const sends = Array.from({ length: 20 }, () => producer.send(topic, { value: KIB }))
    let acknowledged = 0
    for (const send of sends) void send.then(() => acknowledged++)
    await nextTurn()
    const [full, ...more] = broker.take()
    expect(more).toEqual([])
    full!.ack()
    await nextTurn()
    expect(acknowledged).toBe(full!.values.length)
    const rest = producer.flush()
    await broker.serve()
    await rest
  })

  test('it leaves as soon as there is a leader', async () => {
    const producer = broker.producer({ lingerMs: 60_000, batchSize: 16_384 })
    const topic = broker.topic({}, -1)
    for (let i = 0; i < 20; i++) producer.offer(topic, null, KIB)
    await nextTurn()
    broker.lead(topic, 0)
    await nextTurn()
    expect(broker.take()).toHaveLength(1)
  })

  test('flush and close send at once, and leave no timer that keeps the process', async () => {
    const producer = broker.producer({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 })
    const topic = broker.topic()
    producer.offer(topic, null, 'a')
    // The linger timer, and the one that looks for expired batches.
    expect(broker.clock.pending).toBe(2)
    const flushed = producer.flush()
    expect(broker.clock.pending).toBe(1)
    broker.take()[0]!.ack()
    await flushed
    producer.offer(topic, null, 'b')
    const closed = producer.close()
    broker.take()[0]!.ack()
    await closed
    expect(broker.clock.pending).toBe(0)
  })

  test('one timer, however many batches open and fill meanwhile', () => {
    const producer = broker.producer({ lingerMs: 1_000, batchSize: 1_024, deliveryTimeoutMs: 10_000 })
    const topic = broker.topic({ partitions: 8 })
    for (let i = 0; i < 2_000; i++) {
      producer.offer(topic, `${i}`, 'x'.repeat(400))
      for (const batch of broker.take()) batch.ack()
      expect(broker.clock.pending).toBeLessThanOrEqual(2)
    }
    broker.clock.advance(999)
    const left = broker.take().length
    broker.clock.advance(1)
    expect(left + broker.take().length).toBeLessThanOrEqual(8)
  })

  test('a partition lingers once, however many batches it fills meanwhile', () => {
    let enqueued = 0
    const sender = { enqueue: () => enqueued++, pump: () => false, isWaiting: false }
    const options = { lingerMs: 1_000, deliveryTimeoutMs: 10_000 }
    const departures = new BatchDepartures({ clock: broker.clock } as never, options, sender as never, {} as never, () => undefined)
    const queue = { open: {}, lingering: false }
    for (let i = 0; i < 100; i++) departures.opened(queue as never)
    departures.makeAllDue()
    expect(enqueued).toBe(1)
    departures.opened(queue as never)
    departures.makeAllDue()
    expect(enqueued).toBe(2)
  })

  test('every job has its own timestamp', async () => {
    const producer = broker.producer({ lingerMs: 10_000 })
    const topic = broker.topic()
    const startMs = broker.clock.nowMs()
    for (let i = 0; i < 3; i++) {
      producer.offer(topic, null, 'a')
      await nextTurn()
      broker.clock.advance(1_000)
    }
    void producer.flush()
    expect(broker.take()[0]!.records.map(({ timestamp }) => timestamp - startMs)).toEqual([0, 1_000, 2_000])
  })

  test('batches that linger do not hold the memory that others wait for', async () => {
    const producer = broker.producer({ lingerMs: 60_000, maxBlockMs: 10_000, batchSize: 16_384, bufferMemory: 4 * 16_384 })
    const topic = broker.topic({ partitions: 8 })
    const large = 'x'.repeat(16_000)
    const sends = Array.from({ length: 8 }, (_, partition) => producer.send(topic, { value: `${partition}${large}`, partition }))
    await nextTurn()
    const served = await broker.serve()
    const firstLetters = valuesOf(served).flatMap((values) => values.map((value) => value[0]))
    expect(firstLetters.slice(0, 4)).toEqual(['0', '1', '2', '3'])
    broker.clock.advance(60_000)
    await broker.serve()
    await Promise.all(sends)
  })
})

describe('flush', () => {
  test('covers what was taken before it, and not what comes behind', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    producer.offer(topic, null, 'before')
    const flushed = producer.flush()
    producer.offer(topic, null, 'behind')
    await nextTurn()
    const batches = broker.take()
    expect(valuesOf(batches)).toEqual([['before'], ['behind']])
    batches[0]!.ack()
    await flushed
    batches[1]!.ack()
    await producer.flush()
  })
})

describe('deliveryTimeoutMs', () => {
  test('a batch that finds no leader so long fails, and those before their time do not', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic({}, -1)
    const early = producer.send(topic, { value: 'early' })
    await nextTurn()
    broker.clock.advance(900)
    producer.offer(topic, null, 'late')
    await nextTurn()
    broker.clock.advance(100)
    await expect(early).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
      retriable: true,
      message: expect.stringMatching(/1 record\(s\) of .*-0 could not be sent within deliveryTimeoutMs/) as string,
    })
    broker.lead(topic, 0)
    await nextTurn()
    expect(valuesOf(broker.take())).toEqual([['late']])
  })

  test('one that is not acknowledged so long fails, and its answer is dropped when it comes', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic()
    const sent = producer.send(topic, { value: 'slow' })
    producer.offer(topic, null, 'slow too')
    await nextTurn()
    const [slow] = broker.take()
    broker.clock.advance(999)
    await nextTurn()
    broker.clock.advance(1)
    await expect(sent).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
      message: expect.stringMatching(
        /broker 0 did not acknowledge 2 record\(s\) of .*-0 within deliveryTimeoutMs: they may or may not/,
      ) as string,
    })
    expect(() => producer.offer(topic, null, 'x')).toThrow(expect.objectContaining({ code: 'REQUEST_TIMED_OUT' }))
    // Nobody waits for it any more.
    await producer.flush()
    const next = producer.send(topic, { value: 'next' })
    await nextTurn()
    const [batch] = broker.take()
    slow!.ack(0)
    await nextTurn()
    batch!.ack(2)
    await expect(next).resolves.toMatchObject({ offset: 2 })
    await producer.close()
    expect(broker.clock.pending).toBe(0)
  })

  test('one that waits behind a broker that answers nothing fails as well', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic()
    const sends: Promise<unknown>[] = []
    for (let i = 0; i < 8; i++) {
      sends.push(producer.send(topic, { value: `${i}` }))
      await nextTurn()
    }
    expect(broker.take()).toHaveLength(5)
    broker.clock.advance(1_000)
    for (const send of sends) await expect(send).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  })

  test('frees the memory that others wait for', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000, maxBlockMs: 60_000, batchSize: 16_384 })
    const dead = broker.topic({}, -1)
    const living = broker.topic()
    while (producer.offer(dead, null, KIB));
    const waiting = producer.send(dead, { value: 'waits' })
    const behind = producer.send(living, { value: 'behind' })
    broker.clock.advance(1_000)
    await nextTurn()
    for (const batch of broker.take()) batch.ack()
    await behind
    broker.clock.advance(1_250)
    await expect(waiting).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  })
})

describe('close', () => {
  test('fails what is not acknowledged within timeoutMs, naming it', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 2 })
    const lost = broker.topic({}, -1)
    const sends = [producer.send(topic, { value: 'in flight', partition: 1 }), producer.send(lost, { value: 'never left' })]
    producer.offer(topic, null, 'offered', { partition: 1 })
    const closed = producer.close({ timeoutMs: 500 })
    await nextTurn()
    expect(broker.take()).toHaveLength(1)
    broker.clock.advance(500)
    const failure = (what: string): object => ({
      code: 'CLOSED',
      message: expect.stringContaining(`${what} were not acknowledged`) as string,
    })
    await expect(sends[0]).rejects.toMatchObject(failure(`2 record(s) of ${topic.name}-1`))
    await expect(sends[1]).rejects.toMatchObject(failure(`1 record(s) of ${lost.name}-0`))
    await expect(closed).rejects.toMatchObject(failure(`2 record(s) of ${topic.name}-1`))
    expect(broker.clock.pending).toBe(0)
    expect(broker.lanes[0]!.closedByProducer).toBe(true)
  })

  test('timeoutMs 0: at once', async () => {
    const producer = broker.producer()
    const sent = producer.send(broker.topic(), { value: 'a' })
    const closed = producer.close({ timeoutMs: 0 })
    broker.clock.advance(0)
    await expect(sent).rejects.toMatchObject({ code: 'CLOSED' })
    await closed
  })
})
