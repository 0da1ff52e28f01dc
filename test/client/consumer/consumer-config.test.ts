import { describe, expect, test } from 'vitest'
import { CONSUMER_CONFIG, fillConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import { settingsOf } from '../../../src/config-def.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { kafkaDefaults } from '../../config/kafka-configs.ts'

function refusal(options: unknown): MillraceError {
  try {
    fillConsumerOptions(options as ConsumerOptions)
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', retriable: false })
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

test('the defaults', () => {
  const defaults = {
    autoOffsetReset: 'earliest',
    fetchMinBytes: 1,
    fetchMaxWaitMs: 500,
    fetchMaxBytes: 52_428_800,
    maxPartitionFetchBytes: 1_048_576,
    maxPollRecords: 2 ** 31 - 1,
    isolationLevel: 'read_uncommitted',
    groupId: undefined,
    clientId: '',
    groupInstanceId: undefined,
    groupRemoteAssignor: undefined,
    autoCommit: true,
    autoCommitIntervalMs: 5_000,
    maxPollIntervalMs: 300_000,
    onAssigned: undefined,
    onRevoked: undefined,
    onLost: undefined,
  }
  expect(fillConsumerOptions()).toEqual(defaults)
  expect(fillConsumerOptions({ autoOffsetReset: undefined })).toEqual(defaults)
})

test("are Kafka's, but for the two that the file explains", () => {
  const kafka = kafkaDefaults('ConsumerConfig')
  const named = settingsOf(CONSUMER_CONFIG).filter(([, { kafkaName }]) => kafkaName !== undefined)
  const differ = named.filter(([, { kafkaName, default: value }]) => kafka.get(kafkaName!)!.default !== (value ?? null))
  const own = settingsOf(CONSUMER_CONFIG).filter((setting) => !named.some(([name]) => name === setting[0]))
  expect(own.map(([name]) => name)).toEqual(['onAssigned', 'onRevoked', 'onLost'])
  expect(differ.map(([name]) => name)).toEqual(['autoOffsetReset', 'maxPollRecords'])
})

test.each<[Record<string, unknown>, string]>([
  [
    { autoOffsetReset: 'begin' },
    'one of "earliest", "latest", "none", or \'by_duration:\' and a duration in ISO 8601, such as by_duration:PT1H',
  ],
  [{ autoOffsetReset: 'by_duration:1h' }, "'by_duration:' and a duration in ISO 8601"],
  [{ autoOffsetReset: 'by_duration:-PT1H' }, "'by_duration:' and a duration in ISO 8601"],
  [{ autoOffsetReset: 'earlist' }, 'did you mean "earliest"?'],
  [{ autoOffsetReset: 'beginning' }, 'did you mean "earliest"?'],
  [{ autoOffsetReset: 'end' }, 'did you mean "latest"?'],
  [{ maxPollRecords: 0 }, 'a whole number of records (int) from 1'],
  [{ isolationLevel: 'committed' }, 'did you mean "read_committed"?'],
  [{ fetchMinBytes: -1 }, 'a whole number of bytes (int) from 0'],
  [{ fetchMaxBytes: '1' }, 'did you mean 1, without quotes?'],
  [{ groupId: '' }, 'groupId must not be empty'],
  [{ groupInstanceId: 'one' }, 'groupInstanceId is for a member of a group: set groupId'],
  [{ onLost: () => undefined }, 'onLost is for a member of a group: set groupId'],
  [{ groupId: 'g', onLost: 5 }, 'a function of [{ topic, partition }, …]'],
])('%j is refused', (options, words) => {
  expect(refusal(options).message).toContain(words)
})

test.each<[string, string]>([
  ['groupId', 'groupId must be a string'],
  ['group.id', 'it is written groupId here'],
  ['sessionTimeout', 'it is a config of the brokers since KIP-848'],
  ['partitionAssignmentStrategy', 'its coordinator assigns: set groupRemoteAssignor'],
  ['enableAutoCommit', 'it is called autoCommit here'],
  ['onPartitionsRevoked', 'it is called onRevoked here'],
  ['max.poll.records', 'it is written maxPollRecords here'],
  ['maxRecords', 'it is called maxPollRecords here'],
  ['minBytes', 'it is called fetchMinBytes here'],
  ['maxWaitTimeInMs', 'it is called fetchMaxWaitMs here'],
  ['readUncommitted', 'it is called isolationLevel here'],
  ['fromBeginning', 'it is called autoOffsetReset here'],
  ['maxBytesPerPartition', 'it is called maxPartitionFetchBytes here'],
  ['autoOfsetReset', 'did you mean autoOffsetReset'],
  ['allowAutoTopicCreation', 'await millrace.topic(…) makes a topic'],
  ['sslTruststoreLocation', 'a call within a process has no connection'],
])('the name %s is answered', (name, words) => {
  expect(refusal({ [name]: 1 }).message).toContain(words)
})

describe('every name that Kafka has for a consumer', () => {
  const settings = new Set(settingsOf(CONSUMER_CONFIG).map(([name]) => name))
  const names = [...kafkaDefaults('ConsumerConfig')].filter(([, { internal }]) => !internal).map(([name]) => name)

  test.each(names)('%s is a setting, or is told why not', (dotted) => {
    const name = dotted.replaceAll(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())
    if (!settings.has(name)) expect(refusal({ [name]: 1 }).message).not.toMatch(/did you mean|: the names are /)
  })
})
