// What an idempotent producer sends again, in which order and under which numbers, when
// its batches are refused or their broker dies.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Producer } from '../../../src/client/producer/producer.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'
import type { TakenBatch } from './hand-driven-broker.ts'

let broker: HandDrivenBroker

beforeEach(() => {
  broker = new HandDrivenBroker()
})
afterEach(() => broker.close())

type TextTopic = ReturnType<HandDrivenBroker['topic']>

/** Sends so many records, each in a batch of its own. */
async function sendEach(producer: Producer, topic: TextTopic, values: readonly string[]): Promise<Promise<number>[]> {
  const offsets: Promise<number>[] = []
  for (const value of values) {
    const sent = producer.send(topic, { value, partition: 0 }).then(({ offset }) => offset)
    sent.catch(() => undefined)
    offsets.push(sent)
    await nextTurn()
  }
  return offsets
}

/** The same, when its outcome is of no interest. */
async function offer(producer: Producer, topic: TextTopic, value: string): Promise<void> {
  for (const sent of await sendEach(producer, topic, [value])) sent.catch(() => undefined)
}

/** What a batch is called by in these tests: its first value, its epoch and sequence number. */
const numbersOf = (batches: readonly TakenBatch[]): string[] =>
  batches.map(({ values, producerEpoch, baseSequence }) => `${values[0]}:${producerEpoch}.${baseSequence}`)

async function taken(): Promise<TakenBatch[]> {
  await nextTurn()
  await nextTurn()
  return broker.take()
}

describe('sequence numbers', () => {
  test('count the records of each partition, under one id and epoch 0', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 2 })
    for (const value of ['a', 'b', 'c']) producer.offer(topic, null, value, { partition: 0 })
    producer.offer(topic, null, 'd', { partition: 1 })
    await nextTurn()
    producer.offer(topic, null, 'e', { partition: 0 })
    const batches = [...broker.take(), ...(await taken())]
    expect(numbersOf(batches)).toEqual(['a:0.0', 'd:0.0', 'e:0.3'])
    expect(new Set(batches.map(({ producerId }) => producerId))).toEqual(new Set([1_000]))
    const other = broker.producer()
    other.offer(topic, null, 'f')
    expect((await taken())[0]!.producerId).toBe(1_001)
  })

  test('are not given with enableIdempotence false, nor with acks 1 or 0', async () => {
    const topic = broker.topic()
    for (const options of [{ enableIdempotence: false }, { acks: 1 }, { acks: 0 }] as const) {
      const producer = broker.producer(options)
      producer.offer(topic, null, 'a')
      expect(await taken()).toMatchObject([{ producerId: -1, producerEpoch: -1, baseSequence: -1 }])
    }
  })

  test('wait for a producer id, and are not used up by batches that never left', async () => {
    broker.producerIds.length = 0
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic()
    const [never] = await sendEach(producer, topic, ['never'])
    expect(broker.take()).toEqual([])
    broker.clock.advance(1_000)
    await expect(never).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    broker.producerIds.push(7)
    await offer(producer, topic, 'a')
    expect(await taken()).toMatchObject([{ producerId: 7, producerEpoch: 0, baseSequence: 0 }])
  })
})

