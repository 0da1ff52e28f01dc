import { beforeEach, describe, expect, test } from 'vitest'
import { describeGroup } from '../../../src/client/admin/described-group.ts'
import { checkGroupId } from '../../../src/client/admin/group-engine.ts'
import { groupLag } from '../../../src/client/admin/group-lag.ts'
import type { OffsetResetTarget } from '../../../src/client/admin/group-offset-resets.ts'
import { checkTarget, planReset } from '../../../src/client/admin/group-offset-resets.ts'
import { alterGroupOffsets, deleteGroupOffsets, listGroupOffsets, newOffsets } from '../../../src/client/admin/group-offsets.ts'
import type { OffsetsByTopic } from '../../../src/client/admin/group-offsets.ts'
import { partitionRows } from '../../../src/client/admin/group-partitions.ts'
import type { TopicsOrPartitions } from '../../../src/client/admin/group-partitions.ts'
import { deleteGroup, listGroups } from '../../../src/client/admin/groups.ts'
import type { ItemFailures } from '../../../src/client/admin/each-item.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { ConsumerMember, settle } from '../../coordinator/group/consumer-member.ts'
import { threadContext } from '../../coordinator/group/coordinator-fixture.ts'
import { StagedGroupEngine } from './staged-group-engine.ts'

const NO_FILTER = { states: [], types: [] }

let engine: StagedGroupEngine

beforeEach(() => {
  engine = new StagedGroupEngine()
  engine.createTopic('clicks', 3)
  engine.createTopic('views', 1)
})

function alter(groupId: string, offsets: OffsetsByTopic): Promise<void> {
  return alterGroupOffsets(engine, groupId, newOffsets(engine, offsets), undefined)
}

async function offsetsOf(groupId: string): Promise<string> {
  const offsets = await listGroupOffsets(engine, groupId, undefined)
  return offsets.map(({ topic, partition, offset }) => `${topic}-${partition}@${offset}`).join(' ')
}

/** Members of a group that have all their partitions. */
function members(groupId: string, ...names: string[]): ConsumerMember[] {
  const fixture = engine.coordinatorOf(groupId)
  const joined = names.map((name, i) => new ConsumerMember(fixture, name, { groupId, topics: ['clicks'], context: threadContext(i + 1) }))
  for (const member of joined) member.join()
  settle(fixture, joined)
  for (const member of joined) member.heartbeat()
  return joined
}

const failure = (call: () => unknown): Promise<MillraceError> =>
  Promise.resolve()
    .then(call)
    .then(
      () => expect.fail('it resolved'),
      (error: MillraceError) => error,
    )

describe('listGroups', () => {
  test('asks every coordinator, and gives what they have by name', async () => {
    // Of two partitions: a is in 1, b in 0.
    await alter('b', { clicks: { 0: 1 } })
    await alter('a', { clicks: { 0: 1 } })
    members('joined', 'm')
    engine.asked.length = 0
    expect(await listGroups(engine, NO_FILTER, undefined)).toEqual([
      { groupId: 'a', type: 'classic', protocolType: '', state: 'Empty' },
      { groupId: 'b', type: 'classic', protocolType: '', state: 'Empty' },
      { groupId: 'joined', type: 'consumer', protocolType: 'consumer', state: 'Stable' },
    ])
    expect(engine.asked).toEqual(['listGroups of 0', 'listGroups of 1'])
    const listed = async (filter: Partial<Parameters<typeof listGroups>[1]>): Promise<string[]> =>
      (await listGroups(engine, { ...NO_FILTER, ...filter }, undefined)).map(({ groupId }) => groupId)
    expect(await listed({ states: ['Stable'] })).toEqual(['joined'])
    expect(await listed({ types: ['classic'] })).toEqual(['a', 'b'])
    expect(await listed({ types: ['classic'], states: ['Stable'] })).toEqual([])
  })

  test('gives none before there is a first group', async () => {
    engine.hasPartitions = false
    expect(await listGroups(engine, NO_FILTER, undefined)).toEqual([])
    expect(await listGroupOffsets(engine, 'g', undefined)).toEqual([])
    for (const call of [
      () => describeGroup(engine, 'g', undefined),
      () => deleteGroup(engine, 'g', undefined),
      () => deleteGroupOffsets(engine, 'g', [], undefined),
      () => groupLag(engine, 'g', 'highWatermark', undefined),
    ]) {
      expect((await failure(call)).code).toBe('GROUP_ID_NOT_FOUND')
    }
    expect(engine.asked).toEqual([])
  })
})

