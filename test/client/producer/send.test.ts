import { getEventListeners } from 'node:events'
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

const KIB = 'x'.repeat(1_024)
const numbersOf = (batches: readonly TakenBatch[]): number[] =>
  batches.flatMap(({ values }) => values.map((value) => Number.parseInt(value, 10)))
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Offers until there is no room; the broker takes nothing meanwhile. */
async function fill(producer: Producer, topic: TextTopic): Promise<number> {
  let taken = 0
  while (producer.offer(topic, null, `${taken} ${KIB}`)) if (++taken % 20 === 0) await nextTurn()
  return taken
}

describe('send', () => {
  test('resolves with where the record stands, when it is acknowledged', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 4 })
    const sends = [
      producer.send(topic, { value: 'a', partition: 2 }),
      producer.send(topic, { key: 'k', value: 'b', partition: 2, timestamp: 1_234 }),
    ]
    await nextTurn()
    const [batch] = broker.take()
    expect(batch!.records).toEqual([
      { key: null, value: 'a', timestamp: broker.clock.nowMs() },
      { key: 'k', value: 'b', timestamp: 1_234 },
    ])
    let settled = 0
    for (const send of sends) void send.then(() => settled++)
    await nextTurn()
    expect(settled).toBe(0)
    batch!.ack(100)
    expect(await Promise.all(sends)).toEqual([
      { topic: topic.name, partition: 2, offset: 100, timestamp: broker.clock.nowMs() },
      { topic: topic.name, partition: 2, offset: 101, timestamp: 1_234 },
    ])
  })

  test.each([
    ['all', -1],
    [1, 1],
  ] as const)('acks %s', async (acks, word) => {
    const producer = broker.producer({ acks })
    const sent = producer.send(broker.topic(), { value: 'a' })
    await nextTurn()
    const [batch] = broker.take()
    expect(batch!.acks).toBe(word)
    batch!.ack(5)
    await expect(sent).resolves.toMatchObject({ offset: 5 })
  })

  test('acks 0: resolves when it has left, without an offset', async () => {
    const producer = broker.producer({ acks: 0 })
    await expect(producer.send(broker.topic(), { value: 'a' })).resolves.toMatchObject({ offset: -1 })
    expect(broker.take()[0]!.acks).toBe(0)
    await producer.flush()
  })

  test('rejects what is wrong with a record, or with the call', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    await expect(producer.send(topic, { value: null as never })).rejects.toMatchObject({ code: 'SERIALIZATION' })
    await expect(producer.send(topic, undefined as never)).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(producer.send(topic, 'text' as never)).rejects.toThrow(/a record to send is an object/)
    await expect(producer.send(topic.definition as never, { value: 'a' as never })).rejects.toThrow(/is only defined/)
    await expect(producer.send({ topic: 'clicks', messages: [] } as never, undefined as never)).rejects.toThrow(
      /is not a topic: bind it first/,
    )
  })

  test('waits for room, in the order of the calls, and an offer does not pass', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic()
    const filled = await fill(producer, topic)
    const sends = upTo(40).map((i) => producer.send(topic, { value: `${filled + i} ${KIB}` }))
    const first = broker.take()
    for (const batch of first) batch.ack()
    // There is room on the lane now, but the sends come first.
    expect(producer.offer(topic, null, 'passed')).toBe(false)
    const room = producer.drained()
    const served = [...first, ...(await broker.serve())]
    await room
    expect(producer.offer(topic, null, `${filled + 40} offered`)).toBe(true)
    served.push(...(await broker.serve()))
    const offsets = (await Promise.all(sends)).map(({ offset }) => offset)
    expect(numbersOf(served)).toEqual(upTo(filled + 41))
    expect(offsets).toEqual(upTo(40).map((i) => filled + i))
  })

  test('that waits for a partition that is full holds up the sends behind it, of other partitions too', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic({ partitions: 2 })
    let taken = 0
    while (producer.offer(topic, null, KIB, { partition: 0 })) if (++taken % 20 === 0) await nextTurn()
    const sends = [0, 1].map((partition) => producer.send(topic, { value: `${partition}`, partition }))
    let settled = 0
    for (const send of sends) void send.then(() => settled++)
    await nextTurn()
    expect(settled).toBe(0)
    await broker.serve()
    await Promise.all(sends)
  })

  test('the ack of one broker is heard while another answers nothing', async () => {
    const producer = broker.producer()
    const [slow, quick] = [broker.topic({}, 0), broker.topic({}, 1)]
    let isOver = false
    const unanswered = producer.send(slow, { value: 'a' }).then(() => (isOver = true))
    await nextTurn()
    const [batch] = broker.take()
    // Nothing moves any more when the first record goes to the other broker.
    for (let i = 0; i < 5; i++) await nextTurn()
    for (let i = 0; i < 3; i++) {
      const sent = producer.send(quick, { value: 'b' })
      await nextTurn()
      broker.take()[0]!.ack()
      await sent
    }
    expect(isOver).toBe(false)
    batch!.ack()
    await unanswered
  })

  test('rejects after maxBlockMs without room, the others after theirs', async () => {
    const producer = broker.producer({ batchSize: 16_384, maxBlockMs: 500 })
    const topic = broker.topic()
    await fill(producer, topic)
    const early = producer.send(topic, { value: KIB })
    broker.clock.advance(300)
    const late = producer.send(topic, { value: KIB })
    broker.clock.advance(200)
    await expect(early).rejects.toMatchObject({ code: 'BUFFER_EXHAUSTED', retriable: true })
    broker.clock.advance(199)
    await broker.serve()
    await late
  })

  test('maxBlockMs 0: no waiting at all', async () => {
    const producer = broker.producer({ batchSize: 16_384, maxBlockMs: 0 })
    const topic = broker.topic()
    await fill(producer, topic)
    const sent = producer.send(topic, { value: KIB })
    broker.clock.advance(0)
    await expect(sent).rejects.toMatchObject({ code: 'BUFFER_EXHAUSTED' })
  })

  test('a call that waits when the producer closes is still sent', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic()
    const filled = await fill(producer, topic)
    const sent = producer.send(topic, { value: `${filled} last` })
    const closed = producer.close()
    const served = await broker.serve()
    await closed
    await expect(sent).resolves.toMatchObject({ offset: filled })
    expect(numbersOf(served)).toEqual(upTo(filled + 1))
  })

  test('an abort: a record that was not taken is not sent, one that was is on its way', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic()
    const abort = new AbortController()
    const options = { signal: abort.signal }
    const [inFlight, answered] = [
      producer.send(topic, { value: '0 in flight' }, options),
      producer.sendAll(topic, [{ value: '1 in flight' }], options),
    ]
    await nextTurn()
    const served = broker.take()
    const filled = await fill(producer, topic)
    const waiting = [producer.send(topic, { value: 'never' }, options), producer.sendAll(topic, [{ value: 'never' }], options)]
    const behind = producer.send(topic, { value: 'behind' })
    abort.abort(new Error('enough'))
    for (const each of [
      inFlight,
      answered,
      ...waiting,
      producer.send(topic, { value: 'never' }, options),
      producer.sendAll(topic, [], options),
    ]) {
      await expect(each).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') })
    }
    for (const batch of served) batch.ack()
    served.push(...(await broker.serve()))
    await behind
    const values = served.flatMap((batch) => batch.values)
    expect(values.slice(0, 2)).toEqual(['0 in flight', '1 in flight'])
    expect(values.at(-1)).toBe('behind')
    expect(values).toHaveLength(2 + filled + 1)
  })

  test('a signal is let go of when the call is over', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const { signal } = new AbortController()
    const calls = [producer.send(topic, { value: 'a' }, { signal }), producer.sendAll(topic, [{ value: 'b' }], { signal })]
    expect(getEventListeners(signal, 'abort')).toHaveLength(2)
    await broker.serve()
    await Promise.all(calls)
    await expect(producer.send(topic, { value: 5 as never }, { signal })).rejects.toMatchObject({ code: 'SERIALIZATION' })
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('flush waits for the calls that wait', async () => {
    const producer = broker.producer({ batchSize: 16_384, lingerMs: 10_000 })
    const topic = broker.topic()
    await fill(producer, topic)
    let isSent = false
    const sent = producer.send(topic, { value: 'last' }).then(() => (isSent = true))
    const flushed = producer.flush().then(() => expect(isSent).toBe(true))
    await broker.serve()
    await Promise.all([sent, flushed])
  })

  test('flush lets go of its signal, and stops waiting for it', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic()
    await fill(producer, topic)
    const waiting = producer.send(topic, { value: 'waits' })
    const abort = new AbortController()
    const flushed = [producer.flush({ signal: abort.signal })]
    abort.abort()
    flushed.push(producer.flush({ signal: abort.signal }))
    for (const each of flushed) await expect(each).rejects.toMatchObject({ code: 'ABORTED' })
    await broker.serve()
    await waiting
    const sent = producer.send(topic, { value: 'in flight' })
    const again = new AbortController()
    const aborted = producer.flush({ signal: again.signal })
    await nextTurn()
    again.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    await broker.serve()
    await sent
  })
})

