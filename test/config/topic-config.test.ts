import { describe, expect, test } from 'vitest'
import { checkTopicConfig, topicConfigDifferences, topicConfigFromText, topicConfigToText } from '../../src/config/topic-config-check.ts'
import { BATCH_BYTES_MAX, TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import type { TopicConfigOptions } from '../../src/config/topic-config.ts'
import { INT_MAX, LONG_MAX, fillOptions, settingsOf } from '../../src/config-def.ts'
import { MillraceError } from '../../src/errors.ts'
import { kafkaDefaults, kafkaRanges, rangeOf } from './kafka-configs.ts'

function refusal(config: unknown): MillraceError {
  try {
    checkTopicConfig(config as TopicConfigOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

const ours = new Map(settingsOf(TOPIC_CONFIG))

describe("the table is Kafka's", () => {
  const known = [...kafkaDefaults('TopicConfig')].filter(([, { internal }]) => !internal)

  test('in its names', () => {
    expect([...ours.keys()].filter((name) => name !== 'millrace.durability').sort()).toEqual(known.map(([name]) => name).sort())
    expect(known.length).toBe(36)
  })

  test.each(known)('%s: type and default', (name, kafka) => {
    const setting = ours.get(name)!
    const types: Record<string, string[]> = {
      ...{ INT: ['int'], LONG: ['long'], DOUBLE: ['double'], BOOLEAN: ['boolean'] },
      ...{ STRING: ['string', 'one of'], LIST: ['list'] },
    }
    expect(types[kafka.type]).toContain(setting.type)
    // the file's numbers are read by JSON.parse: Kafka's largest long has become 2^63
    const expected = kafka.default === 2 ** 63 ? LONG_MAX : kafka.default
    expect(Array.isArray(setting.default) ? setting.default.join(',') : setting.default).toBe(expected)
  })

  // Ours, on purpose: no number below -1 means anything, and a batch must fit one extent.
  const deviations = new Map([
    ['retention.bytes', { min: -1, max: undefined }],
    ['max.message.bytes', { min: 0, max: BATCH_BYTES_MAX }],
  ])
  const ranges = [...kafkaRanges('topic')].filter(([name]) => name !== 'internal.segment.bytes')

  test.each(ranges)('%s: range', (name, valid) => {
    const setting = ours.get(name)!
    if (setting.type === 'one of' || (setting.type === 'list' && setting.values !== undefined)) {
      const values = valid!.replaceAll(/[[\]]/g, '').split(', ')
      expect([...setting.values!].map(String).sort()).toEqual(values.sort())
    } else if (setting.type === 'int' || setting.type === 'long' || setting.type === 'double') {
      expect({ min: setting.min, max: setting.max }).toEqual(deviations.get(name) ?? rangeOf(valid))
    }
  })
})

test('every default is taken, and says how much of it there is', () => {
  for (const [name, setting] of ours) {
    expect(checkTopicConfig({ [name]: setting.default })).toEqual({ [name]: setting.default })
    expect(setting.support, name).toMatch(/^(yes|accepted|refused: .+)$/)
    expect(setting.doc, name).toMatch(/\.$/)
  }
  expect(Object.keys(fillOptions(TOPIC_CONFIG, undefined))).toEqual([...ours.keys()])
})

test('what has no effect says so where users read it', () => {
  const said = /No effect|not applied yet|Not checked yet/
  for (const [name, setting] of ours) expect(said.test(setting.doc), name).toBe(setting.support === 'accepted')
  const only = /Only /
  for (const [name, setting] of ours) expect(only.test(setting.doc), name).toBe(setting.support?.startsWith('refused') === true)
})

describe('what is not there yet is refused, saying why', () => {
  const refused: [string, unknown, string][] = [
    ['min.insync.replicas', 2, 'a partition has one replica so far'],
    ['remote.storage.enable', true, 'no tiered storage'],
  ]

  test.each(refused)('%s %s', (name, value, why) => {
    const error = refusal({ [name]: value })
    expect(error.code).toBe('INVALID_CONFIG')
    expect(error.message).toMatch(new RegExp(`^topic config ${name} cannot be `))
    expect(error.message).toContain(why)
  })

  test('beside the default, what comes to the same is taken', () => {
    expect(checkTopicConfig({ 'cleanup.policy': 'delete' })).toEqual({ 'cleanup.policy': ['delete'] })
  })
})

test('sizes', () => {
  expect(checkTopicConfig({ 'max.message.bytes': BATCH_BYTES_MAX, 'retention.bytes': 0 })).toEqual({
    'max.message.bytes': 8 * 1024 * 1024 - 64,
    'retention.bytes': 0,
  })
  expect(refusal({ 'max.message.bytes': BATCH_BYTES_MAX + 1 }).message).toContain('from 0 to 8388544')
  expect(refusal({ 'retention.bytes': -2 }).message).toContain('from -1 to')
  expect(refusal({ 'segment.bytes': INT_MAX + 1 }).message).toContain('(int) from 1048576 to 2147483647')
  expect(checkTopicConfig({ 'retention.ms': -1 })).toEqual({ 'retention.ms': -1 })
})

test.each<[string, string]>([
  ['retentionMs', 'it is written retention.ms here'],
  ['retention_bytes', 'it is written retention.bytes here'],
  ['retention.mss', 'did you mean retention.ms, a whole number of ms (long) from -1'],
  ['cleanup.polcy', 'did you mean cleanup.policy'],
  ['log.retention.ms', 'it is called retention.ms here'],
  ['durability', 'it is called millrace.durability here'],
  ['num.partitions', 'partitions is beside config'],
  ['message.format.version', 'there is one format'],
])('the name %s is answered', (name, words) => {
  expect(refusal({ [name]: 1 }).message).toContain(words)
})

describe('as text', () => {
  test("configs have Kafka's names and values, and only those that were set", () => {
    expect(topicConfigToText({})).toEqual({})
    const config = checkTopicConfig({
      ...{ 'retention.ms': -1, 'retention.bytes': 5_000, 'cleanup.policy': ['delete'], preallocate: true },
      ...{ 'min.cleanable.dirty.ratio': 0.25, 'max.compaction.lag.ms': LONG_MAX, 'compression.type': 'uncompressed' },
    })
    const text = topicConfigToText(config)
    expect(text).toEqual({
      ...{ 'retention.ms': '-1', 'retention.bytes': '5000', 'cleanup.policy': 'delete', preallocate: 'true' },
      ...{ 'min.cleanable.dirty.ratio': '0.25', 'max.compaction.lag.ms': '9223372036854775807', 'compression.type': 'uncompressed' },
    })
    expect(topicConfigFromText(text)).toEqual(config)
  })

  test('every default comes back', () => {
    const all = fillOptions(TOPIC_CONFIG, undefined)
    expect(topicConfigFromText(topicConfigToText(all))).toEqual(all)
  })

  test('that says nothing is refused', () => {
    for (const [name, value] of [
      ['retention.ms', 'soon'],
      ['retention.ms', ''],
      ['preallocate', 'yes'],
      ['nonsense', '1'],
    ]) {
      expect(() => topicConfigFromText({ [name!]: value! })).toThrow(MillraceError)
    }
  })
})

describe('the difference to an existing topic', () => {
  test('is told by name, for what the definition names', () => {
    const existing = checkTopicConfig({ 'retention.ms': 1_000, 'max.message.bytes': 5_000, 'segment.ms': 7 })
    const wanted = checkTopicConfig({ 'retention.ms': 2_000, 'max.message.bytes': 5_000, 'segment.bytes': 2_000_000, 'segment.ms': 7 })
    expect(topicConfigDifferences(existing, wanted)).toEqual(['retention.ms is 1000, not 2000', 'segment.bytes is not set, not 2000000'])
    expect(topicConfigDifferences(existing, {})).toEqual([])
  })

  test('is none between what is not set and its default, but for a pinned topic', () => {
    expect(topicConfigDifferences({}, checkTopicConfig({ 'retention.ms': 604_800_000, 'cleanup.policy': 'delete' }))).toEqual([])
    expect(topicConfigDifferences({}, { 'retention.bytes': -1 })).toEqual(['retention.bytes is not set, not -1'])
    expect(topicConfigDifferences({ 'retention.bytes': -1 }, { 'retention.bytes': -1 })).toEqual([])
  })
})