describe('describeGroup', () => {
  test('of members that share a topic', async () => {
    members('g', 'first', 'second')
    const described = await describeGroup(engine, 'g', undefined)
    expect(described).toMatchObject({ groupId: 'g', type: 'consumer', protocolType: 'consumer', state: 'Stable', assignor: 'uniform' })
    expect([described.groupEpoch, described.targetAssignmentEpoch]).toEqual([2, 2])
    expect(described.coordinator).toBe(engine.coordinators.indexOf(engine.coordinatorOf('g')))
    const [first, second] = described.members
    expect(first).toMatchObject({
      memberId: 'first',
      instanceId: null,
      clientId: 'client-1',
      host: threadContext(1).clientHost,
      memberEpoch: 2,
      subscribedTopics: ['clicks'],
      subscribedPattern: null,
    })
    expect(first!.targetAssignment).toEqual(first!.assignment)
    expect([...first!.assignment['clicks']!, ...second!.assignment['clicks']!].sort()).toEqual([0, 1, 2])
  })

  test('of a group that only commits, and of none', async () => {
    await alter('g', { clicks: { 0: 1 } })
    expect(await describeGroup(engine, 'g', undefined)).toMatchObject({
      type: 'classic',
      protocolType: '',
      state: 'Empty',
      assignor: '',
      groupEpoch: null,
      targetAssignmentEpoch: null,
      members: [],
    })
    const error = await failure(() => describeGroup(engine, 'none', undefined))
    expect([error.code, error.message]).toEqual(['GROUP_ID_NOT_FOUND', 'there is no group "none": listGroups tells which there are'])
  })
})

describe('deleteGroup', () => {
  test('takes its offsets too; members keep it, and one that is not there is told', async () => {
    await alter('g', { clicks: { 0: 1 } })
    await deleteGroup(engine, 'g', undefined)
    expect([await offsetsOf('g'), await listGroups(engine, NO_FILTER, undefined)]).toEqual(['', []])
    expect((await failure(() => deleteGroup(engine, 'g', undefined))).code).toBe('GROUP_ID_NOT_FOUND')
    members('g', 'm')
    const error = await failure(() => deleteGroup(engine, 'g', undefined))
    expect([error.code, error.message]).toEqual(['NON_EMPTY_GROUP', 'group "g" has members: close its consumers first'])
    engine.coordinatorOf('g').restart()
  })
})

