import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytes, json, nullable, openMillrace, string } from '../../src/index.ts'
import type { ConsumerRecord, DescribedPartition, EmbeddedMillrace, Topic } from '../../src/index.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024 })
})
afterAll(() => millrace.close())

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** A topic with `count` records "0", "1", … in each partition. */
async function filled(name: string, count: number, partitions = 1): Promise<Topic<string | null, string>> {
  const topic = await millrace.topic(name, { partitions, value: string() })
  const producer = millrace.producer({ batchSize: 512 })
  for (let partition = 0; partition < partitions; partition++) {
    for (let i = 0; i < count; i++) while (!producer.offer(topic, null, `${i}`, { partition })) await producer.drained()
  }
  await producer.close()
  return topic
}

async function valuesOf(records: AsyncIterable<ConsumerRecord<unknown, string>>, count = Number.POSITIVE_INFINITY): Promise<string[]> {
  const values: string[] = []
  if (count === 0) return values
  for await (const record of records) if (values.push(record.value) === count) break
  return values
}

describe('records', () => {
  test('carry topic, partition, offset, timestamp, key, value and headers', async () => {
    const topic = await millrace.topic('whole', { partitions: 3, key: nullable(string()), value: nullable(string()) })
    const producer = millrace.producer()
    const sentAfterMs = Date.now()
    await producer.send(topic, { key: 'k', value: 'v', timestamp: 1_234, partition: 1, headers: { source: 'web' } })
    await producer.send(topic, { value: null, partition: 1 })
    const records: ConsumerRecord<string | null, string | null>[] = []
    for await (const record of millrace.consumer().records(topic, { until: 'end' })) records.push(record)
    expect(records).toHaveLength(2)
    expect(records[0]).toMatchObject({ topic: 'whole', partition: 1, offset: 0, timestamp: 1_234, key: 'k', value: 'v' })
    expect(records[0]!.headers.get('source')).toBe('web')
    expect(records[1]).toMatchObject({ partition: 1, offset: 1, key: null, value: null })
    expect(records[1]!.timestamp).toBeGreaterThanOrEqual(sentAfterMs - 1)
    expect(records[1]!.timestamp).toBeLessThanOrEqual(Date.now())
    expect(records[1]!.headers.size).toBe(0)
  })

  test('timestamps of any age and order, in one batch', async () => {
    const config = { 'message.timestamp.after.max.ms': Number.MAX_SAFE_INTEGER }
    const topic = await millrace.topic('ages', { value: string(), config })
    const producer = millrace.producer()
    const timestamps = [0, Date.now(), 1, 2 ** 53 - 2, 1_431_861_902_000, 0]
    await producer.sendAll(
      topic,
      timestamps.map((timestamp) => ({ value: 'v', timestamp })),
    )
    const read: number[] = []
    for await (const { timestamp } of millrace.consumer().records(topic, { until: 'end' })) read.push(timestamp)
    expect(read).toEqual(timestamps)
  })

  test('headers keep order and duplicates; text, bytes and null', async () => {
    const topic = await millrace.topic('headers', { value: string() })
    const producer = millrace.producer()
    const bom = '\ufeffmarked'
    await producer.send(topic, {
      value: 'pairs',
      headers: [
        ['b', 'erste'],
        ['a', Uint8Array.of(0, 0xff)],
        ['b', null],
        ['b', bom],
        ['', ''],
      ],
    })
    await producer.send(topic, { value: 'object', headers: { ключ: 'значение', zero: new Uint8Array(), none: null } })
    await producer.send(topic, { value: 'map', headers: new Map([['m', 'x'.repeat(70_000)]]) })
    await producer.send(topic, { value: 'empty', headers: {} })
    const records: ConsumerRecord<unknown, string>[] = []
    for await (const record of millrace.consumer().records(topic, { until: 'end' })) records.push(record)
    const [pairs, object, map, empty] = records.map(({ headers }) => headers)
    expect([...pairs!].map(({ key }) => key)).toEqual(['b', 'a', 'b', 'b', ''])
    expect(pairs!.size).toBe(5)
    expect(pairs!.getAll('b')).toEqual(['erste', null, bom])
    expect(pairs!.get('b')).toBe(bom)
    expect(pairs!.getBytes('a')).toEqual(Uint8Array.of(0, 0xff))
    expect(pairs!.get('')).toBe('')
    expect(pairs!.get('c')).toBeUndefined()
    expect(pairs!.getAll('c')).toEqual([])
    expect(object!.get('ключ')).toBe('значение')
    expect(object!.getBytes('zero')).toEqual(new Uint8Array())
    expect(object!.get('none')).toBeNull()
    expect(object!.getBytes('none')).toBeNull()
    expect(map!.get('m')).toHaveLength(70_000)
    expect(empty!.size).toBe(0)

    await producer.send(topic, { value: 'handed on', headers: pairs! })
    const consumer = millrace.consumer()
    consumer.seek(topic, 0, 4)
    for await (const record of consumer.records(topic, { until: 'end' })) expect([...record.headers]).toEqual([...pairs!])
  })

  test('kept beyond their batch they never change, and a copy lets go of it', async () => {
    const topic = await millrace.topic('kept-bytes', { key: nullable(bytes()), value: bytes() })
    const producer = millrace.producer({ batchSize: 4_096 })
    const count = 4_000
    for (let i = 0; i < count; i++) {
      const value = Buffer.from(`${i} `.repeat(20))
      while (!producer.offer(topic, i % 2 === 0 ? null : value, value, { headers: { i: `${i}` } })) await producer.drained()
    }
    await producer.flush()
    const kept: [ConsumerRecord<Uint8Array | null, Uint8Array>, Uint8Array][] = []
    const copies: ConsumerRecord<Uint8Array | null, Uint8Array>[] = []
    for await (const batch of millrace.consumer({ maxPartitionFetchBytes: 8_192 }).batches(topic, { until: 'end' })) {
      for (const record of batch) {
        // Half of them are touched only long after their batch.
        if (record.offset % 3 === 0) kept.push([record, record.value])
        else copies.push(record.copy())
      }
    }
    const expected = (i: number): Buffer => Buffer.from(`${i} `.repeat(20))
    for (const [record, value] of kept) {
      expect(Buffer.from(value).equals(expected(record.offset))).toBe(true)
      expect(Buffer.from(record.key ?? expected(record.offset)).equals(expected(record.offset))).toBe(true)
    }
    for (const copy of copies) {
      expect(Buffer.from(copy.value).equals(expected(copy.offset))).toBe(true)
      expect(copy.key === null).toBe(copy.offset % 2 === 0)
      expect(copy.headers.get('i')).toBe(`${copy.offset}`)
      expect(copy.value.buffer.byteLength).toBeLessThan(1_000)
    }
    expect(kept.length + copies.length).toBe(count)
    expect(new Set(kept.map(([, value]) => value.buffer)).size).toBeGreaterThan(10)
  })
})

