// What becomes of a batch between sealing and its lane when it is to be compressed.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/random.ts'
import type { ProducerOptions } from '../../../src/client/producer/producer-config.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'

let broker: HandDrivenBroker

beforeEach(() => {
  broker = new HandDrivenBroker()
})
afterEach(() => broker.close())

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const NUMBERS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

function noise(characters: number, seed: number): string {
  const random = seededRandom(seed)
  return Array.from({ length: characters }, () => String.fromCharCode(33 + random.below(90))).join('')
}

describe.each(CODECS)('%s', (compressionType) => {
  test('batches leave compressed, in order and under their sequence numbers, and hold what was sent', async () => {
    const producer = broker.producer({ compressionType, batchSize: 4_000 })
    const topic = broker.topic({ partitions: 2 })
    const sent: string[][] = [[], []]
    const batches = []
    for (let i = 0; i < 2_000; i++) {
      const value = `${i} `.repeat(1 + (i % 20))
      while (!producer.offer(topic, `key ${i}`, value, { partition: i % 2, timestamp: 1_000 + i })) batches.push(...(await broker.serve()))
      sent[i % 2]!.push(value)
    }
    void producer.flush()
    batches.push(...(await broker.serve()))
    for (const partition of [0, 1]) {
      const own = batches.filter((batch) => batch.partition === partition)
      expect(own.flatMap(({ values }) => values)).toEqual(sent[partition])
      let sequence = 0
      for (const { baseSequence, records } of own) {
        expect(baseSequence).toBe(sequence)
        sequence += records.length
      }
    }
    expect(new Set(batches.map(({ compression }) => compression))).toEqual(new Set([NUMBERS[compressionType]]))
    expect(new Set(batches.map(({ crc }) => crc))).toEqual(new Set(['none']))
    for (const { sizeInBytes } of batches) expect(sizeInBytes).toBeLessThan(2_500)
  })

  test('what cannot be compressed arrives too, and leaves again as it was', async () => {
    const producer = broker.producer({ compressionType, batchSize: 3_000 })
    const topic = broker.topic()
    const values = Array.from({ length: 40 }, (_, i) => noise(2_900, i))
    const sent = values.map((value) => producer.send(topic, { value }))
    await nextTurn()
    const [first, ...rest] = broker.take()
    first!.refuse(KAFKA_ERRORS.NOT_ENOUGH_REPLICAS)
    for (const batch of rest) batch.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
    await nextTurn()
    broker.clock.advance(200)
    const batches = await broker.serve()
    await Promise.all(sent)
    expect(batches[0]).toMatchObject({
      compression: first!.compression,
      sizeInBytes: first!.sizeInBytes,
      values: first!.values,
      baseSequence: 0,
    })
    expect(batches.flatMap((batch) => batch.values)).toEqual(values)
  })
})

describe('limits', () => {
  test('max.message.bytes is of the compressed batch: what a record comes to, its leader says', async () => {
    const producer = broker.producer({ compressionType: 'zstd' })
    const topic = broker.topic({ config: { 'max.message.bytes': 1_000 } })
    const sent = [producer.send(topic, { value: 'x'.repeat(50_000) }), producer.send(topic, { value: noise(50_000, 1) })]
    await nextTurn()
    const [small, large] = broker.take()
    expect(small).toMatchObject({ compression: 4, values: ['x'.repeat(50_000)] })
    expect(small!.sizeInBytes).toBeLessThan(1_000)
    expect(large!.sizeInBytes).toBeGreaterThan(1_000)
    small!.ack()
    large!.refuse(KAFKA_ERRORS.MESSAGE_TOO_LARGE)
    expect(await Promise.allSettled(sent)).toMatchObject([{ value: { offset: 0 } }, { reason: { code: 'MESSAGE_TOO_LARGE' } }])
  })

  test('a batch of several records is taken whatever it compresses to', async () => {
    const producer = broker.producer({ compressionType: 'lz4' })
    const topic = broker.topic({ config: { 'max.message.bytes': 1_000 } })
    for (let i = 0; i < 100; i++) void producer.send(topic, { value: noise(80, i) }).catch(() => undefined)
    const batches = await broker.serve()
    expect(batches.flatMap(({ values }) => values)).toHaveLength(100)
    for (const { sizeInBytes } of batches) expect(sizeInBytes).toBeLessThanOrEqual(1_000)
  })

  test('maxRequestSize is of the record as it is', () => {
    const producer = broker.producer({ compressionType: 'zstd', maxRequestSize: 10_000 })
    const topic = broker.topic()
    expect(() => producer.offer(topic, null, 'x'.repeat(10_000))).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
  })
})

describe("a topic's compression.type", () => {
  const compressionOf = async (options: ProducerOptions, config: Record<string, string | number>): Promise<number> => {
    const producer = broker.producer(options)
    void producer.send(broker.topic({ config }), { value: 'x'.repeat(1_000) })
    const [batch] = await broker.serve()
    return batch!.compression
  }

  test.each(['none', ...CODECS] as const)("comes before the producer's, which is %s", async (compressionType) => {
    expect(await compressionOf({ compressionType }, {})).toBe(NUMBERS[compressionType])
    expect(await compressionOf({ compressionType }, { 'compression.type': 'producer' })).toBe(NUMBERS[compressionType])
    expect(await compressionOf({ compressionType }, { 'compression.type': 'uncompressed' })).toBe(0)
    for (const name of CODECS) expect(await compressionOf({ compressionType }, { 'compression.type': name })).toBe(NUMBERS[name])
  })

  test('brings its level with it, unless the producer would use the codec itself', async () => {
    const value = Array.from({ length: 200 }, (_, i) => noise(20, i % 30)).join('')
    const sizeOf = async (options: ProducerOptions, config: Record<string, string | number>): Promise<number> => {
      void broker.producer(options).send(broker.topic({ config }), { value })
      const [batch] = await broker.serve()
      return batch!.sizeInBytes
    }
    const topic = { 'compression.type': 'zstd', 'compression.zstd.level': -1_000 }
    const low = await sizeOf({}, topic)
    const high = await sizeOf({ compressionType: 'zstd', compressionZstdLevel: 19 }, {})
    expect(low).toBeGreaterThan(high * 1.5)
    expect(await sizeOf({ compressionType: 'zstd', compressionZstdLevel: 19 }, topic)).toBe(high)
    expect(await sizeOf({ compressionType: 'lz4', compressionZstdLevel: 19 }, topic)).toBe(low)
  })

  test('altered, it counts for batches that are sealed from then on', async () => {
    const producer = broker.producer({})
    const topic = broker.topic()
    const next = async (): Promise<number> => {
      void producer.send(topic, { value: 'x' })
      return (await broker.serve())[0]!.compression
    }
    expect(await next()).toBe(0)
    broker.alter(topic, { 'compression.type': 'gzip' })
    expect(await next()).toBe(1)
    broker.alter(topic, {})
    expect(await next()).toBe(0)
    broker.alter('all brokers', { 'compression.type': 'snappy' })
    expect(await next()).toBe(2)
  })
})
