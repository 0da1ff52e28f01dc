// The broker configs that openMillrace is given, and what topics have from them.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { asBoundTopic } from '../../src/client/topic.ts'
import { bytes, openMillrace } from '../../src/index.ts'
import type { BrokerConfigOptions, EmbeddedMillrace } from '../../src/index.ts'

const lines: { fields: object; message: string }[] = []
const ignore = (): void => undefined
const logger = {
  debug: ignore,
  info: (fields: object, message: string) => void lines.push({ fields, message }),
  warn: ignore,
  error: ignore,
}

const config: BrokerConfigOptions = {
  ...{ 'num.partitions': 3, 'message.max.bytes': 2_000, 'log.retention.bytes': 1_000_000 },
  ...{ 'log.cleanup.policy': 'delete', 'delete.topic.enable': false, 'num.io.threads': 8 },
}

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024, partitionsMax: 64, config, logger, logLevel: 'info' })
})
afterAll(() => millrace.close())

test('a new topic gets num.partitions, unless it says how many', async () => {
  expect((await millrace.topic('unsaid')).partitions).toBe(3)
  expect((await millrace.topic('said', { partitions: 1 })).partitions).toBe(1)
  expect((await millrace.admin.createTopics(['unsaid-2', { name: 'said-2', partitions: 1 }])).map(({ partitions }) => partitions)).toEqual([
    3, 1,
  ])
  expect((await millrace.admin.describeTopic('unsaid')).config).toEqual({})
})

test('message.max.bytes holds for topics without max.message.bytes of their own', async () => {
  const producer = millrace.producer()
  const inherits = await millrace.topic('inherits', { partitions: 1, value: bytes() })
  const own = await millrace.topic('own', { partitions: 1, value: bytes(), config: { 'max.message.bytes': 4_000 } })
  await expect(producer.send(inherits, { value: new Uint8Array(3_000) })).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  await expect(producer.send(inherits, { value: new Uint8Array(1_000) })).resolves.toMatchObject({ offset: 0 })
  await expect(producer.send(own, { value: new Uint8Array(3_000) })).resolves.toMatchObject({ offset: 0 })
})

test('an existing topic is compared with what it has from the brokers', async () => {
  await millrace.topic('compared')
  await expect(millrace.topic('compared', { config: { 'max.message.bytes': 2_000 } })).resolves.toMatchObject({ partitions: 3 })
  await expect(millrace.topic('compared', { config: { 'max.message.bytes': 1_048_588 } })).rejects.toThrow(/max\.message\.bytes is not set/)
})

test('log.retention.bytes trims topics without retention.bytes of their own', async () => {
  const topic = await millrace.topic('trimmed', { partitions: 1, value: bytes() })
  const producer = millrace.producer()
  const value = new Uint8Array(1_000)
  for (let sent = 0; sent < 4; sent++) {
    const records = Array.from({ length: 1_000 }, () => ({ value }))
    await producer.sendAll(topic, records)
  }
  const { partitions } = await millrace.admin.describeTopic('trimmed')
  expect(partitions[0]).toMatchObject({ endOffset: 4_000 })
  expect(partitions[0]!.startOffset).toBeGreaterThan(0)
})

test('topics are not deleted under delete.topic.enable: false', async () => {
  const { engine } = asBoundTopic(await millrace.topic('kept'))
  await expect(engine.deleteTopic({ name: 'kept' })).rejects.toMatchObject({ code: 'TOPIC_DELETION_DISABLED', retriable: false })
  expect(await millrace.admin.listTopics()).toContain('kept')
})

test('what has no effect is told once', () => {
  expect(lines.map(({ message }) => message)).toEqual([
    'broker config num.io.threads has no effect: a broker is one thread, which is all there is to tune',
  ])
  expect(lines[0]!.fields).toEqual({ config: 'num.io.threads' })
})

test.each<[object, string]>([
  [{ config: { 'num.partitons': 3 } }, 'did you mean num.partitions'],
  [{ config: { listeners: 'PLAINTEXT://:9092' } }, 'Kafka clients cannot connect yet'],
  [{ config: 3 }, "an object of Kafka's broker configs"],
  [{ 'num.partitions': 3 }, "it is a broker config: write config: { 'num.partitions': … }"],
  [{ logRetentionMs: 3 }, "write config: { 'log.retention.ms': … }"],
])('%j is refused before a thread starts', async (options, words) => {
  await expect(openMillrace(options)).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringContaining(words) as string })
})
