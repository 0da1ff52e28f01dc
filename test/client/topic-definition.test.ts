import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { bytes, json, nullable, string } from '../../src/client/serde.ts'
import type { Serde } from '../../src/client/serde.ts'
import type { StandardSchema } from '../../src/client/standard-schema.ts'
import { checkTopicName, defineTopic, prepareSerdes } from '../../src/client/topic-definition.ts'
import type { TopicOptions } from '../../src/client/topic-definition.ts'
import { MillraceError } from '../../src/errors.ts'

const anything: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }

function refusal(name: unknown, options?: unknown): MillraceError {
  try {
    defineTopic(name as string, options as TopicOptions<unknown, unknown, unknown, unknown>)
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

describe('a definition', () => {
  test('holds what was said, checked', () => {
    const key = string()
    const value = json<{ page: string }>()
    const clicks = defineTopic('clicks', { partitions: 8, replicationFactor: 1, key, value, config: { 'retention.ms': 3_600_000 } })
    expect(clicks).toEqual({
      ...{ name: 'clicks', partitions: 8, replicationFactor: 1, key, value, validate: 'produce' },
      config: { 'retention.ms': 3_600_000 },
    })
  })

  test('has defaults: keys are text or null, values MessagePack, nothing said of partitions', () => {
    const plain = defineTopic('plain')
    expect(plain).toMatchObject({ name: 'plain', partitions: undefined, replicationFactor: undefined, config: {}, validate: 'produce' })
    expect(plain.key.name).toBe('nullable(string())')
    expect(plain.value.name).toBe('msgpack()')
    expect(defineTopic('plain', {})).toEqual(plain)
  })

  test('is frozen, down to its configs', () => {
    const clicks = defineTopic('clicks', { config: { 'retention.ms': 1 } })
    expect(Object.isFrozen(clicks)).toBe(true)
    expect(Object.isFrozen(clicks.config)).toBe(true)
  })

  test('takes any serde', () => {
    const own: Serde<number> = { serialize: String, deserialize: (view) => view.length }
    const topic = defineTopic('own', { key: nullable(bytes()), value: own })
    expect(topic.value).toBe(own)
    expect(topic.key.nullable).toBe(true)
  })

  test("checks on reading with validate: 'both', for each serde that has a schema", () => {
    const key = string()
    const value = json(anything)
    const topic = defineTopic('checked', { key, value, validate: 'both' })
    expect(topic.key).toBe(key)
    expect(topic.value).not.toBe(value)
    expect(topic.value.name).toBe('json(schema)')
    expect(defineTopic('checked', { key, value }).value).toBe(value)
    expect(refusal('unchecked', { validate: 'both' }).message).toContain("no schema that validate: 'both' could check")
  })
})

test('prepares both serdes before the first call', async () => {
  const key = { serialize: String, deserialize: () => 1, prepare: vi.fn(async () => {}) }
  const value = { serialize: String, deserialize: () => 1, prepare: vi.fn(async () => {}) }
  await prepareSerdes(defineTopic('prepared', { key, value: nullable(value) }))
  expect(key.prepare).toHaveBeenCalledOnce()
  expect(value.prepare).toHaveBeenCalledOnce()
  await prepareSerdes(defineTopic('plain', { value: string() }))
})

describe('a name', () => {
  test('is 1 to 249 of the characters that Kafka takes', () => {
    for (const name of ['a', 'A.b_c-9', '...', '__offsets', 'x'.repeat(249)]) expect(checkTopicName(name)).toBe(name)
    const character = fc.constantFrom(...'abcXYZ019._-')
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 3, maxLength: 249 }), (name) => {
        expect(checkTopicName(name)).toBe(name)
      }),
      { seed: 20_261_132 },
    )
  })

  test.each<[unknown, string]>([
    ['', '"" was given'],
    ['.', '"." was given'],
    ['..', '".." was given'],
    ['a b', '"a b" was given'],
    ['a/b', '"a/b" was given'],
    ['café', '"café" was given'],
    ['a\n', '"a\\n" was given'],
    ['x'.repeat(250), '(250 characters) was given'],
    [undefined, 'undefined was given'],
    [{ name: 'a' }, 'an object was given'],
  ])('%j is none', (name, words) => {
    const error = refusal(name)
    expect(error.code).toBe('INVALID_TOPIC_EXCEPTION')
    expect(error.message).toContain('1 to 249 characters')
    expect(error.message).toContain(words)
  })
})

test.each<[Record<string, unknown>, string, string]>([
  [
    { partitions: 0 },
    'INVALID_PARTITIONS',
    'topic option partitions must be a whole number of partitions (int) from 1 to 262144; 0 was given',
  ],
  [{ partitions: '8' }, 'INVALID_PARTITIONS', 'did you mean 8, without quotes?'],
  [{ replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR', 'from 1 to 64; 0 was given'],
  [{ key: string }, 'INVALID_CONFIG', 'key of topic "orders" takes a serde'],
  [{ value: anything }, 'INVALID_CONFIG', 'write json(schema) or msgpack(schema)'],
  [{ value: null }, 'INVALID_CONFIG', 'null was given'],
  [{ validate: 'consume' }, 'INVALID_CONFIG', 'one of "produce", "both"'],
  [{ validate: true }, 'INVALID_CONFIG', 'true was given'],
  [{ config: 'retention.ms=1' }, 'INVALID_CONFIG', "an object of Kafka's topic configs"],
  [{ config: { 'retention.mss': 1 } }, 'INVALID_CONFIG', 'did you mean retention.ms'],
  [{ config: { 'millrace.durability': 'fsync' } }, 'INVALID_CONFIG', 'one of "memory", "cache", "disk"'],
  [{ retentionMs: 1 }, 'INVALID_CONFIG', "it is a topic config: write config: { 'retention.ms': … }"],
  [{ numPartitions: 1 }, 'INVALID_CONFIG', 'it is called partitions here'],
  [{ configEntries: [] }, 'INVALID_CONFIG', 'it is called config here'],
  [{ partition: 1 }, 'INVALID_CONFIG', 'did you mean partitions'],
])('%j is refused', (options, code, words) => {
  const error = refusal('orders', options)
  expect(error.code).toBe(code)
  expect(error.message).toContain(words)
})