describe('a broker that dies', () => {
  test('what was in flight goes to the next leader, the same and in order, and has its offsets', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const sent = await sendEach(producer, topic, ['a', 'b', 'c'])
    const first = broker.take()
    first[0]!.ack(10)
    broker.kill(0)
    expect(await taken()).toEqual([])
    broker.elect(topic, 0, 1, 1)
    const second = await taken()
    expect(numbersOf(second)).toEqual(['b:0.1', 'c:0.2'])
    expect(second.map(({ brokerId, leaderEpoch }) => [brokerId, leaderEpoch])).toEqual([
      [1, 1],
      [1, 1],
    ])
    second[0]!.ack(11)
    second[1]!.ack(12)
    await expect(Promise.all(sent)).resolves.toEqual([10, 11, 12])
  })

  test('again and again: flush waits for the last', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    producer.offer(topic, null, 'a')
    const flushed = producer.flush()
    for (let epoch = 1; epoch <= 5; epoch++) {
      await taken()
      broker.kill(epoch - 1)
      broker.elect(topic, 0, epoch, epoch)
    }
    const [batch] = await taken()
    expect(numbersOf([batch!])).toEqual(['a:0.0'])
    batch!.ack()
    await flushed
  })

  test('retries are counted: at the last one the failure is told', async () => {
    const producer = broker.producer({ acks: 1, retries: 2 })
    const topic = broker.topic()
    const [sent] = await sendEach(producer, topic, ['a'])
    for (let epoch = 1; epoch <= 3; epoch++) {
      expect(await taken()).toHaveLength(1)
      broker.kill(epoch - 1)
      broker.elect(topic, 0, epoch, epoch)
    }
    await expect(sent).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION', message: expect.stringMatching(/^broker 2 died/) as string })
  })

  test('and no leader after it: the delivery timeout tells', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic()
    const [sent] = await sendEach(producer, topic, ['a'])
    broker.take()
    broker.kill(0)
    broker.elect(topic, 0, -1, 0)
    await nextTurn()
    broker.clock.advance(1_000)
    await expect(sent).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
      message: expect.stringMatching(/the one that died with them may have written them/) as string,
    })
    // What follows may come behind it, and must not come before it: it leaves under another epoch.
    broker.elect(topic, 0, 1, 1)
    await offer(producer, topic, 'b')
    expect(numbersOf(await taken())).toEqual(['b:1.0'])
  })
})

describe('a leader that has nothing of the producer any more, for retention took it', () => {
  test('what it may have held is told, not written twice; what follows goes under another epoch', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const before = await sendEach(producer, topic, ['a', 'b'])
    for (const batch of await taken()) batch.ack()
    await Promise.all(before)
    const [c, d] = await sendEach(producer, topic, ['c', 'd'])
    await taken()
    broker.kill(0)
    broker.elect(topic, 0, 1, 1)
    const again = await taken()
    expect(numbersOf(again)).toEqual(['c:0.2', 'd:0.3'])
    const [e] = await sendEach(producer, topic, ['e'])
    for (const batch of again) batch.refuse(KAFKA_ERRORS.UNKNOWN_PRODUCER_ID)
    const told = { code: 'UNKNOWN_PRODUCER_ID', message: expect.stringMatching(/they may have been in the log/) as string }
    await expect(c).rejects.toMatchObject(told)
    await expect(d).rejects.toMatchObject(told)
    // It left before that was known, and is refused as well; nobody can have written it.
    const behind = await taken()
    expect(numbersOf(behind)).toEqual(['e:0.4'])
    behind[0]!.refuse(KAFKA_ERRORS.UNKNOWN_PRODUCER_ID)
    const last = await taken()
    expect(numbersOf(last)).toEqual(['e:1.0'])
    last[0]!.ack(7)
    await expect(e).resolves.toBe(7)
  })

  test('what nobody can have written goes under another epoch, all of it and in order', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    await offer(producer, topic, 'a')
    for (const batch of await taken()) batch.ack()
    await taken()
    const sent = await sendEach(producer, topic, ['b', 'c'])
    for (const batch of await taken()) batch.refuse(KAFKA_ERRORS.UNKNOWN_PRODUCER_ID)
    const again = await taken()
    expect(numbersOf(again)).toEqual(['b:1.0', 'c:1.1'])
    again[0]!.ack(5)
    again[1]!.ack(6)
    await expect(Promise.all(sent)).resolves.toEqual([5, 6])
  })

  test('the first batch of an epoch, which any leader takes, is not sent again once the log begins behind where it was sent to', async () => {
    for (const [logStart, outcome] of [
      [0, 3],
      [1, 'UNKNOWN_PRODUCER_ID'],
    ] as const) {
      const producer = broker.producer()
      const topic = broker.topic()
      const [sent] = await sendEach(producer, topic, ['a'])
      expect(numbersOf(await taken())).toEqual(['a:0.0'])
      broker.control(topic, 0).publishLogStart(logStart)
      broker.kill(0)
      broker.elect(topic, 0, 0, 1)
      const again = await taken()
      expect(again).toHaveLength(logStart === 0 ? 1 : 0)
      again[0]?.ack(3)
      expect(await sent!.catch(({ code }: { code: string }) => code)).toBe(outcome)
    }
  })

  test('a duplicate whose place is not known any more was written', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const [sent] = await sendEach(producer, topic, ['a'])
    for (const batch of await taken()) batch.refuse(KAFKA_ERRORS.DUPLICATE_SEQUENCE_NUMBER)
    await expect(sent).resolves.toBe(-1)
  })
})