describe('records and topics, printed', () => {
  test('show what they are, and not the memory that they lie in', async () => {
    const topic = await millrace.topic('printed', { partitions: 2, value: json<{ a: number }>() })
    await millrace.producer().send(topic, { key: 'k', value: { a: 1 }, partition: 1, timestamp: 5, headers: { h: 'x' } })
    const raw = await millrace.topic('printed', { value: bytes() })
    await millrace.producer().send(raw, { value: Buffer.from('{'), partition: 1, timestamp: 6 })
    const records: ConsumerRecord<string | null, { a: number }>[] = []
    for await (const record of millrace.consumer().records(topic, { until: 'end' })) records.push(record)
    const [good, broken] = records
    expect(JSON.parse(JSON.stringify({ good, topic }))).toEqual({
      good: { topic: 'printed', partition: 1, offset: 0, timestamp: 5, key: 'k', value: { a: 1 }, headers: [['h', 'x']] },
      topic: { name: 'printed', topicId: topic.topicId, partitions: 2 },
    })
    expect(inspect(good)).toContain('value: { a: 1 }')
    expect(inspect(good).length).toBeLessThan(400)
    expect(() => JSON.stringify(broken)).toThrow(/printed-1 at offset 1/)
    expect(inspect(broken)).toMatch(/offset: 1,.*error: MillraceError: the value of printed-1 at offset 1 cannot be decoded/s)
  })
})

