import { describe, expect, test } from 'vitest'
import { TOPIC_DEFAULT_SOURCES } from '../../src/config/broker-topic-defaults.ts'
import { effectiveTopicConfig } from '../../src/config/effective-topic-config.ts'
import { TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import { LONG_MAX, fillOptions } from '../../src/config-def.ts'

test('nothing set: the defaults, all of them', () => {
  expect(effectiveTopicConfig({}, {})).toEqual(fillOptions(TOPIC_CONFIG, undefined))
  expect(Object.isFrozen(effectiveTopicConfig({}, {}))).toBe(true)
})

test("the brokers' own defaults come to the topics'", () => {
  const hours = { 'log.retention.hours': 168, 'log.roll.hours': 168, 'log.roll.jitter.hours': 0 }
  expect(effectiveTopicConfig({}, hours)).toEqual(effectiveTopicConfig({}, {}))
})

describe('retention.ms comes', () => {
  const hours = { 'log.retention.hours': 2 }
  const minutes = { ...hours, 'log.retention.minutes': 3 }
  const ms = { ...minutes, 'log.retention.ms': 4 }

  test.each([
    ['from the topic first', { 'retention.ms': 5 }, ms, 5],
    ['then from log.retention.ms', {}, ms, 4],
    ['then from log.retention.minutes', {}, minutes, 180_000],
    ['then from log.retention.hours', {}, hours, 7_200_000],
    ['for ever, from -1 hours', {}, { 'log.retention.hours': -1 }, -1],
    ['for ever, from -1 minutes before hours', {}, { 'log.retention.hours': 1, 'log.retention.minutes': -1 }, -1],
    ['as 0, which is a value', {}, { 'log.retention.ms': 0, 'log.retention.hours': 1 }, 0],
  ])('%s', (_, topic, broker, expected) => {
    expect(effectiveTopicConfig(topic, broker)['retention.ms']).toBe(expected)
  })
})

test('hours beyond the largest number are no limit', () => {
  expect(effectiveTopicConfig({}, { 'log.roll.hours': 2 ** 31 - 1 })['segment.ms']).toBe((2 ** 31 - 1) * 3_600_000)
  expect(effectiveTopicConfig({}, { 'log.flush.scheduler.interval.ms': LONG_MAX })['flush.ms']).toBe(LONG_MAX)
})

test("the same names, and Kafka's other ones", () => {
  const broker = {
    'message.max.bytes': 1_000,
    'min.insync.replicas': 1,
    'log.cleanup.policy': ['delete'],
    'log.preallocate': true,
  } as const
  const effective = effectiveTopicConfig({}, broker)
  expect(effective['max.message.bytes']).toBe(1_000)
  expect(effective['cleanup.policy']).toEqual(['delete'])
  expect(effective.preallocate).toBe(true)
  expect(effectiveTopicConfig({ preallocate: false }, broker).preallocate).toBe(false)
})

test("Kafka's synonyms: what has none is what Kafka has none for", () => {
  const without = Object.keys(TOPIC_CONFIG.settings).filter((name) => !Object.hasOwn(TOPIC_DEFAULT_SOURCES, name))
  expect(without.sort()).toEqual([
    'errors.deadletterqueue.group.enable',
    'follower.replication.throttled.replicas',
    'leader.replication.throttled.replicas',
    'remote.copy.lag.bytes',
    'remote.copy.lag.ms',
    'remote.log.copy.disable',
    'remote.log.delete.on.disable',
    'remote.storage.enable',
  ])
})
