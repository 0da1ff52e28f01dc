import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytes, defineTopic, json, msgpack, nullable, openMillrace, string } from '../../src/index.ts'
import type { ConsumerRecord, EmbeddedMillrace, StandardSchema } from '../../src/index.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024, partitionsMax: 64 })
})
afterAll(() => millrace.close())

describe('millrace.topic', () => {
  test('makes what is missing: one partition, the configs that were given', async () => {
    const topic = await millrace.topic('plain')
    expect(topic).toMatchObject({ name: 'plain', partitions: 1, topicId: expect.stringMatching(/^[\w-]{22}$/) as string })
    const configured = await millrace.topic('configured', { partitions: 3, config: { 'retention.bytes': 1_000_000 } })
    expect(configured.partitions).toBe(3)
    expect(await millrace.admin.describeTopic('configured')).toMatchObject({
      name: 'configured',
      topicId: configured.topicId,
      config: { 'retention.bytes': '1000000' },
      partitions: [0, 1, 2].map((partition) => ({ partition, startOffset: 0, endOffset: 0, trimmedRecords: 0, expiredRecords: 0 })),
    })
    expect(await millrace.admin.listTopics()).toEqual(expect.arrayContaining(['plain', 'configured']))
    expect(await millrace.admin.listTopics()).not.toContain('__cluster_metadata')
  })

  test('binds what is there, by name, by definition, from several calls at once', async () => {
    const definition = defineTopic('there', { partitions: 2, value: json<number>() })
    const bound = await Promise.all([millrace.topic(definition), millrace.topic(definition), millrace.topic('there')])
    expect(new Set(bound.map(({ topicId }) => topicId)).size).toBe(1)
    expect(bound.map(({ partitions }) => partitions).every((count) => count === bound[0].partitions)).toBe(true)
  })

  test('the partitions of a topic are spread over the brokers', async () => {
    await millrace.topic('spread', { partitions: 6 })
    const { partitions } = await millrace.admin.describeTopic('spread')
    expect(partitions.map(({ leader }) => leader).sort()).toEqual([0, 0, 0, 1, 1, 1])
  })

  test('an existing topic may have more partitions, not fewer', async () => {
    await millrace.topic('three', { partitions: 3 })
    expect((await millrace.topic('three', { partitions: 2 })).partitions).toBe(3)
    expect((await millrace.topic('three')).partitions).toBe(3)
    await expect(millrace.topic('three', { partitions: 4 })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/topic "three" exists and differs: it has 3 partition\(s\), not 4\. Define it as it is/) as string,
    })
  })

  test('other configs are refused, each difference said; those not named are not compared', async () => {
    await millrace.topic('kept', { config: { 'max.message.bytes': 1_000, 'retention.ms': 5_000 } })
    await millrace.topic('kept', { config: { 'retention.ms': 5_000 } })
    await expect(millrace.topic('kept', { config: { 'max.message.bytes': 2_000, 'retention.ms': 6_000 } })).rejects.toThrow(
      /retention\.ms is 5000, not 6000; max\.message\.bytes is 1000, not 2000/,
    )
    await expect(millrace.topic('kept', { config: { 'retention.bytes': -1 } })).rejects.toThrow(/retention\.bytes is not set, not -1/)
  })

  test('what was not there before is not made by a definition that is refused', async () => {
    await expect(millrace.topic('replicated', { replicationFactor: 3 })).rejects.toMatchObject({ code: 'INVALID_REPLICATION_FACTOR' })
    await expect(millrace.admin.describeTopic('replicated')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false })
  })

  test('more partitions than there is room for', async () => {
    await expect(millrace.topic('huge', { partitions: 1_000 })).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' })
    await expect(millrace.admin.describeTopic('huge')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  test.each<[string, unknown, unknown, string, RegExp]>([
    ['no name', undefined, undefined, 'INVALID_TOPIC_EXCEPTION', /a topic's name is 1 to 249 characters/],
    ['a wrong name', 'a b', undefined, 'INVALID_TOPIC_EXCEPTION', /"a b" was given/],
    ['a wrong option', 'x', { partition: 3 }, 'INVALID_CONFIG', /did you mean partitions/],
    ['a wrong number', 'x', { partitions: 0 }, 'INVALID_PARTITIONS', /from 1 to/],
    ['a wrong config', 'x', { config: { 'retention.msec': 1 } }, 'INVALID_CONFIG', /did you mean retention\.ms/],
    ['a config that is not there yet', 'x', { config: { 'remote.storage.enable': true } }, 'INVALID_CONFIG', /remote\.storage\.enable/],
    ['a serde that was not called', 'x', { value: string }, 'INVALID_CONFIG', /call the function, as in string\(\)/],
    ['something else', { name: 'x', partitions: 1 }, undefined, 'INVALID_REQUEST', /takes a name and options, or what defineTopic gave/],
    ['a definition and options', defineTopic('x'), { partitions: 2 }, 'INVALID_REQUEST', /put these options into the definition of "x"/],
  ])('%s', async (_, name, options, code, message) => {
    await expect(millrace.topic(name as string, options as never)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  test('a topic that is bound already', async () => {
    const bound = await millrace.topic('plain')
    await expect(millrace.topic(bound as never)).rejects.toThrow(/topic "plain" is bound already/)
  })
})

describe('serdes on the road', () => {
  test.each<[string, object, unknown[], unknown[]]>([
    ['bytes', { key: bytes(), value: bytes() }, [Uint8Array.of(1, 2), new Uint8Array()], [Uint8Array.of(0xff), new Uint8Array()]],
    ['string', { key: string(), value: string() }, ['', 'ключ', 'k'.repeat(300)], ['', 'straße 🌍', 'v'.repeat(70_000)]],
    ['json', { key: json(), value: json() }, [{ id: 1 }, [1], 5], [{ a: [null, true, { b: 'c' }] }, 0, '']],
    ['msgpack', { key: msgpack(), value: msgpack() }, ['k', 7], [{ a: [1.5, null], bytes: Uint8Array.of(1), at: new Date(5) }, 'text']],
    ['nullable', { key: nullable(string()), value: nullable(json()) }, ['k', null], [null, { a: 1 }]],
    ['no serdes', {}, ['k', null], [{ any: ['thing', 1] }, 5]],
    [
      "the user's own",
      { value: { serialize: (n: number) => String(n * 2), deserialize: (view: Uint8Array) => Number(Buffer.from(view).toString()) } },
      ['k'],
      [21],
    ],
  ])('%s', async (name, serdes, keys, values) => {
    const topic = await millrace.topic<unknown, unknown, unknown, unknown>(`serde-${name.replaceAll(/\W/g, '-')}`, serdes)
    const producer = millrace.producer()
    const sent = keys.flatMap((key) => values.map((value) => ({ key, value })))
    await producer.sendAll(topic, sent)
    for (const { key, value } of sent) producer.offer(topic, key, value)
    await producer.flush()
    const read: unknown[] = []
    for await (const { key, value } of millrace.consumer().records(topic, { until: 'end' })) read.push({ key, value })
    const expected = name === "the user's own" ? [{ key: 'k', value: 42 }] : sent
    expect(read).toEqual([...expected, ...expected])
  })

  test('a schema: send takes its input, records carry its output, and reading checks with validate: both', async () => {
    const schema: StandardSchema<{ page: string }, { page: string; length: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => {
          const { page } = (value ?? {}) as { page?: unknown }
          return typeof page === 'string'
            ? { value: { page, length: page.length } }
            : { issues: [{ message: 'is no text', path: ['page'] }] }
        },
      },
    }
    const topic = await millrace.topic('schema', { value: json(schema) })
    const producer = millrace.producer()
    await producer.send(topic, { value: { page: '/abc' } })
    await expect(producer.send(topic, { value: { page: 5 as never } })).rejects.toThrow(
      /value for topic schema cannot be encoded .*page: is no text/,
    )
    const foreign = await millrace.topic('schema', { value: string() })
    await producer.send(foreign, { value: '{"page":5}' })
    const read = async (validate: 'produce' | 'both'): Promise<unknown[]> => {
      const bound = await millrace.topic('schema', { value: json(schema), validate })
      const values: unknown[] = []
      for await (const record of millrace.consumer().records(bound, { until: 'end' })) values.push(record.value)
      return values
    }
    expect(await read('produce')).toEqual([{ page: '/abc', length: 4 }, { page: 5 }])
    await expect(read('both')).rejects.toMatchObject({
      code: 'DESERIALIZATION',
      message: expect.stringMatching(/schema-0 at offset 1 .*is no text/) as string,
    })
  })

  test('keys and values that the serde does not take, and tombstones where there are none', async () => {
    const topic = await millrace.topic('strict', { key: string(), value: json<unknown>() })
    const producer = millrace.producer()
    await expect(producer.send(topic, { key: 5 as never, value: 1 })).rejects.toMatchObject({
      code: 'SERIALIZATION',
      retriable: false,
      message: 'the key for topic strict cannot be encoded by string(): string() takes a string, not a number',
    })
    await expect(producer.send(topic, { key: 'k', value: 1n })).rejects.toThrow(/value for topic strict cannot be encoded by json\(\)/)
    await expect(producer.send(topic, { value: 1 } as never)).rejects.toThrow(/key for topic strict is missing: give a key/)
    await expect(producer.send(topic, { key: 'k' } as never)).rejects.toThrow(/value for topic strict is missing: give a value/)
    await expect(producer.send(topic, { key: 'k', value: null })).rejects.toThrow(/define the topic with value: nullable\(…\)/)
  })

  test('a foreign record that cannot be decoded names topic, partition and offset, where it is touched', async () => {
    const raw = await millrace.topic('foreign', { partitions: 3, key: nullable(bytes()), value: nullable(bytes()) })
    const producer = millrace.producer()
    const [broken] = await producer.sendAll(raw, [
      { key: Buffer.from('k'), value: Buffer.from('{"broken'), partition: 2 },
      { key: Uint8Array.of(0xff, 0xfe), value: Buffer.from('{}'), partition: 2 },
      { key: Buffer.from('k'), value: null, partition: 2 },
      { key: Buffer.from('k'), value: Buffer.from('5'), partition: 2 },
    ])
    const topic = await millrace.topic('foreign', { key: string(), value: json() })
    const records: ConsumerRecord<string, unknown>[] = []
    for await (const record of millrace.consumer().records(topic, { until: 'end' })) records.push(record)
    const at = (offset: number, field: string): object => ({
      code: 'DESERIALIZATION',
      retriable: false,
      message: expect.stringMatching(new RegExp(`the ${field} of foreign-2 at offset ${broken!.offset + offset} `)) as string,
    })
    expect(records[0]!.key).toBe('k')
    expect(() => records[0]!.value).toThrow(expect.objectContaining({ ...at(0, 'value'), cause: expect.any(SyntaxError) as Error }))
    expect(() => records[0]!.value).toThrow(expect.objectContaining(at(0, 'value')))
    expect(records[1]!.value).toEqual({})
    expect(() => records[1]!.key).toThrow(expect.objectContaining(at(1, 'key')))
    expect(() => records[2]!.value).toThrow(expect.objectContaining(at(2, 'value')))
    expect(() => records[2]!.value).toThrow(/is null, which json\(\) does not take/)
    expect(records[3]!.value).toBe(5)
  })
})
