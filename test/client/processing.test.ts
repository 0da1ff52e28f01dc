// `consumer.process` on a real millrace: everything is settled exactly as its policy says,
// whoever fails, comes, goes or closes meanwhile.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytes, json, nullable, openMillrace, string } from '../../src/index.ts'
import type { ConsumerRecord, EmbeddedMillrace, Processor, Topic } from '../../src/index.ts'
import { seededRandom } from '../../src/random.ts'

type TextTopic = Topic<string | null, string>

const PARTITIONS = 4

let millrace: EmbeddedMillrace
beforeAll(async () => {
  millrace = await openMillrace({ logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

/** `count` records, their keys turn about, value "number". */
async function filled(name: string, count: number, keys: number): Promise<TextTopic> {
  const topic = await millrace.topic(name, { partitions: PARTITIONS, key: nullable(string()), value: string() })
  const producer = millrace.producer()
  await producer.sendAll(
    topic,
    Array.from({ length: count }, (_, at) => ({ key: `key-${at % keys}`, value: `${at}`, headers: { at: `${at}` } })),
  )
  await producer.close()
  return topic
}

async function committed(topic: TextTopic, groupId: string): Promise<number[]> {
  const consumer = millrace.consumer({ groupId })
  const offsets = await consumer.committed(partitionsOf(topic))
  await consumer.close()
  return offsets.map((offset) => offset?.offset ?? 0)
}

async function ends(topic: TextTopic): Promise<number[]> {
  const consumer = millrace.consumer()
  const offsets = await consumer.endOffsets(partitionsOf(topic))
  await consumer.close()
  return offsets
}

function partitionsOf(topic: TextTopic): { topic: TextTopic; partition: number }[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
}

const idOf = ({ partition, offset }: { partition: number; offset: number }): string => `${partition}/${offset}`

async function lettersOf(name: string) {
  const topic = await millrace.topic(name, { key: nullable(bytes()), value: nullable(bytes()) })
  const letters = []
  for await (const letter of millrace.consumer().records(topic, { until: 'end' })) letters.push(letter)
  return letters
}

/** How often each record fails before its handler succeeds; one that fails for good never does. */
type Plan = 'succeeds' | number | 'never' | 'not again'

describe.each(['partition', 'key', 'none'] as const)('10,000 records, a third of which fail, order %s', (order) => {
  const ATTEMPTS = 3
  const RECORDS = 10_000

  test('are all settled as the policy says, in that order', async () => {
    const topic = await filled(`mail-${order}`, RECORDS, 500)
    const plans = new Map<string, Plan>()
    const random = seededRandom(0xfa11)
    for (let at = 0; at < RECORDS; at++) {
      const draw = random.below(300)
      plans.set(`${at}`, draw === 0 ? 'never' : draw === 1 ? 'not again' : draw < 100 ? 1 + random.below(ATTEMPTS - 1) : 'succeeds')
    }
    const attempts = new Map<string, number>()
    const succeeded = new Map<string, number>()
    const unsettled = new Map<string, string>()
    const lanes = new Map<string, { id: string; offset: number }>()
    const consumer = millrace.consumer({ groupId: `mailers-${order}` })
    const dead: string[] = []

    const settle = (record: ConsumerRecord<string | null, string>): void => {
      unsettled.delete(idOf(record))
      const lane = lanes.get(laneOf(record))
      if (lane?.id === idOf(record)) lanes.delete(laneOf(record))
    }
    const laneOf = ({ partition, key }: { partition: number; key: string | null }): string =>
      order === 'partition' ? `${partition}` : order === 'key' ? `${partition}/${key}` : ''
    const last = new Map<string, number>()

    const processor = consumer.process(
      topic,
      {
        concurrency: 16,
        order,
        retry: { attempts: ATTEMPTS, backoffMs: 1, backoffMaxMs: 4 },
        deadLetterTopic: `mail-${order}.dlt`,
      },
      async (record, { attempt, signal }) => {
        const id = idOf(record)
        expect(signal.aborted).toBe(false)
        expect(attempt).toBe((attempts.get(id) ?? 0) + 1)
        attempts.set(id, attempt)
        if (order !== 'none') {
          const lane = laneOf(record)
          // The one before it in this lane is settled, and it is the next of it.
          expect(lanes.get(lane)?.id ?? id).toBe(id)
          if (attempt === 1) expect(record.offset).toBeGreaterThan(last.get(lane) ?? -1)
          last.set(lane, record.offset)
          lanes.set(lane, { id, offset: record.offset })
        }
        if (record.offset % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
        const plan = plans.get(record.value)!
        if (plan === 'never' || (typeof plan === 'number' && attempt <= plan)) throw new Error(`attempt ${attempt} of ${record.value}`)
        if (plan === 'not again') throw Object.assign(new Error('not again'), { retriable: false })
        succeeded.set(id, (succeeded.get(id) ?? 0) + 1)
        settle(record)
      },
    )
    processor.on('deadLetter', ({ record }) => {
      dead.push(idOf(record))
      settle(record)
    })
    await processor.drained()
    await processor.close()

    const values = [...plans]
    const gone = values.filter(([, plan]) => plan === 'never' || plan === 'not again').map(([value]) => value)
    expect(succeeded.size).toBe(RECORDS - gone.length)
    expect([...succeeded.values()].every((times) => times === 1)).toBe(true)
    expect(dead).toHaveLength(gone.length)
    expect(gone.length).toBeGreaterThan(20)
    const letters = await lettersOf(`mail-${order}.dlt`)
    const decoder = new TextDecoder()
    expect(letters.map(({ value }) => decoder.decode(value!)).sort()).toEqual([...gone].sort())
    for (const letter of letters) {
      const value = decoder.decode(letter.value!)
      const plan = plans.get(value)
      expect(Object.fromEntries(letter.headers.toJSON())).toMatchObject({
        at: value,
        'millrace.dlt.topic': topic.name,
        'millrace.dlt.group': `mailers-${order}`,
        'millrace.dlt.attempts': plan === 'never' ? `${ATTEMPTS}` : '1',
        'millrace.dlt.error.name': 'Error',
        'millrace.dlt.error.message': plan === 'never' ? `attempt ${ATTEMPTS} of ${value}` : 'not again',
      })
      const [partition, offset] = ['partition', 'offset'].map((name) => Number(letter.headers.get(`millrace.dlt.${name}`)))
      expect(dead).toContain(idOf({ partition: partition!, offset: offset! }))
    }
    expect(await committed(topic, `mailers-${order}`)).toEqual(await ends(topic))
    await consumer.close()
  })
})

test('a record that cannot be decoded goes to the dead-letter topic as it is', async () => {
  const raw = await millrace.topic('orders', { partitions: 1, value: bytes() })
  const encoder = new TextEncoder()
  await millrace.producer().sendAll(raw, [{ value: encoder.encode('{"total":5}') }, { key: 'k', value: encoder.encode('{"tot') }])
  const orders = await millrace.topic('orders', { value: json<{ total: number }>() })
  const consumer = millrace.consumer({ groupId: 'orders' })
  const totals: number[] = []
  const processor = consumer.process(orders, { deadLetterTopic: 'orders.dlt' }, ({ value }) => totals.push(value.total))
  await processor.drained()
  await consumer.close()
  expect(totals).toEqual([5])
  const [letter, ...others] = await lettersOf('orders.dlt')
  expect(others).toEqual([])
  expect(letter!.key).toEqual(encoder.encode('k'))
  expect(letter!.value).toEqual(encoder.encode('{"tot'))
  expect(letter!.headers.get('millrace.dlt.error.code')).toBe('DESERIALIZATION')
  expect(letter!.headers.get('millrace.dlt.attempts')).toBe('0')
})

test('a poison record without a dead-letter topic ends it, and the group stays before that record', async () => {
  const topic = await filled('poisoned', 100, 1)
  const groupId = 'poisoned'
  const process = (): Processor<string | null, string> =>
    millrace.consumer({ groupId }).process(topic, { order: 'partition', retry: { attempts: 2, backoffMs: 0 } }, ({ value }) => {
      if (value === '40') throw new Error('poison')
    })
  for (let round = 0; round < 2; round++) {
    await expect(process().closed).rejects.toMatchObject({ code: 'PROCESSING_FAILED', cause: new Error('poison') })
    expect(Math.max(...(await committed(topic, groupId)))).toBe(40)
  }
})

test('partitions that go to another member in the middle are worked on there, from where they are settled', async () => {
  const RECORDS = 4_000
  const topic = await filled('moving', RECORDS, 200)
  const groupId = 'movers'
  const done = new Map<string, string[]>()
  let isAborted = 0
  const allDone = Promise.withResolvers<void>()
  const begin = (name: string): Processor<string | null, string> =>
    millrace
      .consumer({ groupId, autoCommitIntervalMs: 10 })
      .process(topic, { concurrency: 8, order: 'key' }, async (record, { signal }) => {
        await new Promise((resolve) => setImmediate(resolve))
        if (signal.aborted) {
          isAborted++
          return
        }
        const by = done.get(idOf(record)) ?? []
        done.set(idOf(record), [...by, name])
        if (done.size === RECORDS) allDone.resolve()
      })
  const first = begin('first')
  while (done.size < 500) await new Promise((resolve) => setImmediate(resolve))
  const second = begin('second')
  await allDone.promise
  await Promise.all([first.drained(), second.drained()])
  await Promise.all([first.close(), second.close()])
  const bySecond = [...done.values()].filter((by) => by.includes('second')).length
  expect(bySecond).toBeGreaterThan(0)
  // What ran, or was settled behind such a one, when its partition went comes twice, and nothing else.
  const twice = [...done.values()].filter((by) => by.length > 1)
  expect(twice.length + isAborted).toBeLessThan(2 * 1_000)
  expect(twice.every((by) => by.join() === 'first,second')).toBe(true)
  expect(await committed(topic, groupId)).toEqual(await ends(topic))
})

test('closed in the middle, what is settled is committed, and the next one begins there', async () => {
  const RECORDS = 3_000
  const topic = await filled('closing', RECORDS, 50)
  const groupId = 'closers'
  const done = new Map<string, number>()
  let runs = 0
  for (; done.size < RECORDS; runs++) {
    const consumer = millrace.consumer({ groupId })
    const enough = Promise.withResolvers<void>()
    const until = Math.min(RECORDS, done.size + 700)
    consumer.process(topic, { concurrency: 4, order: 'partition' }, async (record) => {
      await new Promise((resolve) => setImmediate(resolve))
      done.set(idOf(record), (done.get(idOf(record)) ?? 0) + 1)
      if (done.size >= until) enough.resolve()
    })
    await enough.promise
    await consumer.close()
  }
  expect(runs).toBe(5)
  // In order, and every handler that ran has ended: nothing comes twice.
  expect(Math.max(...done.values())).toBe(1)
  expect(await committed(topic, groupId)).toEqual(await ends(topic))
})

test('a handler that outlasts the close is told, and its record comes again', async () => {
  const topic = await filled('stuck', 10, 1)
  const consumer = millrace.consumer({ groupId: 'stuck' })
  const aborted = Promise.withResolvers<unknown>()
  const processor = consumer.process(topic, { order: 'partition' }, ({ value }, { signal }) => {
    if (value !== '3') return undefined
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => [aborted.resolve(signal.reason), reject(signal.reason as Error)]),
    )
  })
  while (processor.inFlight === 0 || processor.running === 0) await new Promise((resolve) => setImmediate(resolve))
  while (Math.max(...(await committed(topic, 'stuck'))) < 3) await consumer.commit()
  await consumer.close({ timeoutMs: 20 })
  expect(await aborted.promise).toMatchObject({ code: 'CLOSED' })
  expect(Math.max(...(await committed(topic, 'stuck')))).toBe(3)
})

test('without a group all partitions are worked on, and the next loop of the consumer begins with what is not settled', async () => {
  const topic = await filled('plain', 1_000, 10)
  const consumer = millrace.consumer()
  const seen = new Set<string>()
  const processor = consumer.process(topic, { concurrency: 8 }, (record) => seen.add(idOf(record)))
  await processor.drained()
  expect(seen.size).toBe(1_000)
  await processor.close()
  await millrace.producer().send(topic, { key: 'last', value: 'one more' })
  const rest: string[] = []
  for await (const record of consumer.records(topic, { until: 'end' })) rest.push(record.value)
  expect(rest).toEqual(['one more'])
  const assigned = millrace.consumer()
  assigned.assign([{ topic, partition: 1 }])
  const partitions = new Set<number>()
  const some = assigned.process(topic, {}, ({ partition }) => partitions.add(partition))
  await some.drained()
  expect([...partitions]).toEqual([1])
  await Promise.all([consumer.close(), assigned.close()])
})

test('partitions assigned by hand, with a group: its offsets are gone on from, and committed', async () => {
  const topic = await filled('by-hand', 1_000, 10)
  for (let round = 0; round < 2; round++) {
    const consumer = millrace.consumer({ groupId: 'by-hand' })
    consumer.assign(partitionsOf(topic))
    let count = 0
    const processor = consumer.process(topic, { concurrency: 4 }, () => count++)
    await processor.drained()
    await consumer.close()
    expect(count).toBe(round === 0 ? 1_000 : 0)
  }
  expect(await committed(topic, 'by-hand')).toEqual(await ends(topic))
})

test('what is sought is worked on anew', async () => {
  const topic = await filled('again', 40, 1)
  const consumer = millrace.consumer()
  const seen: string[] = []
  const processor = consumer.process(topic, { order: 'partition' }, ({ value }) => seen.push(value))
  await processor.drained()
  const partition = (await ends(topic)).findIndex((end) => end > 0)
  consumer.seek(topic, partition, 38)
  await processor.drained()
  expect(seen.slice(40)).toEqual(['38', '39'])
  await consumer.close()
})

test('is refused what it does not take', async () => {
  const topic = await filled('refused', 1, 1)
  const consumer = millrace.consumer()
  const refusal = (call: () => unknown): unknown => {
    try {
      return call()
    } catch (error) {
      return error
    }
  }
  expect(refusal(() => consumer.process(topic, (() => undefined) as never, undefined as never))).toMatchObject({ code: 'INVALID_REQUEST' })
  expect(refusal(() => consumer.process(topic, { deadLetterTopic: 'refused' }, () => undefined))).toMatchObject({ code: 'INVALID_CONFIG' })
  const processor = consumer.process(topic, {}, () => undefined)
  expect(refusal(() => consumer.process(topic, {}, () => undefined))).toMatchObject({ code: 'INVALID_REQUEST' })
  await processor.close()
  await consumer.close()
  expect(refusal(() => consumer.process(topic, {}, () => undefined))).toMatchObject({ code: 'CLOSED' })
})

test('closing millrace lets handlers end that send', async () => {
  const own = await openMillrace()
  const [topic, out] = await Promise.all([own.topic('in', { value: string() }), own.topic('out', { value: string() })])
  const producer = own.producer()
  await producer.send(topic, { value: 'x' })
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let sent = false
  own.consumer({ groupId: 'g' }).process(topic, {}, async () => {
    begun.resolve()
    await go.promise
    await producer.send(out, { value: 'y' })
    sent = true
  })
  await begun.promise
  const closing = own.close()
  go.resolve()
  await closing
  expect(sent).toBe(true)
})
