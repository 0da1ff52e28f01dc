import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMillrace, string } from '../../../src/index.ts'
import type { Admin, EmbeddedMillrace, ItemFailures, MillraceError, Topic } from '../../../src/index.ts'

let millrace: EmbeddedMillrace
let admin: Admin

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024 })
  admin = millrace.admin
})
afterAll(() => millrace.close())

const failure = (call: Promise<unknown>): Promise<MillraceError> =>
  call.then(
    () => expect.fail('it resolved'),
    (error: MillraceError) => error,
  )

/** A topic of three partitions: five records with the times 100, 300, 200, 300, 400 in 0, one in 1, none in 2. */
async function filled(name: string): Promise<Topic<string | null, string>> {
  const topic = await millrace.topic(name, { partitions: 3, value: string() })
  const producer = millrace.producer()
  await producer.sendAll(
    topic,
    [100, 300, 200, 300, 400].map((timestamp) => ({ value: `at ${timestamp}`, partition: 0, timestamp })),
  )
  await producer.send(topic, { value: 'alone', partition: 1, timestamp: 250 })
  await producer.close()
  return topic
}

describe('listOffsets', () => {
  test('the ends of all partitions', async () => {
    await filled('ends')
    const latest = await admin.listOffsets('ends', 'latest')
    expect(latest).toEqual([5, 1, 0].map((offset, partition) => ({ partition, offset, timestamp: null, leaderEpoch: 0 })))
    expect(Object.isFrozen(latest) && Object.isFrozen(latest[0])).toBe(true)
    expect((await admin.listOffsets('ends', 'earliest')).map(({ offset }) => offset)).toEqual([0, 0, 0])
    expect(await admin.listOffsets('ends', 'latest', { isolationLevel: 'read_committed' })).toEqual(latest)
  })

  test('by time: the first record at or after it, of all partitions', async () => {
    await filled('times')
    expect(await admin.listOffsets('times', { timestamp: 250 })).toEqual([
      { partition: 0, offset: 1, timestamp: 300, leaderEpoch: 0 },
      { partition: 1, offset: 0, timestamp: 250, leaderEpoch: 0 },
      { partition: 2, offset: null, timestamp: null, leaderEpoch: null },
    ])
  })

  test('other things of some partitions', async () => {
    await filled('some')
    expect(await admin.listOffsets('some', { 2: 'maxTimestamp', 0: 'maxTimestamp', 1: { timestamp: 251 } })).toEqual([
      { partition: 0, offset: 4, timestamp: 400, leaderEpoch: 0 },
      { partition: 1, offset: null, timestamp: null, leaderEpoch: null },
      { partition: 2, offset: null, timestamp: null, leaderEpoch: null },
    ])
    expect(await admin.listOffsets('some', {})).toEqual([])
  })

  test.each<[string, unknown, string, RegExp]>([
    [
      'a partition that is not there',
      { 0: 'latest', 3: 'latest' },
      'UNKNOWN_TOPIC_OR_PARTITION',
      /topic wrong has no partition 3: it has partitions 0 to 2/,
    ],
    ['a partition that is no number', { first: 'latest' }, 'UNKNOWN_TOPIC_OR_PARTITION', /topic wrong has no partition "first"/],
    [
      'another word',
      'newest',
      'INVALID_REQUEST',
      /looked up by 'earliest', 'latest', 'maxTimestamp' or \{ timestamp \}; "newest" was given/,
    ],
    ['a number', 5, 'INVALID_REQUEST', /listOffsets takes an object by partition/],
    ['a number for a time', { 0: 5 }, 'INVALID_REQUEST', /5 was given/],
    ['a time that is none', { timestamp: -1 }, 'INVALID_TIMESTAMP', /from 0 on, not -1/],
    ['a Date', { 0: { timestamp: new Date(0) } }, 'INVALID_TIMESTAMP', /not an object/],
  ])('%s', async (_, spec, code, message) => {
    await millrace.topic('wrong', { partitions: 3 })
    expect(await failure(admin.listOffsets('wrong', spec as 'latest'))).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  test('a topic that is not there', async () => {
    expect(await failure(admin.listOffsets('none', 'latest'))).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false })
    expect(await failure(admin.listOffsets('wrong', 'latest', { isolationLevel: 'committed' } as never))).toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })
})

