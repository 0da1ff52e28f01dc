import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { brokerId, equalTopicIds, formatTopicId, parseTopicId, partitionIndex, slot, TOPIC_ID_ZERO, threadId } from '../src/ids.ts'
import type { TopicId } from '../src/ids.ts'

const topicIds = fc.tuple(...([fc.integer(), fc.integer(), fc.integer(), fc.integer()] as const)) as fc.Arbitrary<TopicId>

describe('topic ids', () => {
  test('print as Kafka prints them', () => {
    expect(formatTopicId(TOPIC_ID_ZERO)).toBe('AAAAAAAAAAAAAAAAAAAAAA')
    // The id that Kafka reserves for __cluster_metadata: 15 zero bytes and a one.
    expect(formatTopicId([0, 0, 0, 1])).toBe('AAAAAAAAAAAAAAAAAAAAAQ')
    expect(formatTopicId([-1, -1, -1, -1])).toBe('_____________________w')
    expect(formatTopicId([0x01020304, 0x05060708, 0x090a0b0c, 0x0d0e0f10])).toBe('AQIDBAUGBwgJCgsMDQ4PEA')
  })

  test('read back what was printed', () => {
    fc.assert(
      fc.property(topicIds, (id) => {
        const text = formatTopicId(id)
        expect(text).toMatch(/^[\w-]{22}$/)
        expect(parseTopicId(text)).toEqual(id)
      }),
      { seed: 1 },
    )
  })

  test.each([
    '',
    'AAAA',
    'AAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAA',
    '!!AAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAA==',
    'AAAAAAAAAAAAAAAAAAAA+/',
  ])('"%s" is refused', (text) => {
    expect(() => parseTopicId(text)).toThrow(text)
  })

  test('are equal word by word', () => {
    fc.assert(
      fc.property(topicIds, fc.nat(3), fc.integer({ min: 1, max: 2 ** 31 - 1 }), (id, at, change) => {
        expect(equalTopicIds(id, [...id])).toBe(true)
        const other = id.map((word, index) => (index === at ? word ^ change : word)) as unknown as TopicId
        expect(equalTopicIds(id, other)).toBe(false)
      }),
      { seed: 1 },
    )
  })
})

test('branded ids are plain numbers at run time', () => {
  expect([brokerId(1), threadId(2), slot(3), partitionIndex(4)]).toEqual([1, 2, 3, 4])
})
