// Records with a text key and bytes go a way of their own through the producer: they must
// arrive as those that do not.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { bytes, nullable, openMillrace, string } from '../../src/index.ts'
import type { Headers, Millrace, RecordOptions } from '../../src/index.ts'
import { murmur2, partitionOfHash } from '../../src/record/murmur2.ts'

const PARTITIONS = 5
let millrace: Millrace

beforeEach(async () => {
  millrace = await openMillrace({ logMemoryBytes: 64 << 20 })
})
afterEach(() => millrace.close())

interface Arrived {
  readonly key: string | null
  readonly value: string
  readonly partition: number
  readonly headers: readonly (readonly [string, string | null])[]
}

async function read(topic: Awaited<ReturnType<typeof bind>>, count: number): Promise<Arrived[]> {
  const arrived: Arrived[] = []
  for await (const batch of millrace.consumer({ autoOffsetReset: 'earliest' }).batches(topic)) {
    for (const { key, value, partition, headers } of batch) {
      arrived.push({ key, value: Buffer.from(value).toString(), partition, headers: headers.toJSON() })
    }
    if (arrived.length >= count) break
  }
  return arrived
}

function bind(name: string, key = nullable(string())) {
  return millrace.topic(name, { partitions: PARTITIONS, key, value: bytes() })
}

const hashed = (key: string): number => partitionOfHash(murmur2(Buffer.from(key), 0, Buffer.byteLength(key)), PARTITIONS)
const byValue = (a: Arrived, b: Arrived): number => Number(a.value) - Number(b.value)

const texts = [
  ...Array.from({ length: 40 }, (_, length) => 'abcdefghijklmnopqrstuvwxyz0123456789-_.:'.slice(0, length)),
  ...['ü', 'ключ-7', '中文', '😀', `${'x'.repeat(11)}é`, `${'x'.repeat(40)}é`, '\ud83d', 'a\udc00b', '\u0000', '\u0080'],
  ...[62, 63, 64, 65, 1_023, 1_024, 1_025, 4_079, 4_080, 8_192].flatMap((length) => ['k'.repeat(length), '中'.repeat(length)]),
]

test.each(['offer', 'send'] as const)(
  'every key, with and without headers, goes where its UTF-8 says and arrives whole: %s',
  async (way) => {
    const topic = await bind('keyed')
    const producer = millrace.producer({ batchSize: 16_384 })
    const expected: Arrived[] = []
    const sent: Promise<unknown>[] = []
    for (const [index, headers] of [
      undefined,
      { source: 'web', né: '中' },
      [
        ['a', null],
        ['a', 'x'.repeat(100)],
      ] as const,
      {},
    ].entries()) {
      for (const [at, key] of texts.entries()) {
        const value = String(index * texts.length + at)
        const options: RecordOptions = headers === undefined ? {} : { headers }
        if (way === 'send') sent.push(producer.send(topic, { key, value: Buffer.from(value), ...options }))
        else while (!producer.offer(topic, key, Buffer.from(value), headers && options)) await producer.drained()
        const pairs = headers === undefined ? [] : Array.isArray(headers) ? headers : Object.entries(headers)
        expected.push({ key: key.toWellFormed(), value, partition: hashed(key), headers: pairs as Arrived['headers'] })
      }
    }
    await Promise.all(sent)
    await producer.flush()
    expect((await read(topic, expected.length)).toSorted(byValue)).toEqual(expected)
    expect(expected.length).toBe(280)
  },
)

test('a partition that is given, and a partitioner of the own, are asked before the hash', async () => {
  const topic = await bind('own')
  const options = { partition: 3 }
  const given = millrace.producer()
  const own = millrace.producer({ partitioner: (keyBytes) => keyBytes!.length % PARTITIONS })
  for (const [at, key] of ['a', 'bb', 'ü'].entries()) {
    given.offer(topic, key, Buffer.from(String(at)), options)
    own.offer(topic, key, Buffer.from(String(at + 3)))
  }
  await Promise.all([given.flush(), own.flush()])
  const arrived = (await read(topic, 6)).toSorted(byValue)
  expect(arrived.map(({ key, partition }) => [key, partition])).toEqual([
    ['a', 3],
    ['bb', 3],
    ['ü', 3],
    ['a', 1],
    ['bb', 2],
    ['ü', 2],
  ])
})

test('headers that offer records while they are read disturb nobody', async () => {
  const topic = await bind('reentrant')
  const producer = millrace.producer()
  const nested = (depth: number): Headers => ({
    before: `${depth}`,
    get during() {
      if (depth > 0) producer.offer(topic, `key-${depth}`, Buffer.from(`${depth}`), { headers: nested(depth - 1) })
      return `of ${depth}`
    },
    after: 'x'.repeat(depth * 100),
  })
  producer.offer(topic, 'key-4', Buffer.from('4'), { headers: nested(3) })
  await producer.flush()
  const arrived = (await read(topic, 4)).toSorted(byValue)
  expect(arrived.map(({ key, headers }) => [key, headers])).toEqual(
    [1, 2, 3, 4].map((depth) => [
      `key-${depth}`,
      [
        ['before', `${depth - 1}`],
        ['during', `of ${depth - 1}`],
        ['after', 'x'.repeat((depth - 1) * 100)],
      ],
    ]),
  )
})