describe('batches', () => {
  test('of one partition each, offsets in order, each record once', async () => {
    const topic = await filled('batches', 500, 3)
    const next = [0, 0, 0]
    for await (const batch of millrace.consumer({ maxPartitionFetchBytes: 600 }).batches(topic, { until: 'end' })) {
      expect(batch.topic).toBe('batches')
      expect(batch.sizeInBytes).toBeGreaterThan(0)
      expect(batch.firstOffset).toBe(next[batch.partition])
      for (const record of batch) {
        expect(record).toMatchObject({ partition: batch.partition, offset: next[batch.partition] })
        expect(record.value).toBe(`${next[batch.partition]!++}`)
      }
      expect(batch.nextOffset).toBe(next[batch.partition])
    }
    expect(next).toEqual([500, 500, 500])
  })

  test('take turns among partitions', async () => {
    const topic = await filled('turns', 300, 3)
    const order: number[] = []
    for await (const batch of millrace.consumer({ maxPartitionFetchBytes: 600 }).batches(topic, { until: 'end' }))
      order.push(batch.partition)
    expect(order.slice(0, 9)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  })

  test('a cursor walks one without objects, as often as one likes', async () => {
    const topic = await filled('cursor', 300)
    const text = new TextDecoder()
    let expected = 0
    for await (const batch of millrace.consumer().batches(topic, { until: 'end' })) {
      for (let round = 0; round < 2; round++) {
        let offset = batch.firstOffset
        for (const cursor = batch.cursor(); cursor.next(); offset++) {
          expect(cursor.offset).toBe(offset)
          expect([cursor.keyStart, cursor.keyEnd]).toEqual([-1, -1])
          expect(text.decode(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd))).toBe(`${offset}`)
        }
        expect(offset).toBe(batch.nextOffset)
      }
      expect([...batch].map(({ value }) => Number(value))).toEqual(upTo(batch.nextOffset).slice(batch.firstOffset))
      expect(batch.cursor().next()).toBe(true)
      expected = batch.nextOffset
    }
    expect(expected).toBe(300)
  })

  test('a batch that was not iterated is gone when the next one is asked for: its cursor ends, a later one is refused', async () => {
    const topic = await filled('gone', 500)
    const iterator = millrace.consumer({ maxPartitionFetchBytes: 600 }).batches(topic, { until: 'end' })
    const first = (await iterator.next()).value!
    const cursor = first.cursor()
    expect(cursor.next()).toBe(true)
    const second = (await iterator.next()).value!
    const secondCursor = second.cursor()
    expect(() => first.cursor()).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringContaining('gone-0') as string }),
    )
    expect(() => [...first]).toThrow(/the batch of gone-0 from offset 0 on is gone/)
    // The misuse has not disturbed the batch that is there.
    expect(secondCursor.next()).toBe(true)
    expect(secondCursor.offset).toBe(second.firstOffset)
    const iterated = [...second]
    await iterator.next()
    expect([...second].map(({ value }) => value)).toEqual(iterated.map(({ value }) => value))
    expect(() => second.cursor()).toThrow(/is gone/)
    await iterator.return!()
  })
})

describe("until: 'end'", () => {
  test('stops at the ends of the start: what comes meanwhile is not read', async () => {
    const topic = await filled('end', 100, 2)
    const producer = millrace.producer()
    let count = 0
    for await (const record of millrace.consumer().records(topic, { until: 'end' })) {
      if (count++ < 20) await producer.send(topic, { value: 'late', partition: record.partition })
    }
    expect(count).toBe(200)
  })

  test('an empty topic ends at once, and a consumer that has read all', async () => {
    const topic = await millrace.topic('empty', { partitions: 3, value: string() })
    const consumer = millrace.consumer()
    expect(await valuesOf(consumer.records(topic, { until: 'end' }))).toEqual([])
    await millrace.producer().send(topic, { value: 'a' })
    expect(await valuesOf(consumer.records(topic, { until: 'end' }))).toEqual(['a'])
    expect(await valuesOf(consumer.records(topic, { until: 'end' }))).toEqual([])
  })

  test('without it, reading waits for more and goes on', async () => {
    const topic = await filled('waits', 10)
    const values = valuesOf(millrace.consumer().records(topic), 20)
    const producer = millrace.producer()
    for (let i = 10; i < 20; i++) await producer.send(topic, { value: `${i}` })
    expect(await values).toEqual(upTo(20).map(String))
  })
})