describe('a refusal that passes', () => {
  test('is tried again after a backoff that doubles, one timer for all', async () => {
    const producer = broker.producer({ retryBackoffMs: 100, retryBackoffMaxMs: 350 })
    const topic = broker.topic({ partitions: 2 })
    const timers = (): number => broker.clock.pending
    const sent = [0, 1].map((partition) => producer.send(topic, { value: `${partition}`, partition }))
    await nextTurn()
    const before = timers()
    for (const backoffMs of [100, 200, 350, 350]) {
      const batches = await taken()
      expect(batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 0])
      for (const batch of batches) batch.refuse(KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
      await nextTurn()
      expect(timers()).toBe(before + 1)
      broker.clock.advance(backoffMs * 0.8 - 1)
      expect(await taken()).toEqual([])
      broker.clock.advance(backoffMs * 0.4 + 2)
    }
    for (const batch of await taken()) batch.ack()
    await Promise.all(sent)
    await producer.close()
    expect(timers()).toBe(0)
  })

  test('lets no later batch pass: those in flight come back too, then all leave in order', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const sent = await sendEach(producer, topic, ['a', 'b', 'c'])
    const batches = broker.take()
    batches[0]!.refuse(KAFKA_ERRORS.CORRUPT_MESSAGE)
    await offer(producer, topic, 'd')
    expect(await taken()).toEqual([])
    for (const batch of batches.slice(1)) batch.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(await taken()).toEqual([])
    broker.clock.advance(120)
    const again = await taken()
    expect(numbersOf(again)).toEqual(['a:0.0', 'b:0.1', 'c:0.2', 'd:0.3'])
    for (const [i, batch] of again.entries()) batch.ack(i)
    await expect(Promise.all(sent)).resolves.toEqual([0, 1, 2])
  })

  test('what was out of order behind it is forgotten when it left again and another broker leads', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const sent = await sendEach(producer, topic, ['a', 'b'])
    const batches = broker.take()
    batches[0]!.refuse(KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
    batches[1]!.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
    await nextTurn()
    broker.clock.advance(120)
    const again = await taken()
    expect(numbersOf(again)).toEqual(['a:0.0', 'b:0.1'])
    again[0]!.ack(0)
    again[1]!.refuse(KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER)
    await nextTurn()
    broker.elect(topic, 0, 1, 1)
    const [last] = await taken()
    expect(numbersOf([last!])).toEqual(['b:0.1'])
    last!.ack(1)
    await expect(Promise.all(sent)).resolves.toEqual([0, 1])
  })

  test('is told when the delivery timeout is over, by its own name', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000, retryBackoffMs: 2_000, retryBackoffMaxMs: 2_000 })
    const topic = broker.topic()
    const [sent] = await sendEach(producer, topic, ['a'])
    const flushed = producer.flush()
    broker.take()[0]!.refuse(KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
    await nextTurn()
    broker.clock.advance(1_000)
    await expect(sent).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR', retriable: true })
    await flushed
  })

  test('without idempotence it is tried again too', async () => {
    const producer = broker.producer({ acks: 1 })
    const topic = broker.topic()
    const sent = await sendEach(producer, topic, ['a', 'b'])
    const batches = broker.take()
    batches[0]!.refuse(KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
    batches[1]!.ack(0)
    await nextTurn()
    broker.clock.advance(120)
    const [again] = await taken()
    expect(again!.values).toEqual(['a'])
    again!.ack(1)
    await expect(Promise.all(sent)).resolves.toEqual([1, 0])
  })
})

