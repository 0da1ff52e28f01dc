import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMillrace, string } from '../../../src/index.ts'
import type { Admin, EmbeddedMillrace, ItemFailures, MillraceError } from '../../../src/index.ts'

let millrace: EmbeddedMillrace
let admin: Admin

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
  admin = millrace.admin
})
afterAll(() => millrace.close())

const failure = (call: Promise<unknown>): Promise<MillraceError> =>
  call.then(
    () => expect.fail('it resolved'),
    (error: MillraceError) => error,
  )

async function filled(name: string, records: number): Promise<void> {
  const topic = await millrace.topic(name, { partitions: 2, value: string() })
  const producer = millrace.producer()
  await producer.sendAll(
    topic,
    Array.from({ length: records }, (_, i) => ({ value: `${i}`, partition: 0, timestamp: 1_000 + i })),
  )
  await producer.close()
}

describe('groups', () => {
  test('none are there before somebody commits, and no topic is made to say so', async () => {
    expect(await admin.listGroups()).toEqual([])
    expect(await admin.listGroupOffsets('none')).toEqual([])
    expect((await failure(admin.groupLag('none'))).code).toBe('GROUP_ID_NOT_FOUND')
    expect(await admin.listTopics({ listInternal: true })).not.toContain('__consumer_offsets')
  })

  test('from their first offset to their end', async () => {
    await filled('work', 100)
    await admin.alterGroupOffsets('a', { work: { 0: 40, 1: { offset: 0, metadata: 'nothing yet' } } })
    await admin.alterGroupOffsets('b', { work: { 0: 7 } })
    expect(await admin.listGroupOffsets('a')).toEqual([
      { topic: 'work', partition: 0, offset: 40, leaderEpoch: null, metadata: '' },
      { topic: 'work', partition: 1, offset: 0, leaderEpoch: null, metadata: 'nothing yet' },
    ])
    const listed = await admin.listGroups()
    expect(listed.map(({ groupId, state, type }) => [groupId, state, type])).toEqual([
      ['a', 'Empty', 'classic'],
      ['b', 'Empty', 'classic'],
    ])
    expect(Object.isFrozen(listed) && Object.isFrozen(listed[0])).toBe(true)
    expect(await admin.listGroups({ states: ['Stable'] })).toEqual([])
    expect(await admin.listGroups({ types: ['consumer'] })).toEqual([])
    const described = await admin.describeGroup('a')
    expect(described).toMatchObject({ groupId: 'a', state: 'Empty', members: [] })
    expect([0, 1]).toContain(described.coordinator)

    expect(await admin.groupLag('a')).toMatchObject({ lag: 60, topics: [{ topic: 'work', lag: 60 }] })
    const plan = await admin.resetGroupOffsets('a', { work: [0] }, { timestamp: 1_090 }, { dryRun: true })
    expect(plan).toEqual([{ topic: 'work', partition: 0, previousOffset: 40, offset: 90 }])
    expect((await admin.groupLag('a')).lag).toBe(60)
    expect(await admin.resetGroupOffsets('a', { work: [0] }, { timestamp: 1_090 })).toEqual(plan)
    expect((await admin.groupLag('a')).lag).toBe(10)
    await admin.resetGroupOffsets('a', 'work', { shiftBy: -1_000 })
    expect((await admin.groupLag('a')).lag).toBe(100)

    await admin.deleteGroupOffsets('a', { work: [1] })
    expect((await admin.listGroupOffsets('a')).map(({ partition }) => partition)).toEqual([0])
    const error = await failure(admin.deleteGroups(['a', 'none', 'b']))
    expect([error.code, [...(error.cause as ItemFailures).byName.keys()]]).toEqual(['GROUP_ID_NOT_FOUND', ['none']])
    expect(await admin.listGroups()).toEqual([])
    expect(await admin.listGroupOffsets('a')).toEqual([])
  })

  test("are their members' own while they have some", async () => {
    await filled('lived', 20)
    const topic = await millrace.topic('lived', { partitions: 2, value: string() })
    const consumer = millrace.consumer({ groupId: 'living' })
    for await (const batch of consumer.batches(topic)) {
      expect(batch.partition).toBe(0)
      const { state, type, members } = await admin.describeGroup('living')
      expect([state, type, members.map(({ assignment }) => assignment)]).toEqual(['Stable', 'consumer', [{ lived: [0, 1] }]])
      const { topics } = await admin.groupLag('living')
      expect(topics[0]!.partitions.map(({ endOffset, memberId }) => [endOffset, memberId])).toEqual([
        [20, members[0]!.memberId],
        [0, members[0]!.memberId],
      ])
      expect((await failure(admin.alterGroupOffsets('living', { lived: { 0: 1 } }))).code).toBe('NON_EMPTY_GROUP')
      expect((await failure(admin.deleteGroups('living'))).code).toBe('NON_EMPTY_GROUP')
      await consumer.commitOffsets([{ topic, partition: 0, offset: 5 }])
      expect((await failure(admin.deleteGroupOffsets('living', 'lived'))).code).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
      break
    }
    await consumer.close()
    expect((await admin.describeGroup('living')).state).toBe('Empty')
    await admin.resetGroupOffsets('living', 'lived', 'latest')
    expect((await admin.groupLag('living')).lag).toBe(0)
    await admin.deleteGroups('living')
  })

  test('never go on in a topic that was made again', async () => {
    await filled('again', 10)
    await admin.alterGroupOffsets('resumes', { again: { 0: 10 } })
    await admin.deleteTopics('again')
    await filled('again', 3)
    expect(await admin.listGroupOffsets('resumes')).toEqual([])
  })

  test.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
    ['listGroups', (signal) => admin.listGroups({ signal })],
    ['describeGroups', (signal) => admin.describeGroups(['a'], { signal })],
    ['deleteGroups', (signal) => admin.deleteGroups('a', { signal })],
    ['listGroupOffsets', (signal) => admin.listGroupOffsets('a', { signal })],
    ['alterGroupOffsets', (signal) => admin.alterGroupOffsets('a', { work: { 0: 1 } }, { signal })],
    ['deleteGroupOffsets', (signal) => admin.deleteGroupOffsets('a', 'work', { signal })],
    ['resetGroupOffsets', (signal) => admin.resetGroupOffsets('a', 'work', 'latest', { signal })],
    ['groupLag', (signal) => admin.groupLag('a', { signal })],
  ])('%s is aborted by its signal', async (_, call) => {
    expect((await failure(call(AbortSignal.abort('enough')))).code).toBe('ABORTED')
  })

  test('wrong options and ids name what would be right', async () => {
    for (const [call, code, message] of [
      [admin.listGroups({ states: ['stable'] as never }), 'INVALID_CONFIG', /Stable/],
      [admin.resetGroupOffsets('a', 'work', 'latest', { validateOnly: true } as never), 'INVALID_CONFIG', /dryRun/],
      [admin.describeGroups('a' as never, { timeout: 1 } as never), 'INVALID_CONFIG', /AbortSignal.timeout/],
      [admin.describeGroup(''), 'INVALID_GROUP_ID', /"" was given/],
      [admin.deleteGroups(4 as never), 'INVALID_REQUEST', /deleteGroups takes ids of groups, one or an array; 4/],
      [admin.deleteGroups(['a', 'a']), 'INVALID_REQUEST', /group a is named twice/],
      [admin.resetGroupOffsets('a', 'work', 'newest' as never), 'INVALID_REQUEST', /'earliest', 'latest'/],
    ] as const) {
      const error = await failure(call)
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
    }
  })
})
