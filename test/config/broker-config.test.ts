// The table of broker configs beside Kafka's own, and what is said to the names that
// are not in it.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { answerBrokerConfig, answeredBrokerConfigs } from '../../src/config/broker-config-answers.ts'
import { brokerConfigFromText, brokerConfigNamed, brokerConfigToText, checkBrokerConfig } from '../../src/config/broker-config-check.ts'
import { BROKER_CONFIG } from '../../src/config/broker-config-table.ts'
import type { BrokerConfigOptions } from '../../src/config/broker-config.ts'
import { TOPIC_DEFAULT_SOURCES } from '../../src/config/broker-topic-defaults.ts'
import { configFromCheckedText } from '../../src/config/config-text.ts'
import { BATCH_BYTES_MAX, TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import type { TopicConfig } from '../../src/config/topic-config.ts'
import { LONG_MAX, fillOptions, isNumber, settingsOf } from '../../src/config-def.ts'
import type { Setting } from '../../src/config-def.ts'
import { MillraceError } from '../../src/errors.ts'
import { BROKER_CONFIG_SOURCE, brokerConfigText } from './generate-broker-config.ts'
import { kafkaDefaults, kafkaRanges, rangeOf } from './kafka-configs.ts'
import type { KafkaDefault } from './kafka-configs.ts'

const ours = new Map(settingsOf(BROKER_CONFIG))

// The classes of Kafka 4.4 that make up a broker's configs. GroupConfig and
// ClientMetricsConfigs are those of other resources, as are the quotas of users.
const BROKER_CLASSES = [
  ...['SaslConfigs', 'SslConfigs', 'BrokerSecurityConfigs', 'GroupCoordinatorConfig', 'ShareGroupConfig', 'KRaftConfigs'],
  ...['MetadataLogConfig', 'QuorumConfig', 'DelegationTokenManagerConfigs', 'QuotaConfig', 'ServerConfigs', 'SocketServerConfigs'],
  ...['ReplicationConfigs', 'MetricConfigs', 'ShareCoordinatorConfig', 'RemoteLogManagerConfig', 'CleanerConfig', 'BrokerLogConfig'],
  ...['AddPartitionsToTxnConfig', 'TransactionLogConfig', 'TransactionStateManagerConfig'],
]
const QUOTAS_OF_USERS =
  /^(producer_byte_rate|consumer_byte_rate|request_percentage|controller_mutation_rate|connection_creation_rate|SCRAM-)/

const kafka = new Map<string, KafkaDefault>()
for (const group of BROKER_CLASSES) for (const [name, row] of kafkaDefaults(group)) if (!QUOTAS_OF_USERS.test(name)) kafka.set(name, row)
const ranges = kafkaRanges('broker')

/** The topic config whose default a broker config is. */
function topicNameOf(name: string): keyof TopicConfig | undefined {
  const found = Object.entries(TOPIC_DEFAULT_SOURCES).find(([, sources]) => sources.some((source) => source.name === name))
  return found?.[0] as keyof TopicConfig | undefined
}

function refusal(config: unknown): MillraceError {
  try {
    checkBrokerConfig(config as BrokerConfigOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

describe('every broker config of Kafka', () => {
  const names = [...new Set([...kafka.keys(), ...ranges.keys()])].sort()

  test('is in the table or has an answer, and only one of both', () => {
    expect(names.length).toBeGreaterThan(370)
    const isIn = (name: string): boolean => ours.has(name)
    expect(names.filter((name) => !isIn(name) && answerBrokerConfig(name) === undefined)).toEqual([])
    expect(names.filter((name) => isIn(name) && answerBrokerConfig(name) !== undefined)).toEqual([])
  })

  test('is what the answers and the table are about', () => {
    const known = new Set(names)
    // of older versions, of Kafka's own plug-ins, or of its properties files
    const foreign = answeredBrokerConfigs().filter(([name]) => !known.has(name))
    expect(foreign.map(([name]) => name).sort()).toEqual([
      'advertised.host.name',
      'advertised.port',
      'allow.everyone.if.no.acl.found',
      'auto.include.jmx.reporter',
      'broker.id.generation.enable',
      'host.name',
      'inter.broker.protocol.version',
      'leader.imbalance.per.broker.percentage',
      'log.message.downconversion.enable',
      'log.message.format.version',
      'log.message.timestamp.difference.max.ms',
      'port',
      'reserved.broker.max.id',
      'super.users',
      'telemetry.max.push.interval.ms',
    ])
    expect([...ours.keys()].filter((name) => !known.has(name))).toEqual(['millrace.durability'])
  })

  test('none of the table holds a secret', () => {
    expect([...ours.keys()].filter((name) => kafka.get(name)?.type === 'PASSWORD')).toEqual([])
  })
})

describe("the table is Kafka's", () => {
  const shared = [...ours].filter(([name]) => kafka.has(name))

  test.each(shared)('%s: type and default', (name, setting) => {
    const types: Record<string, string[]> = {
      ...{ SHORT: ['short'], INT: ['int'], LONG: ['long'], DOUBLE: ['double'], BOOLEAN: ['boolean'] },
      ...{ STRING: ['string', 'one of'], LIST: ['list'] },
    }
    const row = kafka.get(name)!
    expect(types[row.type]).toContain(setting.type)
    const expected = row.default === 2 ** 63 ? LONG_MAX : (row.default ?? undefined)
    expect(Array.isArray(setting.default) ? setting.default.join(',') : setting.default).toBe(expected)
  })

  // Ours, on purpose. Kafka states no range for these, and checks some of them elsewhere.
  const deviations = new Map<string, { min: number | undefined; max: number | undefined }>([
    ['num.partitions', { min: 1, max: 262_144 }],
    ['default.replication.factor', { min: 1, max: undefined }],
    ['message.max.bytes', { min: 0, max: BATCH_BYTES_MAX }],
    ['log.retention.bytes', { min: -1, max: undefined }],
    ['log.retention.ms', { min: -1, max: undefined }],
    ['log.retention.minutes', { min: -1, max: undefined }],
    ['log.retention.hours', { min: -1, max: undefined }],
  ])

  test.each(shared.filter(([name]) => ranges.has(name)))('%s: range', (name, setting) => {
    const valid = ranges.get(name) ?? null
    if (setting.type === 'one of' || (setting.type === 'list' && setting.values !== undefined)) {
      const values = valid!.replace('(case insensitive) ', '').replaceAll(/[[\]]/g, '').split(', ')
      expect([...setting.values!].map((value) => String(value).toLowerCase()).sort()).toEqual(
        values.map((value) => value.toLowerCase()).sort(),
      )
    } else if (isNumber(setting)) {
      const topicName = topicNameOf(name)
      // where Kafka states none for a broker's name, the topic's own holds
      const topic = topicName === undefined ? undefined : (TOPIC_CONFIG.settings[topicName] as Setting<unknown>)
      const fallback = topic !== undefined && isNumber(topic) && valid === null ? { min: topic.min, max: topic.max } : rangeOf(valid)
      expect({ min: setting.min, max: setting.max }).toEqual(deviations.get(name) ?? fallback)
    }
  })

  test.each([...deviations])('%s is a deviation still', (name, range) => {
    expect(rangeOf(ranges.get(name) ?? null)).not.toEqual(range)
  })
})

test('every default is taken, and says how much of it there is', () => {
  for (const [name, setting] of ours) {
    const given = { [name]: setting.default } as BrokerConfigOptions
    expect(checkBrokerConfig(given).config, name).toEqual(setting.default === undefined ? {} : given)
    expect(setting.support, name).toMatch(/^(yes|accepted|refused: .+)$/)
    expect(setting.doc, name).toMatch(/\.$/)
  }
  expect(Object.keys(fillOptions(BROKER_CONFIG, undefined))).toEqual([...ours.keys()])
})

test('what has no effect says so where users read it, but for defaults of topics, which the topic config says', () => {
  for (const [name, setting] of ours) {
    if (topicNameOf(name) !== undefined) {
      const topic: Setting<unknown> = TOPIC_CONFIG.settings[topicNameOf(name)!]
      expect(setting.support, name).toBe(topic.support)
      continue
    }
    expect(setting.doc.includes('No effect'), name).toBe(setting.support === 'accepted')
    expect(setting.doc.includes('Only '), name).toBe(setting.support?.startsWith('refused') === true)
  }
})

test('the types are written from the tables: node test/config/generate-broker-config.ts --write', () => {
  expect(readFileSync(BROKER_CONFIG_SOURCE, 'utf8')).toBe(brokerConfigText())
})

test('what only tunes something that is not here is taken, and told', () => {
  const { config, withoutEffect } = checkBrokerConfig({ 'num.partitions': 3, 'num.io.threads': 8, 'socket.send.buffer.bytes': 102_400 })
  expect(config).toEqual({ 'num.partitions': 3 })
  expect(withoutEffect.map(({ name }) => name)).toEqual(['num.io.threads', 'socket.send.buffer.bytes'])
  for (const { reason } of withoutEffect) expect(reason).toMatch(/^[a-z].+[a-z]$/)
  expect(checkBrokerConfig({ 'num.io.threads': undefined }).withoutEffect).toEqual([])
  expect(checkBrokerConfig(undefined)).toEqual({ config: {}, withoutEffect: [] })
})

test.each<[string, unknown, string]>([
  ['listeners', 'PLAINTEXT://:9092', 'Kafka clients cannot connect yet'],
  ['listener.name.internal.ssl.keystore.location', '/x', 'Kafka clients cannot connect yet'],
  ['log.dirs', '/var/kafka', 'openMillrace({ dataDir }) says where'],
  ['ssl.keystore.location', '/x', 'trust each other'],
  ['node.id', 1, 'openMillrace({ brokers: 3 })'],
  ['zookeeper.connect', 'localhost', 'no ZooKeeper'],
  ['remote.log.storage.system.enable', true, 'no tiered storage'],
  ['group.share.max.size', 100, 'no share groups'],
  ['num.partitons', 1, 'did you mean num.partitions, a whole number of partitions (int) from 1 to 262144'],
  ['numPartitions', 1, 'it is written num.partitions here'],
  ['retention.ms', 1, 'its default for all topics is log.retention.ms'],
  ['colour', 1, 'there is no broker config "colour"'],
])('the name %s is answered', (name, value, words) => {
  const error = refusal({ [name]: value })
  expect(error.code).toBe('INVALID_CONFIG')
  expect(error.message).toContain(words)
  expect(error.message.length).toBeLessThan(300)
})

test.each<[string, unknown, string]>([
  ['num.partitions', 0, 'from 1 to 262144'],
  ['num.partitions', '3', 'did you mean 3, without quotes?'],
  ['log.retention.hours', -2, 'a whole number of hours (int) from -1'],
  ['offsets.topic.replication.factor', 40_000, '(short) from 1 to 32767'],
  ['offsets.topic.replication.factor', 2, 'replication is not there yet'],
  ['transaction.max.timeout.ms', 1_000, 'transactions are not there yet'],
  ['log.cleanup.policy', 'shrink', 'shrink'],
  ['group.consumer.migration.policy', 'DISABLED', 'did you mean "disabled"?'],
  ['default.replication.factor', 3, 'replication is not there yet'],
  ['log.cleaner.enable', false, "leave 'compact' out of cleanup.policy instead"],
])('%s: %s is refused', (name, value, words) => {
  expect(refusal({ [name]: value }).message).toContain(words)
})

test('what is no object of names and values is refused', () => {
  for (const given of [null, [], 'num.partitions=3', 3]) expect(refusal(given).message).toContain('broker configs are given as an object')
})

test('as text and back', () => {
  const all = fillOptions(BROKER_CONFIG, undefined)
  expect(brokerConfigFromText(brokerConfigToText(all))).toEqual(
    Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  )
  expect(brokerConfigToText({ 'log.cleaner.max.compaction.lag.ms': LONG_MAX, 'log.cleanup.policy': ['delete'] })).toEqual({
    'log.cleaner.max.compaction.lag.ms': '9223372036854775807',
    'log.cleanup.policy': 'delete',
  })
})

test('a name written another way', () => {
  expect(brokerConfigNamed('numPartitions')).toBe('num.partitions')
  expect(brokerConfigNamed('LOG_RETENTION_MS')).toBe('log.retention.ms')
  expect(brokerConfigNamed('colour')).toBeUndefined()
})

test('text that was checked before is taken as it is', () => {
  const text = { 'log.cleanup.policy': 'compact, delete', 'num.partitions': '3', 'log.preallocate': 'true', nonsense: '1' }
  expect(configFromCheckedText(BROKER_CONFIG, text)).toEqual({
    'log.cleanup.policy': ['compact', 'delete'],
    'num.partitions': 3,
    'log.preallocate': true,
  })
})