describe('a batch that is given up', () => {
  test('those behind it leave under the next epoch, from sequence 0', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const sent = await sendEach(producer, topic, ['a', 'b', 'c'])
    const batches = broker.take()
    batches[0]!.ack(0)
    batches[1]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    await nextTurn()
    expect(broker.take()).toEqual([])
    batches[2]!.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
    const again = await taken()
    expect(numbersOf(again)).toEqual(['c:1.0'])
    again[0]!.ack(1)
    await expect(sent[1]).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    await expect(sent[2]).resolves.toBe(1)
    await offer(producer, topic, 'd')
    expect(numbersOf(await taken())).toEqual(['d:1.1'])
  })

  test('of another partition changes nothing', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 2 })
    for (const partition of [0, 1]) producer.offer(topic, null, `${partition}`, { partition })
    const [first, second] = await taken()
    first!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    second!.ack()
    await producer.flush().catch(() => undefined)
    for (const partition of [0, 1]) producer.offer(topic, null, `${partition}`, { partition })
    expect(numbersOf(await taken())).toEqual(['0:1.0', '1:0.1'])
  })

  test('expired in flight and written after all: the epoch stays', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic()
    const [sent] = await sendEach(producer, topic, ['a'])
    const [slow] = broker.take()
    broker.clock.advance(1_000)
    await expect(sent).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    await offer(producer, topic, 'b')
    const [behind] = await taken()
    expect(numbersOf([behind!])).toEqual(['b:0.1'])
    slow!.ack(0)
    behind!.ack(1)
    await offer(producer, topic, 'c')
    expect(numbersOf(await taken())).toEqual(['c:0.2'])
  })

  test('expired in flight, and its broker dies: what may be in the log is sent as it is, and its leader says', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic()
    await offer(producer, topic, 'a')
    broker.take()
    broker.clock.advance(999)
    const [b] = await sendEach(producer, topic, ['b'])
    broker.clock.advance(1)
    broker.kill(0)
    broker.elect(topic, 0, 1, 1)
    const [again] = await taken()
    expect(numbersOf([again!])).toEqual(['b:0.1'])
    // The one that died had written neither.
    again!.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
    const [anew] = await taken()
    expect(numbersOf([anew!])).toEqual(['b:1.0'])
    anew!.ack(0)
    await expect(b).resolves.toBe(0)
  })

  test('the same, and both were written: the epoch stays', async () => {
    const producer = broker.producer({ deliveryTimeoutMs: 1_000 })
    const topic = broker.topic()
    await offer(producer, topic, 'a')
    broker.take()
    broker.clock.advance(999)
    const [b] = await sendEach(producer, topic, ['b'])
    broker.clock.advance(1)
    broker.kill(0)
    broker.elect(topic, 0, 1, 1)
    const [again] = await taken()
    again!.ack(1)
    await expect(b).resolves.toBe(1)
    await offer(producer, topic, 'c')
    expect(numbersOf(await taken())).toEqual(['c:0.2'])
  })

  test('out of order with nothing before it: the log has lost something, which is told', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const sent = await sendEach(producer, topic, ['a', 'b'])
    for (const batch of broker.take()) batch.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
    await expect(sent[0]).rejects.toMatchObject({
      code: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      message: expect.stringMatching(/lost acknowledged records/) as string,
    })
    const [b] = await taken()
    expect(numbersOf([b!])).toEqual(['b:1.0'])
    b!.ack(0)
    await expect(sent[1]).resolves.toBe(0)
  })

  test('so often that the epochs are used up: the partition gets an id of its own', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const refuseOne = async (): Promise<TakenBatch> => {
      producer.offer(topic, null, 'x')
      await nextTurn()
      const [batch] = broker.take()
      batch!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
      await producer.flush().catch(() => undefined)
      return batch!
    }
    for (let epoch = 0; epoch <= 0x7fff; epoch++) {
      const batch = await refuseOne()
      if (batch.producerEpoch !== epoch) throw new Error(`epoch ${batch.producerEpoch} instead of ${epoch}`)
    }
    expect(await refuseOne()).toMatchObject({ producerId: 1_001, producerEpoch: 0, baseSequence: 0 })
    expect(await refuseOne()).toMatchObject({ producerId: 1_001, producerEpoch: 1, baseSequence: 0 })
  })
})
