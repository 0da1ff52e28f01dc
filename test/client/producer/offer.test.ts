import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Producer } from '../../../src/client/producer/producer.ts'
import { KAFKA_ERRORS, MillraceError } from '../../../src/errors.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'
import type { TakenBatch } from './hand-driven-broker.ts'

let broker: HandDrivenBroker

beforeEach(() => {
  broker = new HandDrivenBroker()
})
afterEach(() => broker.close())

const KIB = 'x'.repeat(1_024)
const valuesOf = (batches: readonly TakenBatch[]): string[] => batches.flatMap(({ values }) => values)

async function refusedOffer(producer: Producer, topic: ReturnType<HandDrivenBroker['topic']>): Promise<number> {
  let taken = 0
  while (producer.offer(topic, null, `${taken} ${KIB}`)) {
    taken++
    expect(taken).toBeLessThan(100_000)
    if (taken % 50 === 0) await nextTurn()
  }
  return taken
}

describe('offer', () => {
  test('false means not taken: what was taken arrives, and the refused record comes once when it is offered again', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    const topic = broker.topic()
    const taken = await refusedOffer(producer, topic)
    // Refused again and again: each time nothing is taken.
    for (let i = 0; i < 10; i++) expect(producer.offer(topic, null, 'refused')).toBe(false)
    const room = producer.drained()
    const served = await broker.serve()
    await room
    expect(producer.offer(topic, null, 'refused')).toBe(true)
    served.push(...(await broker.serve()))
    await producer.flush()
    const values = valuesOf(served)
    expect(values).toHaveLength(taken + 1)
    expect(values.slice(0, -1).map((value) => Number.parseInt(value, 10))).toEqual(Array.from({ length: taken }, (_, i) => i))
    expect(values.at(-1)).toBe('refused')
  })

  test('memory in use never passes bufferMemory', async () => {
    const bufferMemory = 256 * 1_024
    const producer = broker.producer({ batchSize: 16_384, bufferMemory })
    const topic = broker.topic({ partitions: 64 })
    let bytes = 0
    for (let i = 0; i < 2_000; i++) if (producer.offer(topic, `key-${i}`, KIB)) bytes += KIB.length
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(bufferMemory)
    const room = producer.drained()
    await broker.serve()
    await room
    expect(producer.offer(topic, 'key', KIB)).toBe(true)
    await broker.serve()
  })

  test('throws what is wrong with a record, and has not taken it', async () => {
    const producer = broker.producer({ maxRequestSize: 10_000 })
    const topic = broker.topic({ partitions: 2 })
    expect(() => producer.offer(topic, null, 5 as never)).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }))
    expect(() => producer.offer(topic, null, null as never)).toThrow(/value for topic .* is null/)
    expect(() => producer.offer(topic, 5 as never, 'a')).toThrow(/key for topic .* cannot be encoded by .*string\(\)/)
    expect(() => producer.offer(topic, null, KIB.repeat(10))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE', retriable: false }),
    )
    expect(() => producer.offer(topic, null, 'a', { partition: 2 })).toThrow(/has no partition 2: it has partitions 0 to 1/)
    for (const partition of [-1, 0.5, Number.NaN, '0' as never, null as never]) {
      expect(() => producer.offer(topic, null, 'a', { partition })).toThrow(
        expect.objectContaining({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false }),
      )
    }
    for (const timestamp of [-1, 0.5, Number.NaN, 2 ** 53 - 1, 2 ** 53]) {
      expect(() => producer.offer(topic, null, 'a', { timestamp })).toThrow(expect.objectContaining({ code: 'INVALID_TIMESTAMP' }))
    }
    for (const headers of ['text', 5, null, [['name', 5]], [5], { name: undefined }]) {
      expect(() => producer.offer(topic, null, 'a', { headers: headers as never })).toThrow(
        expect.objectContaining({ code: 'SERIALIZATION' }),
      )
    }
    expect(producer.offer(topic, null, 'right')).toBe(true)
    expect(valuesOf(await broker.serve())).toEqual(['right'])
  })

  test('topics that are not bound, or by another millrace', () => {
    const producer = broker.producer()
    const other = new HandDrivenBroker()
    const code = 'INVALID_REQUEST'
    expect(() => producer.offer(broker.topic().definition as never, null as never, 'a' as never)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(/"topic-1" is only defined: bind it first with `await millrace.topic/) as string,
      }),
    )
    expect(() => producer.offer(Promise.resolve() as never, null as never, 'a' as never)).toThrow(/this is the promise of a topic/)
    expect(() => producer.offer('clicks' as never, null as never, 'a' as never)).toThrow(/"clicks" is not a topic/)
    expect(() => producer.offer(undefined as never, null as never, 'a' as never)).toThrow(expect.objectContaining({ code }))
    expect(() => producer.offer(other.topic(), null, 'a')).toThrow(/was bound by another millrace/)
    other.close()
  })

  test('after close', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    await producer.close()
    expect(() => producer.offer(topic, null, 'a')).toThrow(expect.objectContaining({ code: 'CLOSED', retriable: false }))
    await expect(producer.drained()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(producer.send(topic, { value: 'a' })).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(producer.sendAll(topic, [{ value: 'a' }])).rejects.toMatchObject({ code: 'CLOSED' })
    await producer.flush()
    await producer.close()
  })
})

describe('drained', () => {
  test('waits for room for the record last refused, not for a smaller one', async () => {
    const producer = broker.producer({ batchSize: 1_024, bufferMemory: 18_000, maxRequestSize: 20_000 })
    const topic = broker.topic({ partitions: 8 })
    for (let i = 0; i < 10; i++) expect(producer.offer(topic, null, 'small', { partition: i % 8 })).toBe(true)
    await nextTurn()
    const large = 'y'.repeat(15_000)
    expect(producer.offer(topic, null, large, { partition: 0 })).toBe(false)
    let isOver = false
    const room = producer.drained().then(() => (isOver = true))
    await nextTurn()
    // A batch of the usual size would find room; this record does not.
    expect(isOver).toBe(false)
    const served = await broker.serve()
    await room
    expect(producer.offer(topic, null, large, { partition: 0 })).toBe(true)
    served.push(...(await broker.serve()))
    expect(valuesOf(served)).toHaveLength(11)
  })

  test('resolves at once when nothing was refused', async () => {
    await broker.producer().drained()
  })

  test('rejects after maxBlockMs, and by its signal; no timer is left', async () => {
    const producer = broker.producer({ batchSize: 16_384, maxBlockMs: 1_000, deliveryTimeoutMs: 1_000_000 })
    const topic = broker.topic()
    await refusedOffer(producer, topic)
    const timers = broker.clock.pending
    const abort = new AbortController()
    const aborted = producer.drained({ signal: abort.signal })
    expect(broker.clock.pending).toBe(timers + 1)
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') })
    expect(broker.clock.pending).toBe(timers)
    await expect(producer.drained({ signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' })

    const late = producer.drained()
    broker.clock.advance(999)
    const later = producer.drained()
    broker.clock.advance(1)
    await expect(late).rejects.toMatchObject({
      code: 'BUFFER_EXHAUSTED',
      retriable: true,
      message: expect.stringContaining('1000 ms') as string,
    })
    broker.clock.advance(999)
    await expect(later).rejects.toMatchObject({ code: 'BUFFER_EXHAUSTED' })
    expect(broker.clock.pending).toBe(timers)
    await broker.serve()
  })

  test('closing tells those who wait', async () => {
    const producer = broker.producer({ batchSize: 16_384 })
    await refusedOffer(producer, broker.topic())
    const room = producer.drained()
    const closed = producer.close({ timeoutMs: 10 })
    broker.clock.advance(10)
    await expect(room).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(closed).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('a failed batch of offered records', () => {
  test('is thrown once by the next offer, which took nothing', async () => {
    const producer = broker.producer()
    const topic = broker.topic({ partitions: 2 })
    for (let i = 0; i < 3; i++) producer.offer(topic, null, 'lost', { partition: 1 })
    await nextTurn()
    broker.take()[0]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    await producer.drained()
    const failure = {
      code: 'MESSAGE_TOO_LARGE',
      retriable: false,
      message: expect.stringContaining(`3 record(s) of ${topic.name}-1`) as string,
    }
    expect(() => producer.offer(topic, null, 'not taken')).toThrow(expect.objectContaining(failure))
    expect(producer.offer(topic, null, 'taken')).toBe(true)
    expect(valuesOf(await broker.serve())).toEqual(['taken'])
    await producer.flush()
  })

  test('is thrown by flush instead, where that comes first', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    producer.offer(topic, null, 'lost')
    const flushed = producer.flush()
    broker.take()[0]!.refuse(KAFKA_ERRORS.INVALID_TIMESTAMP)
    await expect(flushed).rejects.toMatchObject({ code: 'INVALID_TIMESTAMP', message: expect.stringContaining('1 record(s)') as string })
    expect(producer.offer(topic, null, 'taken')).toBe(true)
    await broker.serve()
    await producer.flush()
  })

  test('by close, where nothing else did', async () => {
    const producer = broker.producer()
    producer.offer(broker.topic(), null, 'lost')
    const closed = producer.close()
    broker.take()[0]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    await expect(closed).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    await expect(producer.close()).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  })

  test('the error event is for listeners only, and a listener may call the producer', async () => {
    const silent = broker.producer()
    const topic = broker.topic()
    silent.offer(topic, null, 'lost')
    await nextTurn()
    broker.take()[0]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    // An `error` event that nobody listens to would throw here.
    await silent.drained()
    expect(() => silent.offer(topic, null, 'x')).toThrow(MillraceError)

    const producer = broker.producer()
    const heard: Error[] = []
    producer.on('error', (error) => {
      heard.push(error)
      expect(() => producer.offer(topic, null, 'not taken')).toThrow(error)
      expect(producer.offer(topic, null, 'again')).toBe(true)
    })
    producer.offer(topic, null, 'lost')
    await nextTurn()
    broker.take()[0]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    await producer.drained()
    await nextTurn()
    expect(heard).toMatchObject([{ code: 'MESSAGE_TOO_LARGE' }])
    expect(valuesOf(await broker.serve())).toEqual(['again'])
    await producer.close()
  })

  test('the failure of a send is its own: no offer throws it', async () => {
    const producer = broker.producer()
    const topic = broker.topic()
    const sent = producer.send(topic, { value: 'lost' })
    await nextTurn()
    broker.take()[0]!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    await expect(sent).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    expect(producer.offer(topic, null, 'taken')).toBe(true)
    await broker.serve()
    await producer.flush()
  })

  test('without retries, a lost broker fails what was in flight, naming it, and nothing else', async () => {
    const producer = broker.producer({ retries: 0 })
    const topic = broker.topic({ partitions: 3 })
    const sends = [0, 1, 2].map((partition) => producer.send(topic, { value: `v${partition}`, partition }))
    await nextTurn()
    const batches = broker.take()
    expect(batches).toHaveLength(3)
    batches[1]!.ack(7)
    broker.loseBroker(0)
    await expect(sends[1]).resolves.toMatchObject({ partition: 1, offset: 7 })
    for (const partition of [0, 2]) {
      await expect(sends[partition]).rejects.toMatchObject({
        code: 'NETWORK_EXCEPTION',
        retriable: true,
        message: expect.stringMatching(new RegExp(`broker 0 died .* 1 record\\(s\\) of ${topic.name}-${partition}`)) as string,
      })
    }
    const again = producer.send(topic, { value: 'again' })
    await nextTurn()
    await broker.serve()
    await again
  })
})