describe('sendAll', () => {
  test('resolves in the order given, whatever the partitions', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 3 })
    const records = upTo(30).map((i) => ({ value: `${i}`, partition: i % 3 }))
    const sent = producer.sendAll(topic, records)
    await broker.serve()
    const results = await sent
    expect(results.map(({ partition }) => partition)).toEqual(records.map(({ partition }) => partition))
    for (const partition of [0, 1, 2]) {
      const offsets = results.filter((result) => result.partition === partition).map(({ offset }) => offset)
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
    }
    expect(await producer.sendAll(topic, [])).toEqual([])
  })

  test('takes any iterable, as far as there is room, and no send passes it', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic()
    let given = 0
    function* records(): Generator<{ value: string }> {
      while (given < 2_000) yield { value: `${given++} ${KIB}` }
    }
    const all = producer.sendAll(topic, records())
    expect(given).toBeGreaterThan(10)
    expect(given).toBeLessThan(1_000)
    const last = producer.send(topic, { value: '2000' })
    const served = await broker.serve()
    expect(await all).toHaveLength(2_000)
    await last
    expect(numbersOf(served)).toEqual(upTo(2_001))
  })

  test('its deadline starts anew whenever it gets on', async () => {
    const producer = broker.producer({ batchSize: 16_384, maxBlockMs: 100, deliveryTimeoutMs: 1_000_000 })
    const topic = broker.topic()
    const all = producer.sendAll(
      topic,
      upTo(3_000).map((i) => ({ value: `${i} ${KIB}` })),
    )
    let turns = 0
    for (let served = 0; served < 3_000; turns++) {
      broker.clock.advance(90)
      const batches = broker.take()
      for (const batch of batches) batch.ack()
      served += numbersOf(batches).length
      await nextTurn()
    }
    expect(turns).toBeGreaterThan(5)
    await all
    const stuck = producer.sendAll(
      topic,
      upTo(3_000).map((i) => ({ value: `${i} ${KIB}` })),
    )
    broker.clock.advance(100)
    await expect(stuck).rejects.toMatchObject({ code: 'BUFFER_EXHAUSTED' })
  })

  test('after a record that cannot be sent, no more are taken, and a generator is ended', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    let ended = false
    function* records(): Generator<{ value: string }> {
      try {
        yield { value: '0' }
        yield { value: 5 as never }
        yield { value: '2' }
      } finally {
        ended = true
      }
    }
    await expect(producer.sendAll(topic, records())).rejects.toMatchObject({ code: 'SERIALIZATION' })
    expect(numbersOf(await broker.serve())).toEqual([0])
    expect(ended).toBe(true)
  })

  test('a refused batch: the first failure', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 2 })
    const sent = producer.sendAll(topic, [
      { value: '0', partition: 0 },
      { value: '1', partition: 1 },
    ])
    await nextTurn()
    const batches = broker.take()
    batches[1]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    batches[0]!.refuse(KAFKA_ERRORS.INVALID_TIMESTAMP)
    await expect(sent).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  })

  test('what is nothing to iterate over', async () => {
    const producer = broker.producer()
    await expect(producer.sendAll(broker.topic(), { value: 'a' } as never)).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(producer.sendAll(broker.topic(), undefined as never)).rejects.toThrow(/sendAll takes an array/)
    await expect(producer.sendAll(broker.topic(), 'ab' as never)).rejects.toThrow(/a record to send is an object/)
  })
})
