import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMillrace } from '../../../src/index.ts'
import type { Admin, EmbeddedMillrace, ItemFailures, MillraceError } from '../../../src/index.ts'

let millrace: EmbeddedMillrace
let admin: Admin

beforeAll(async () => {
  const config = { 'log.retention.hours': 2, 'message.max.bytes': 5_000 }
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024, config })
  admin = millrace.admin
  await admin.createTopics(['plain', { name: 'own', config: { 'retention.bytes': 1_000_000, 'max.message.bytes': 6_000 } }])
})
afterAll(() => millrace.close())

const failure = (call: Promise<unknown>): Promise<MillraceError> =>
  call.then(
    () => expect.fail('it resolved'),
    (error: MillraceError) => error,
  )

describe('describeConfigs', () => {
  test('of a topic: all configs, and where each value comes from', async () => {
    const { type, name, configs } = await admin.describeConfigs({ type: 'topic', name: 'own' })
    expect([type, name]).toEqual(['topic', 'own'])
    expect(Object.keys(configs)).toEqual(expect.arrayContaining(['retention.ms', 'cleanup.policy', 'millrace.durability']))
    expect(configs['retention.bytes']).toEqual({
      name: 'retention.bytes',
      value: '1000000',
      source: 'DYNAMIC_TOPIC_CONFIG',
      isDefault: false,
      isReadOnly: false,
      isSensitive: false,
      synonyms: [],
      type: 'LONG',
      documentation: null,
    })
    // Inherited from the brokers, in another unit; and from nobody.
    expect(configs['retention.ms']).toMatchObject({ value: '7200000', source: 'STATIC_BROKER_CONFIG', isDefault: false })
    expect(configs['cleanup.policy']).toMatchObject({ value: 'delete', source: 'DEFAULT_CONFIG', isDefault: true, type: 'LIST' })
    expect(configs['millrace.durability']).toMatchObject({ isReadOnly: true })
    expect(Object.isFrozen(configs) && Object.isFrozen(configs['retention.ms'])).toBe(true)
  })

  test('only some, with what else was said about them and what they mean', async () => {
    const options = { names: ['max.message.bytes'], includeSynonyms: true, includeDocumentation: true }
    const { configs } = await admin.describeConfigs({ type: 'topic', name: 'own' }, options)
    expect(Object.keys(configs)).toEqual(['max.message.bytes'])
    expect(configs['max.message.bytes']).toMatchObject({
      synonyms: [
        { name: 'max.message.bytes', value: '6000', source: 'DYNAMIC_TOPIC_CONFIG' },
        { name: 'message.max.bytes', value: '5000', source: 'STATIC_BROKER_CONFIG' },
        { name: 'message.max.bytes', value: '1048588', source: 'DEFAULT_CONFIG' },
      ],
      documentation: expect.stringMatching(/Largest batch/) as string,
    })
  })

  test('of brokers, one and all', async () => {
    const described = await admin.describeConfigs([{ type: 'broker', name: 1 }, { type: 'broker' }, { type: 'topic', name: 'plain' }])
    expect(described.map(({ type, name }) => [type, name])).toEqual([
      ['broker', '1'],
      ['broker', ''],
      ['topic', 'plain'],
    ])
    for (const { configs } of described.slice(0, 2)) {
      expect(configs['message.max.bytes']).toMatchObject({ value: '5000', source: 'STATIC_BROKER_CONFIG' })
      expect(configs['num.partitions']).toMatchObject({ value: '1', source: 'DEFAULT_CONFIG', isReadOnly: true })
    }
    expect(described[2]!.configs['max.message.bytes']).toMatchObject({ value: '5000', source: 'STATIC_BROKER_CONFIG' })
    // Kafka has ids as text.
    expect(await admin.describeConfigs({ type: 'broker', name: '1' })).toEqual(described[0])
  })

  test('those that are not there are named', async () => {
    const error = await failure(
      admin.describeConfigs([
        { type: 'topic', name: 'none' },
        { type: 'broker', name: 7 },
        { type: 'topic', name: 'own' },
      ]),
    )
    expect(error.code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect([...(error.cause as ItemFailures).byName].map(([name, { code }]) => [name, code])).toEqual([
      ['topic "none"', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['broker 7', 'BROKER_ID_NOT_REGISTERED'],
    ])
    expect(await failure(admin.describeConfigs({ type: 'broker', name: 'first' }))).toMatchObject({
      code: 'BROKER_ID_NOT_REGISTERED',
      message: 'there is no broker "first": this millrace has 0, 1',
    })
  })

  test.each<[string, unknown, object, string, RegExp]>([
    ['a name', 'own', {}, 'INVALID_REQUEST', /describeConfigs takes \{ type: 'topic', name \}, .*"own" was given/],
    ["kafkajs's number", { type: 2, name: 'own' }, {}, 'INVALID_REQUEST', /takes \{ type: 'topic', name \}/],
    ['a topic without a name', { type: 'topic' }, {}, 'INVALID_REQUEST', /takes \{ type: 'topic', name \}/],
    [
      'a config that is none',
      { type: 'topic', name: 'own' },
      { names: ['retention'] },
      'INVALID_CONFIG',
      /it is called retention\.ms here/,
    ],
    [
      'a config of the others',
      { type: 'broker' },
      { names: ['retentions.ms'] },
      'INVALID_CONFIG',
      /there is no broker config "retentions\.ms"/,
    ],
    ["kafkajs's option", { type: 'broker' }, { configNames: ['x'] }, 'INVALID_CONFIG', /it is called names here/],
  ])('%s', async (_, resource, options, code, message) => {
    const error = await failure(admin.describeConfigs(resource as { type: 'topic'; name: string }, options))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string })
  })
})