describe('offsets of a group', () => {
  test('are set, in any form, and listed in order', async () => {
    await alter('g', { views: { 0: 7 }, clicks: { 2: { offset: 5, leaderEpoch: 4, metadata: 'why' }, 0: 3 } })
    expect(await listGroupOffsets(engine, 'g', undefined)).toEqual([
      { topic: 'clicks', partition: 0, offset: 3, leaderEpoch: null, metadata: '' },
      { topic: 'clicks', partition: 2, offset: 5, leaderEpoch: 4, metadata: 'why' },
      { topic: 'views', partition: 0, offset: 7, leaderEpoch: null, metadata: '' },
    ])
    await alter('g', {})
    expect(await offsetsOf('none')).toBe('')
  })

  test('are not set while there are members', async () => {
    members('g', 'm')
    const error = await failure(() => alter('g', { clicks: { 0: 1, 1: 2 } }))
    expect([error.code, error.cause]).toEqual(['NON_EMPTY_GROUP', undefined])
    expect(await offsetsOf('g')).toBe('')
  })

  test('are set where they can be, and the rest is told by partition', async () => {
    const long = { offset: 1, metadata: 'x'.repeat(5_000) }
    const error = await failure(() => alter('g', { clicks: { 0: 1, 1: long }, views: { 0: long } }))
    expect(error.code).toBe('OFFSET_METADATA_TOO_LARGE')
    expect([...(error.cause as ItemFailures).byName.keys()]).toEqual(['clicks-1', 'views-0'])
    expect(await offsetsOf('g')).toBe('clicks-0@1')
  })

  test('are not set of a topic that was made again meanwhile', async () => {
    const offsets = newOffsets(engine, { clicks: { 0: 1 } })
    for (const coordinator of engine.coordinators) {
      coordinator.deleteTopic('clicks')
      coordinator.createTopic('clicks', 3)
    }
    expect((await failure(() => alterGroupOffsets(engine, 'g', offsets, undefined))).code).toBe('UNKNOWN_TOPIC_ID')
  })

  test.each<[unknown, string, RegExp]>([
    [{ gone: { 0: 1 } }, 'UNKNOWN_TOPIC_OR_PARTITION', /there is no topic "gone"/],
    [{ clicks: { 3: 1 } }, 'UNKNOWN_TOPIC_OR_PARTITION', /topic clicks has no partition 3: it has partitions 0 to 2/],
    [{ clicks: { x: 1 } }, 'UNKNOWN_TOPIC_OR_PARTITION', /has no partition "x"/],
    [{ clicks: { 0: -1 } }, 'OFFSET_OUT_OF_RANGE', /from 0 on; -1 was given/],
    [{ clicks: { 0: {} } }, 'OFFSET_OUT_OF_RANGE', /undefined was given/],
    [{ clicks: { 0: { offset: 1, leaderEpoch: 0.5 } } }, 'INVALID_REQUEST', /leaderEpoch is a whole number from 0 on; 0.5/],
    [{ clicks: { 0: { offset: 1, metadata: 4 } } }, 'INVALID_REQUEST', /a text; 4 was given/],
    [{ clicks: 4 }, 'INVALID_REQUEST', /alterGroupOffsets takes an object by topic and partition, .*; 4 was given/],
    [[], 'INVALID_REQUEST', /alterGroupOffsets takes/],
    [{ 'no name': { 0: 1 } }, 'INVALID_TOPIC_EXCEPTION', /a topic's name is/],
  ])('%j is refused', async (given, code, message) => {
    const error = await failure(() => newOffsets(engine, given as OffsetsByTopic))
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
  })

  test('are deleted, unless a member reads the topic', async () => {
    await alter('g', { clicks: { 0: 1, 1: 2 }, views: { 0: 3 } })
    const remove = (asked: TopicsOrPartitions): Promise<void> =>
      deleteGroupOffsets(engine, 'g', partitionRows(engine, asked, 'deleteGroupOffsets'), undefined)
    await remove({ clicks: [1, 2] })
    expect(await offsetsOf('g')).toBe('clicks-0@1 views-0@3')
    members('g', 'm')
    const error = await failure(() => remove(['clicks', 'views']))
    expect([error.code, [...(error.cause as ItemFailures).byName.keys()]]).toEqual([
      'GROUP_SUBSCRIBED_TO_TOPIC',
      ['clicks-0', 'clicks-1', 'clicks-2'],
    ])
    expect(await offsetsOf('g')).toBe('clicks-0@1')
    expect((await failure(() => deleteGroupOffsets(engine, 'none', [], undefined))).code).toBe('GROUP_ID_NOT_FOUND')
  })
})

test('partitions are named by topic, by topics, or each; a partition said twice is one', async () => {
  const named = (asked: unknown): string =>
    partitionRows(engine, asked as TopicsOrPartitions, 'resetGroupOffsets')
      .map(({ topic, partition }) => `${topic}-${partition}`)
      .join(' ')
  expect(named('clicks')).toBe('clicks-0 clicks-1 clicks-2')
  expect(named(['views', 'clicks'])).toBe('views-0 clicks-0 clicks-1 clicks-2')
  expect(named({ clicks: [2, 0, 2], views: [] })).toBe('clicks-2 clicks-0')
  for (const [asked, code] of [
    [{ clicks: [3] }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['gone', 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ clicks: 0 }, 'INVALID_REQUEST'],
    [null, 'INVALID_REQUEST'],
    [['clicks', 'clicks'], 'INVALID_REQUEST'],
  ] as const) {
    expect((await failure(() => named(asked))).code).toBe(code)
  }
  for (const groupId of ['', undefined, 4]) expect((await failure(() => checkGroupId(groupId))).code).toBe('INVALID_GROUP_ID')
})

describe('a reset of offsets', () => {
  async function planned(to: OffsetResetTarget, asked: TopicsOrPartitions = 'clicks'): Promise<string> {
    const plan = await planReset(engine, 'g', partitionRows(engine, asked, 'resetGroupOffsets'), checkTarget(to), undefined)
    return plan.map(({ topic, partition, previousOffset, offset }) => `${topic}-${partition} ${previousOffset} ${offset}`).join(', ')
  }

  beforeEach(async () => {
    engine.ends.set('clicks-0', { start: 10, end: 20, atTime: 15 })
    engine.ends.set('clicks-1', { start: 0, end: 5 })
    await alter('g', { clicks: { 0: 12, 1: 3 }, views: { 0: 0 } })
  })

  test('is planned within what can be read', async () => {
    expect(await planned('earliest')).toBe('clicks-0 12 10, clicks-1 3 0, clicks-2 null 0')
    expect(await planned('latest')).toBe('clicks-0 12 20, clicks-1 3 5, clicks-2 null 0')
    // Behind the last record there is none of that time.
    expect(await planned({ timestamp: 77 })).toBe('clicks-0 12 15, clicks-1 3 5, clicks-2 null 0')
    expect(await planned({ offset: 4 })).toBe('clicks-0 12 10, clicks-1 3 4, clicks-2 null 0')
    expect(await planned({ shiftBy: -2 }, { clicks: [0, 1] })).toBe('clicks-0 12 10, clicks-1 3 1')
    expect(await planned({ shiftBy: 100 }, { clicks: [0] })).toBe('clicks-0 12 20')
    expect(await offsetsOf('g')).toBe('clicks-0@12 clicks-1@3 views-0@0')
  })

  test('of what was never committed cannot shift it', async () => {
    const error = await failure(() => planned({ shiftBy: 1 }))
    expect([error.code, error.message]).toEqual(['INVALID_REQUEST', 'group "g" has committed nothing of clicks-2 that could be shifted'])
  })

  test.each<[unknown, string]>([
    ['newest', 'INVALID_REQUEST'],
    [{}, 'INVALID_REQUEST'],
    [null, 'INVALID_REQUEST'],
    [{ offset: 1, shiftBy: 1 }, 'INVALID_REQUEST'],
    [{ shiftBy: 0.5 }, 'INVALID_REQUEST'],
    [{ offset: -1 }, 'OFFSET_OUT_OF_RANGE'],
    [{ timestamp: -1 }, 'INVALID_TIMESTAMP'],
  ])('to %j is refused', async (to, code) => {
    expect((await failure(() => checkTarget(to))).code).toBe(code)
  })
})

describe('the lag of a group', () => {
  test('is what stands behind its offsets and is still there', async () => {
    engine.ends.set('clicks-0', { start: 10, end: 20 })
    engine.ends.set('clicks-1', { start: 0, end: 5 })
    engine.ends.set('views-0', { start: 0, end: 2 })
    // Retention has overtaken clicks-0; views-0 was set beyond its end.
    await alter('g', { clicks: { 0: 4, 1: 3 }, views: { 0: 9 } })
    const lag = await groupLag(engine, 'g', 'highWatermark', undefined)
    expect(lag).toEqual({
      groupId: 'g',
      lag: 12,
      topics: [
        {
          topic: 'clicks',
          lag: 12,
          partitions: [
            { partition: 0, committedOffset: 4, endOffset: 20, lag: 10, memberId: null },
            { partition: 1, committedOffset: 3, endOffset: 5, lag: 2, memberId: null },
          ],
        },
        { topic: 'views', lag: 0, partitions: [{ partition: 0, committedOffset: 9, endOffset: 2, lag: 0, memberId: null }] },
      ],
    })
  })

  test('names who reads, and leaves open what nobody has committed', async () => {
    engine.ends.set('clicks-0', { start: 0, end: 7 })
    engine.ends.set('clicks-2', { start: 0, end: 9 })
    await alter('g', { clicks: { 2: 4 } })
    members('g', 'm')
    const { lag, topics } = await groupLag(engine, 'g', 'highWatermark', undefined)
    expect([lag, topics[0]!.partitions]).toEqual([
      5,
      [
        { partition: 0, committedOffset: null, endOffset: 7, lag: null, memberId: 'm' },
        { partition: 1, committedOffset: null, endOffset: 0, lag: null, memberId: 'm' },
        { partition: 2, committedOffset: 4, endOffset: 9, lag: 5, memberId: 'm' },
      ],
    ])
  })

  test('of a group that is not there is none', async () => {
    expect((await failure(() => groupLag(engine, 'none', 'highWatermark', undefined))).code).toBe('GROUP_ID_NOT_FOUND')
  })
})