describe('deleteRecords', () => {
  test('up to an offset in the middle of a batch, up to the end, and none of the others', async () => {
    const topic = await filled('deleted')
    expect(await admin.deleteRecords('deleted', { 0: 3, 1: 'end' })).toEqual([
      { partition: 0, lowWatermark: 3 },
      { partition: 1, lowWatermark: 1 },
    ])
    expect((await admin.listOffsets('deleted', 'earliest')).map(({ offset }) => offset)).toEqual([3, 1, 0])
    const read: [number, number, string][] = []
    for await (const { partition, offset, value } of millrace.consumer().records(topic, { until: 'end' }))
      read.push([partition, offset, value])
    expect(read).toEqual([
      [0, 3, 'at 300'],
      [0, 4, 'at 400'],
    ])
    // What is deleted is not found by time either.
    expect((await admin.listOffsets('deleted', { timestamp: 0 })).map(({ offset }) => offset)).toEqual([3, null, null])
  })

  test('repeated, and below what is deleted already, it changes nothing', async () => {
    await filled('repeated')
    await admin.deleteRecords('repeated', { 0: 3 })
    expect(await admin.deleteRecords('repeated', { 0: 3 })).toEqual([{ partition: 0, lowWatermark: 3 }])
    expect(await admin.deleteRecords('repeated', { 0: 1 })).toEqual([{ partition: 0, lowWatermark: 3 }])
  })

  test('beyond the end: that partition is named, the others are done', async () => {
    await filled('beyond')
    const error = await failure(admin.deleteRecords('beyond', { 0: 2, 1: 5, 2: 'end' }))
    expect(error).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringMatching(/^1 of 3 failed, the first, beyond-1: .*high watermark, which is 1/) as string,
    })
    expect([...(error.cause as ItemFailures).byName.keys()]).toEqual(['beyond-1'])
    expect((await admin.listOffsets('beyond', 'earliest')).map(({ offset }) => offset)).toEqual([2, 0, 0])
    const alone = await failure(admin.deleteRecords('beyond', { 0: 6 }))
    expect([alone.code, alone.cause]).toEqual(['OFFSET_OUT_OF_RANGE', undefined])
  })

  test('memory is free again', async () => {
    const topic = await millrace.topic('large', { value: string() })
    const producer = millrace.producer()
    for (let i = 0; i < 40; i++) await producer.send(topic, { value: 'x'.repeat(100_000) })
    const before = (await admin.describeTopic('large')).partitions[0]!
    await admin.deleteRecords('large', { 0: 'end' })
    const after = (await admin.describeTopic('large')).partitions[0]!
    expect(before.heldBytes).toBeGreaterThanOrEqual(4_000_000)
    expect(after).toMatchObject({ startOffset: 40, endOffset: 40, trimmedRecords: 0, expiredRecords: 0 })
    expect(after.heldBytes).toBe(0)
    await producer.send(topic, { value: 'goes on' })
    expect((await admin.describeTopic('large')).partitions[0]).toMatchObject({ startOffset: 40, endOffset: 41 })
  })

  test.each<[string, unknown, string, RegExp]>([
    ['an array', [5], 'INVALID_REQUEST', /deleteRecords takes an object by partition, as in \{ 0: …, 1: … \}; an array was given/],
    ["Kafka's -1", { 0: -1 }, 'OFFSET_OUT_OF_RANGE', /an offset from 0 on, or 'end'; -1 was given/],
    ["kafkajs's text", { 0: '5' }, 'OFFSET_OUT_OF_RANGE', /"5" was given/],
    ['a partition that is not there', { 7: 'end' }, 'UNKNOWN_TOPIC_OR_PARTITION', /has no partition 7/],
  ])('%s', async (_, offsets, code, message) => {
    await millrace.topic('wrong', { partitions: 3 })
    expect(await failure(admin.deleteRecords('wrong', offsets as { 0: number }))).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })
})