describe('positions', () => {
  test('a later loop goes on where the one before ended', async () => {
    const topic = await filled('goes-on', 300)
    const consumer = millrace.consumer()
    // The rest of a batch that was handed out in part is not read again: records are not settled here.
    const first = await valuesOf(consumer.records(topic), 5)
    const position = consumer.position(topic, 0)
    expect(first).toEqual(['0', '1', '2', '3', '4'])
    expect(await valuesOf(consumer.records(topic, { until: 'end' }))).toEqual(upTo(300).slice(position).map(String))
    expect(consumer.position(topic, 0)).toBe(300)
  })

  test('seek, also into the middle of a batch, and position', async () => {
    const topic = await filled('seek', 300, 2)
    const consumer = millrace.consumer()
    expect(consumer.position(topic, 1)).toBe(0)
    consumer.seek(topic, 0, 300)
    for (const offset of [250, 17, 299, 0]) {
      consumer.seek(topic, 1, offset)
      expect(consumer.position(topic, 1)).toBe(offset)
      expect(await valuesOf(consumer.records(topic, { until: 'end' }))).toEqual(upTo(300).slice(offset).map(String))
    }
  })

  test('seek wakes a loop that waits', async () => {
    const topic = await filled('seek-wakes', 10)
    const consumer = millrace.consumer({ autoOffsetReset: 'latest' })
    const value = valuesOf(consumer.records(topic), 3)
    await new Promise((resolve) => setImmediate(resolve))
    consumer.seek(topic, 0, 7)
    expect(await value).toEqual(['7', '8', '9'])
  })

  test('assign: these partitions and no others, until told otherwise', async () => {
    const topic = await filled('assigned', 10, 4)
    const consumer = millrace.consumer()
    const read = async (): Promise<number[]> => {
      const partitions = new Set<number>()
      for (let partition = 0; partition < 4; partition++) consumer.seek(topic, partition, 0)
      for await (const { partition } of consumer.records(topic, { until: 'end' })) partitions.add(partition)
      return [...partitions].sort()
    }
    expect(consumer.assignment()).toEqual([])
    consumer.assign([1, 3, 1].map((partition) => ({ topic, partition })))
    expect(consumer.assignment()).toEqual([
      { topic: 'assigned', partition: 1 },
      { topic: 'assigned', partition: 3 },
    ])
    expect(await read()).toEqual([1, 3])
    consumer.assign([{ topic, partition: 0 }])
    expect(await read()).toEqual([0])
    consumer.assign([])
    expect(await read()).toEqual([0, 1, 2, 3])
  })

  test('a topic that is bound twice has one position, and each binding its serdes', async () => {
    const topic = await filled('bound-twice', 20)
    const raw = await millrace.topic('bound-twice', { value: bytes() })
    const consumer = millrace.consumer()
    consumer.assign([{ topic: raw, partition: 0 }])
    consumer.seek(raw, 0, 18)
    expect(await valuesOf(consumer.records(topic), 1)).toEqual(['18'])
    consumer.seek(topic, 0, 19)
    for await (const record of consumer.records(raw, { until: 'end' })) expect(Buffer.from(record.value).toString()).toBe('19')
    expect(consumer.position(topic, 0)).toBe(20)
  })
})

