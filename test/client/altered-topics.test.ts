// Topics that are altered, given partitions and deleted by one thread, while another one,
// with an image of its own, produces and consumes. With real brokers.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attachMillrace, bytes, openMillrace, string } from '../../src/index.ts'
import type { Admin, ConsumerRecord, EmbeddedMillrace, Producer, Topic } from '../../src/index.ts'
import { partitionOfHash } from '../../src/record/murmur2.ts'
import { murmur2OfText } from '../../src/record/text-key.ts'

let millrace: EmbeddedMillrace
/** Of the opener: nobody tells the other one. */
let admin: Admin
let attached: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
  admin = millrace.admin
  attached = await attachMillrace(millrace.handle)
})
afterAll(async () => {
  await attached.close()
  await millrace.close()
})

describe('partitions that are added', () => {
  test('a producer that sent before uses them: by key, without one, and by number', async () => {
    const topic = await attached.topic('grown', { partitions: 2, value: string() })
    const producer = attached.producer({ batchSize: 200 })
    const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`)
    const sendAll = (): Promise<{ partition: number }[]> =>
      producer.sendAll(
        topic,
        keys.map((key) => ({ key, value: 'x' })),
      )
    const by = (count: number): number[] => keys.map((key) => partitionOfHash(murmur2OfText(key), count))
    expect((await sendAll()).map(({ partition }) => partition)).toEqual(by(2))
    await expect(producer.send(topic, { value: 'x', partition: 4 })).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    await admin.createPartitions('grown', 5)
    expect((await sendAll()).map(({ partition }) => partition)).toEqual(by(5))
    expect(topic.partitions).toBe(5)
    const keyless = await producer.sendAll(
      topic,
      Array.from({ length: 300 }, () => ({ value: 'x'.repeat(100) })),
    )
    expect([...new Set(keyless.map(({ partition }) => partition))].sort()).toEqual([0, 1, 2, 3, 4])
    await admin.createPartitions('grown', 6)
    expect(await producer.send(topic, { value: 'x', partition: 5 })).toMatchObject({ partition: 5 })
    await producer.close()
  })

  test("a reader finds them and reads them from their start, under 'latest' too", async () => {
    const topic = await attached.topic('read-grown', { partitions: 1, value: string() })
    const sender = millrace.producer()
    const own = await millrace.topic('read-grown', { value: string() })
    await sender.send(own, { value: 'before' })
    const consumer = attached.consumer({ autoOffsetReset: 'latest' })
    const records = consumer.records(topic)
    const next = async (): Promise<string> => {
      const { value } = await records.next()
      const { partition, offset, value: text } = value as ConsumerRecord<string | null, string>
      return `${partition}:${offset} ${text}`
    }
    const first = next()
    // It stands at the end before more is sent, however busy the machine is.
    expect(consumer.position(topic, 0)).toBe(1)
    await sender.send(own, { value: 'now' })
    expect(await first).toBe('0:1 now')
    // Waits while they are added, and has not been told when they are written to.
    const waiting = next()
    await admin.createPartitions('read-grown', 3)
    await sender.send(own, { value: 'a', partition: 2 })
    await sender.send(own, { value: 'b', partition: 2 })
    expect([await waiting, await next()]).toEqual(['2:0 a', '2:1 b'])
    await sender.send(own, { value: 'c', partition: 1 })
    await sender.send(own, { value: 'd', partition: 0 })
    expect([await next(), await next()].sort()).toEqual(['0:2 d', '1:0 c'])
    expect(consumer.lag(topic)).toBe(0)
    await Promise.all([consumer.close(), sender.close()])
  })
})

describe('max.message.bytes', () => {
  const size = 20_000
  /** What sending a record of so many bytes comes to, and what offering it. */
  async function outcomes(producer: Producer, topic: Topic<unknown, unknown, string | null, Uint8Array>): Promise<string[]> {
    const sent = await producer.send(topic, { value: new Uint8Array(size) }).then(
      () => 'taken',
      ({ code }: { code: string }) => code,
    )
    try {
      while (!producer.offer(topic, null, new Uint8Array(size))) await producer.drained()
      await producer.flush()
      return [sent, 'taken']
    } catch (error) {
      return [sent, (error as { code: string }).code]
    }
  }
  const taken = ['taken', 'taken']
  const refused = ['MESSAGE_TOO_LARGE', 'MESSAGE_TOO_LARGE']

  test('of the topic: lowered, raised and taken back', async () => {
    const topic = await attached.topic('bounded', { value: bytes() })
    const producer = attached.producer()
    const of = (change: object): Promise<void> => admin.incrementalAlterConfigs({ type: 'topic', name: 'bounded', ...change })
    expect(await outcomes(producer, topic)).toEqual(taken)
    await of({ set: { 'max.message.bytes': 10_000 } })
    expect(await outcomes(producer, topic)).toEqual(refused)
    await of({ set: { 'max.message.bytes': 30_000 } })
    expect(await outcomes(producer, topic)).toEqual(taken)
    await of({ set: { 'max.message.bytes': 10_000 } })
    expect(await outcomes(producer, topic)).toEqual(refused)
    await of({ delete: ['max.message.bytes'] })
    expect(await outcomes(producer, topic)).toEqual(taken)
    await producer.close()
  })

  test('of all brokers, and of the one that leads', async () => {
    const topic = await attached.topic('inherits', { value: bytes() })
    const producer = attached.producer()
    const { leader } = (await admin.describeTopic('inherits')).partitions[0]!
    const of = (name: number | undefined, change: object): Promise<void> =>
      admin.incrementalAlterConfigs({ type: 'broker', name, ...change })
    expect(await outcomes(producer, topic)).toEqual(taken)
    await of(undefined, { set: { 'message.max.bytes': 10_000 } })
    expect(await outcomes(producer, topic)).toEqual(refused)
    await of(leader, { set: { 'message.max.bytes': 30_000 } })
    expect(await outcomes(producer, topic)).toEqual(taken)
    await admin.moveLeader('inherits', 0, 1 - leader)
    expect(await outcomes(producer, topic)).toEqual(refused)
    // A binding that is made now knows them too.
    await attached.topic('inherits', { value: bytes(), config: { 'max.message.bytes': 10_000 } })
    await of(leader, { delete: ['message.max.bytes'] })
    await of(undefined, { delete: ['message.max.bytes'] })
    expect(await outcomes(producer, topic)).toEqual(taken)
    await producer.close()
  })
})

test('a topic that becomes compacted requires keys of producers that sent before', async () => {
  const topic = await attached.topic('compacts', { value: string() })
  const producer = attached.producer()
  await producer.send(topic, { value: 'a' })
  await admin.incrementalAlterConfigs({ type: 'topic', name: 'compacts', set: { 'cleanup.policy': 'compact' } })
  await expect(producer.send(topic, { value: 'b' })).rejects.toMatchObject({ code: 'INVALID_RECORD' })
  await producer.send(topic, { key: 'k', value: 'c' })
  await producer.close()
})

test('a topic that is deleted: readers that wait, read and look up hear of it, and the topic after it is another one', async () => {
  const topic = await attached.topic('deleted', { partitions: 2, value: string() })
  const producer = attached.producer()
  await producer.send(topic, { value: 'old', partition: 1 })
  const [waits, reads, idle] = [attached.consumer({ autoOffsetReset: 'latest' }), attached.consumer(), attached.consumer()]
  const waiting = waits.records(topic).next()
  const reading = reads.records(topic)
  expect((await reading.next()).value).toMatchObject({ value: 'old' })
  const going = reading.next()
  await admin.deleteTopics('deleted')
  const deleted = { code: 'UNKNOWN_TOPIC_ID', retriable: false }
  await expect(waiting).rejects.toMatchObject(deleted)
  await expect(going).rejects.toMatchObject(deleted)
  await expect(idle.records(topic).next()).rejects.toMatchObject(deleted)
  await expect(idle.endOffsets([{ topic, partition: 0 }])).rejects.toMatchObject(deleted)
  await expect(producer.send(topic, { value: 'late' })).rejects.toMatchObject(deleted)
  const again = await attached.topic('deleted', { partitions: 1, value: string() })
  expect(again.topicId).not.toBe(topic.topicId)
  expect([topic.partitions, again.partitions]).toEqual([2, 1])
  await producer.send(again, { value: 'new' })
  const seen: string[] = []
  for await (const { partition, offset, value } of idle.records(again, { until: 'end' })) seen.push(`${partition}:${offset} ${value}`)
  expect(seen).toEqual(['0:0 new'])
  await expect(idle.records(topic).next()).rejects.toMatchObject(deleted)
  await Promise.all([waits.close(), reads.close(), idle.close(), producer.close()])
})
