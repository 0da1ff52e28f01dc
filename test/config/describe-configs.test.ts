import { expect, test } from 'vitest'
import { BROKER_CONFIG } from '../../src/config/broker-config-table.ts'
import { CONFIG_TYPES, describeBrokerConfigs, describeTopicConfigs, layeredBrokerConfig } from '../../src/config/describe-configs.ts'
import type { DescribedConfig } from '../../src/config/describe-configs.ts'
import { TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import { settingsOf } from '../../src/config-def.ts'
import { kafkaDefaults } from './kafka-configs.ts'

function one(described: DescribedConfig[]): DescribedConfig {
  expect(described).toHaveLength(1)
  return described[0]!
}

test('a topic that sets nothing: every config, from its default', () => {
  const all = describeTopicConfigs({}, {})
  expect(all.map(({ name }) => name)).toEqual(settingsOf(TOPIC_CONFIG).map(([name]) => name))
  for (const each of all) {
    expect(each).toMatchObject({ source: 'DEFAULT_CONFIG', isDefault: true, isSensitive: false, synonyms: [], documentation: null })
    expect(typeof each.value).toBe('string')
  }
})

test("types are Kafka's", () => {
  const kafka = kafkaDefaults('TopicConfig')
  for (const { name, type } of describeTopicConfigs({}, {})) {
    expect(CONFIG_TYPES).toContain(type)
    if (kafka.has(name)) expect(type, name).toBe(kafka.get(name)!.type)
  }
})

test('values are as Kafka writes them', () => {
  const textOf = (name: string): string | null => one(describeTopicConfigs({}, {}, { names: [name] })).value
  expect(textOf('max.compaction.lag.ms')).toBe('9223372036854775807')
  expect(textOf('cleanup.policy')).toBe('delete')
  expect(textOf('leader.replication.throttled.replicas')).toBe('')
  expect(textOf('preallocate')).toBe('false')
  expect(textOf('min.cleanable.dirty.ratio')).toBe('0.5')
})

test('a source for each layer, and all that was said, what counts first', () => {
  const layers = {
    dynamicBroker: { 'log.retention.ms': 2 },
    dynamicDefault: { 'log.retention.ms': 3 },
    static: { 'log.retention.minutes': 4, 'log.retention.hours': 5 },
  }
  const options = { names: ['retention.ms'], synonyms: true }
  const described = one(describeTopicConfigs({ 'retention.ms': 1 }, layers, options))
  expect(described).toMatchObject({ value: '1', source: 'DYNAMIC_TOPIC_CONFIG', isDefault: false, isReadOnly: false, type: 'LONG' })
  expect(described.synonyms).toEqual([
    { name: 'retention.ms', value: '1', source: 'DYNAMIC_TOPIC_CONFIG' },
    { name: 'log.retention.ms', value: '2', source: 'DYNAMIC_BROKER_CONFIG' },
    { name: 'log.retention.ms', value: '3', source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' },
    { name: 'log.retention.minutes', value: '4', source: 'STATIC_BROKER_CONFIG' },
    { name: 'log.retention.hours', value: '5', source: 'STATIC_BROKER_CONFIG' },
    { name: 'log.retention.hours', value: '168', source: 'DEFAULT_CONFIG' },
  ])
  expect(one(describeTopicConfigs({}, layers, options))).toMatchObject({ value: '2', source: 'DYNAMIC_BROKER_CONFIG' })
  expect(one(describeTopicConfigs({}, { dynamicDefault: { 'log.retention.ms': 3 } }, options))).toMatchObject({
    value: '3',
    source: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
  })
  expect(one(describeTopicConfigs({}, { static: layers.static }, options))).toMatchObject({
    value: '240000',
    source: 'STATIC_BROKER_CONFIG',
    isDefault: false,
  })
})

test('the value is the one that the first synonym says', () => {
  for (const { name, value, synonyms } of describeBrokerConfigs({}, { synonyms: true })) {
    if (value !== null) expect(synonyms[0], name).toEqual({ name, value, source: 'DEFAULT_CONFIG' })
  }
})

test('a broker config that nobody set has no value, but says what decides', () => {
  const described = one(describeBrokerConfigs({}, { names: ['log.retention.ms'], synonyms: true }))
  expect(described).toMatchObject({ value: null, source: 'DEFAULT_CONFIG', isDefault: true, isReadOnly: false })
  expect(described.synonyms).toEqual([{ name: 'log.retention.hours', value: '168', source: 'DEFAULT_CONFIG' }])
})

test("what is given once is read-only, among Kafka's what Kafka says is", () => {
  const readOnly = new Map(describeBrokerConfigs({}).map(({ name, isReadOnly }) => [name, isReadOnly]))
  for (const name of ['num.partitions', 'log.retention.hours', 'log.retention.minutes', 'auto.create.topics.enable', 'delete.topic.enable'])
    expect(readOnly.get(name), name).toBe(true)
  for (const name of ['log.retention.ms', 'message.max.bytes', 'log.cleaner.threads', 'producer.id.expiration.ms', 'min.insync.replicas'])
    expect(readOnly.get(name), name).toBe(false)
  expect(one(describeTopicConfigs({}, {}, { names: ['millrace.durability'] })).isReadOnly).toBe(true)
})

test('only the names asked for, and the sentences when asked for', () => {
  const options = { names: ['num.partitions', 'nonsense', 'message.max.bytes'], documentation: true }
  expect(describeBrokerConfigs({}, options).map(({ name, documentation }) => [name, documentation])).toEqual([
    ['num.partitions', BROKER_CONFIG.settings['num.partitions'].doc],
    ['message.max.bytes', BROKER_CONFIG.settings['message.max.bytes'].doc],
  ])
})

test('layers lie over each other', () => {
  const layers = { static: { 'message.max.bytes': 1, 'num.partitions': 2 }, dynamicDefault: { 'message.max.bytes': 3 } }
  expect(layeredBrokerConfig(layers)).toEqual({ 'message.max.bytes': 3, 'num.partitions': 2 })
  expect(layeredBrokerConfig({ ...layers, dynamicBroker: { 'message.max.bytes': 4 } })['message.max.bytes']).toBe(4)
})