describe('autoOffsetReset', () => {
  test.each([
    ['earliest', ['0', '1', '2', 'new']],
    ['latest', ['new']],
  ] as const)('%s', async (autoOffsetReset, expected) => {
    const topic = await filled(`reset-${autoOffsetReset}`, 3)
    const consumer = millrace.consumer({ autoOffsetReset })
    const values = valuesOf(consumer.records(topic), expected.length)
    await millrace.producer().send(topic, { value: 'new' })
    expect(await values).toEqual(expected)
  })

  test('none: reading needs a position', async () => {
    const topic = await filled('reset-none', 3)
    const consumer = millrace.consumer({ autoOffsetReset: 'none' })
    const failure = { code: 'OFFSET_OUT_OF_RANGE', message: expect.stringMatching(/reset-none-0 has no position yet/) as string }
    await expect(consumer.records(topic).next()).rejects.toMatchObject(failure)
    expect(() => consumer.position(topic, 0)).toThrow(expect.objectContaining(failure))
    consumer.seek(topic, 0, 1)
    expect(await valuesOf(consumer.records(topic, { until: 'end' }))).toEqual(['1', '2'])
  })

  test('an offset beyond the end: the policy, and an event', async () => {
    const topic = await filled('beyond', 10)
    const consumer = millrace.consumer()
    const events: unknown[] = []
    consumer.on('overtaken', (event) => events.push(event))
    consumer.seek(topic, 0, 1_000)
    expect(await valuesOf(consumer.records(topic), 2)).toEqual(['0', '1'])
    expect(events).toEqual([{ topic: 'beyond', partition: 0, missed: 0, from: 1_000, to: 0 }])

    const strict = millrace.consumer({ autoOffsetReset: 'none' })
    strict.seek(topic, 0, 1_000)
    await expect(strict.records(topic).next()).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringMatching(/offset 1000 of beyond-0 cannot be read: it is beyond the end of the log/) as string,
    })
  })
})

describe('a reader that retention overtakes', () => {
  const megabyte = new Uint8Array(1_000_000)

  async function overtaken(
    name: string,
  ): Promise<{ topic: Topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>; start: number }> {
    const topic = await millrace.topic(name, { value: bytes(), config: { 'retention.bytes': 4_000_000 } })
    const producer = millrace.producer()
    for (let i = 0; i < 20; i++) await producer.send(topic, { value: megabyte })
    const { partitions } = await millrace.admin.describeTopic(name)
    const [{ startOffset, trimmedRecords, expiredRecords, endOffset }] = partitions as [(typeof partitions)[number]]
    expect(startOffset).toBeGreaterThan(0)
    expect([trimmedRecords, expiredRecords]).toEqual([0, startOffset])
    expect(endOffset).toBe(20)
    return { topic, start: startOffset }
  }

  test('goes on at the earliest record, and is told how many it missed', async () => {
    const { topic, start } = await overtaken('overtaken-earliest')
    const consumer = millrace.consumer()
    const events: unknown[] = []
    consumer.on('overtaken', (event) => events.push(event))
    consumer.seek(topic, 0, 0)
    const offsets: number[] = []
    for await (const { offset } of consumer.records(topic, { until: 'end' })) offsets.push(offset)
    expect(offsets).toEqual(upTo(20).slice(start))
    expect(events).toEqual([{ topic: 'overtaken-earliest', partition: 0, missed: start, from: 0, to: start }])
  })

  test('retention by age: the records go by themselves, a moment after they are too old', async () => {
    const topic = await millrace.topic('expiring', { value: string(), config: { 'retention.ms': 50 } })
    const producer = millrace.producer()
    for (let i = 0; i < 20; i++) await producer.send(topic, { value: `${i}` })
    const describe = async (): Promise<DescribedPartition> => (await millrace.admin.describeTopic('expiring')).partitions[0]!
    while ((await describe()).startOffset < 20) continue
    expect(await describe()).toMatchObject({ startOffset: 20, endOffset: 20, trimmedRecords: 0, expiredRecords: 20 })
    const consumer = millrace.consumer()
    const missed: number[] = []
    consumer.on('overtaken', (event) => missed.push(event.missed))
    consumer.seek(topic, 0, 5)
    await producer.send(topic, { value: '20', timestamp: Date.now() + 3_600_000 })
    expect(await valuesOf(consumer.records(topic, { until: 'end' }))).toEqual(['20'])
    expect(missed).toEqual([15])
  })

  test("'none': an error that says so; what a listener throws ends the loop as well", async () => {
    const { topic, start } = await overtaken('overtaken-none')
    const strict = millrace.consumer({ autoOffsetReset: 'none' })
    strict.seek(topic, 0, 0)
    await expect(strict.batches(topic).next()).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining(`${start} record(s) went by retention before they were read`) as string,
    })
    const consumer = millrace.consumer()
    consumer.on('overtaken', () => {
      throw new Error('enough')
    })
    consumer.seek(topic, 0, 0)
    await expect(consumer.batches(topic).next()).rejects.toThrow('enough')
    expect((await consumer.batches(topic, { until: 'end' }).next()).value!.firstOffset).toBe(start)
  })
})
