import { beforeEach, describe, expect, test } from 'vitest'
import { SimpleGroup } from '../../../src/coordinator/group/simple-group.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { uuid } from '../../metadata/metadata-world.ts'
import { OffsetsWorld, StagedGroup, commitRequest, errorsOf } from './offsets-world.ts'

let world: OffsetsWorld

beforeEach(() => {
  world = new OffsetsWorld()
  world.metadata.create('clicks', 3)
  world.metadata.create('views', 1)
})

describe('a commit', () => {
  test('of no member makes a simple group, with an offset that has its topic id and the time', () => {
    expect(errorsOf(world.commit('g', { 'clicks-0': 5, 'clicks-2': 7, 'views-0': 0 }))).toEqual({
      'clicks-0': 0,
      'clicks-2': 0,
      'views-0': 0,
    })
    expect(world.groups.get('g')).toBeInstanceOf(SimpleGroup)
    expect(world.log[1]).toEqual({
      type: 'OffsetCommit',
      key: { group: 'g', topic: 'clicks', partition: 2 },
      version: 4,
      value: {
        offset: 7,
        leaderEpoch: 3,
        metadata: '',
        commitTimestamp: world.wallMs,
        expireTimestamp: -1,
        topicId: world.topicId('clicks'),
      },
    })
  })

  test('of a member whose group is not known is refused, and makes none', () => {
    const member = { memberId: 'm', generationIdOrMemberEpoch: 4 }
    expect(errorsOf(world.commit('g', { 'clicks-0': 5 }, member))).toEqual({ 'clicks-0': KAFKA_ERRORS.GROUP_ID_NOT_FOUND })
    expect([world.groups.has('g'), world.log]).toEqual([false, []])
  })

  test('of a member is for its group to allow, for all partitions alike', () => {
    const group = new StagedGroup('g')
    world.groups.set('g', group)
    group.commitCheck = 'STALE_MEMBER_EPOCH'
    const member = { memberId: 'm', generationIdOrMemberEpoch: 4 }
    const refused = errorsOf(world.commit('g', { 'clicks-0': 5, 'views-0': 5 }, member))
    expect(refused).toEqual({ 'clicks-0': KAFKA_ERRORS.STALE_MEMBER_EPOCH, 'views-0': KAFKA_ERRORS.STALE_MEMBER_EPOCH })
    group.commitCheck = 'NONE'
    expect(errorsOf(world.commit('g', { 'clicks-0': 5 }, member))).toEqual({ 'clicks-0': 0 })
    expect(world.log).toHaveLength(1)
  })

  test('of no member is allowed while the group is empty, and then for the group to refuse', () => {
    const group = new StagedGroup('g')
    world.groups.set('g', group)
    group.commitCheck = 'UNKNOWN_MEMBER_ID'
    expect(errorsOf(world.commit('g', { 'clicks-0': 5 }))).toEqual({ 'clicks-0': KAFKA_ERRORS.UNKNOWN_MEMBER_ID })
    group.isEmpty = true
    expect(errorsOf(world.commit('g', { 'clicks-0': 5 }))).toEqual({ 'clicks-0': 0 })
    expect(errorsOf(world.commit('simple', { 'clicks-0': 5 }))).toEqual({ 'clicks-0': 0 })
    const member = { memberId: 'm', generationIdOrMemberEpoch: 1 }
    expect(errorsOf(world.commit('simple', { 'clicks-0': 6 }, member))).toEqual({ 'clicks-0': KAFKA_ERRORS.UNKNOWN_MEMBER_ID })
  })

  test('tells of partitions that are not there, and commits the others', () => {
    const { UNKNOWN_TOPIC_OR_PARTITION } = KAFKA_ERRORS
    const errors = errorsOf(world.commit('g', { 'clicks-0': 5, 'clicks-3': 1, 'clicks--1': 1, 'gone-0': 1 }))
    expect(errors).toEqual({
      'clicks-0': 0,
      'clicks-3': UNKNOWN_TOPIC_OR_PARTITION,
      'clicks--1': UNKNOWN_TOPIC_OR_PARTITION,
      'gone-0': UNKNOWN_TOPIC_OR_PARTITION,
    })
    world.commitLog()
    expect(world.all('g')).toEqual({ 'clicks-0': 5 })
  })

  test('by the topic id, and by both where they agree', () => {
    const partitions = [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: null }]
    const topicId = world.topicId('clicks')
    const topics = [
      { name: '', topicId, partitions },
      { name: 'clicks', topicId, partitions },
      { name: 'views', topicId, partitions },
      { name: '', topicId: uuid(99), partitions },
    ]
    const response = world.commit('g', {}, { topics })
    const unknown = KAFKA_ERRORS.UNKNOWN_TOPIC_ID
    expect(response.topics.map(({ name, partitions: [p] }) => [name, p!.errorCode])).toEqual([
      ['clicks', 0],
      ['clicks', 0],
      ['views', unknown],
      ['', unknown],
    ])
  })

  test('with a text that is too long is refused', () => {
    const texts = ['x'.repeat(10), 'x'.repeat(11), '']
    const partitions = texts.map((committedMetadata, partitionIndex) => ({
      partitionIndex,
      committedOffset: 5,
      committedLeaderEpoch: -1,
      committedMetadata,
    }))
    const response = world.commit('g', {}, { topics: [{ name: 'clicks', topicId: [0, 0, 0, 0], partitions }] })
    expect(errorsOf(response)).toEqual({ 'clicks-0': 0, 'clicks-1': KAFKA_ERRORS.OFFSET_METADATA_TOO_LARGE, 'clicks-2': 0 })
    world.commitLog()
    const { topics } = world.fetch('g', ['clicks-0', 'clicks-1'])
    expect(topics[0]!.partitions.map(({ metadata }) => metadata)).toEqual(['x'.repeat(10), ''])
  })

  test('of a group whose name no record can hold is refused', () => {
    const errors = (groupId: string): Record<string, number> => errorsOf(world.commit(groupId, { 'clicks-0': 5 }))
    expect(errors('ü'.repeat(0x4000))).toEqual({ 'clicks-0': KAFKA_ERRORS.INVALID_GROUP_ID })
    expect(errors('u'.repeat(0x7fff))).toEqual({ 'clicks-0': 0 })
    // As Kafka has it, for clients of long ago.
    expect(errors('')).toEqual({ 'clicks-0': 0 })
  })

  test('whose records are too large for the log is told so; of a full log it is for whoever asks to try again', () => {
    const request = commitRequest('g', { 'clicks-0': 5 })
    const step = world.commits.commit(9, request, world.wallMs)
    expect(step.failed!('COORDINATOR_NOT_AVAILABLE')).toEqual({})
    const [reply] = step.failed!('MESSAGE_TOO_LARGE').replies!
    expect(reply!.requestId).toBe(9)
    expect(errorsOf(reply!.response as never)).toEqual({ 'clicks-0': KAFKA_ERRORS.INVALID_COMMIT_OFFSET_SIZE })
  })
})

describe('a fetch', () => {
  test('is of what is committed in the log, and no more', () => {
    world.commit('g', { 'clicks-0': 5 })
    expect(world.all('g')).toEqual({})
    world.commitLog()
    world.commit('g', { 'clicks-0': 6, 'clicks-1': 1 })
    expect(world.all('g')).toEqual({ 'clicks-0': 5 })
    world.commitLog()
    expect(world.all('g')).toEqual({ 'clicks-0': 6, 'clicks-1': 1 })
  })

  test('of named partitions gives -1 where nothing is committed, of a group that is not known too', () => {
    world.commit('g', { 'clicks-0': 5 })
    world.commitLog()
    const found = world.fetch('g', ['clicks-0', 'clicks-1', 'gone-0'])
    expect(found).toEqual({
      groupId: 'g',
      errorCode: 0,
      topics: [
        {
          name: 'clicks',
          topicId: world.topicId('clicks'),
          partitions: [
            { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 3, metadata: '', errorCode: 0 },
            { partitionIndex: 1, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
          ],
        },
        {
          name: 'gone',
          topicId: uuid(0),
          partitions: [{ partitionIndex: 0, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }],
        },
      ],
    })
    expect(world.fetch('other', ['clicks-0']).topics[0]!.partitions[0]).toMatchObject({ committedOffset: -1, errorCode: 0 })
    expect(world.fetch('other', null)).toEqual({ groupId: 'other', errorCode: 0, topics: [] })
  })

  test('of a member is for its group to allow', () => {
    const group = new StagedGroup('g')
    group.fetchCheck = 'STALE_MEMBER_EPOCH'
    world.groups.set('g', group)
    world.commit('g', { 'clicks-0': 5 })
    world.commitLog()
    const asMember = { memberId: 'm', memberEpoch: 2 }
    expect(world.fetch('g', ['clicks-0'], asMember)).toEqual({ groupId: 'g', topics: [], errorCode: KAFKA_ERRORS.STALE_MEMBER_EPOCH })
    expect(world.fetch('g', ['clicks-0']).errorCode).toBe(0)
    group.fetchCheck = 'NONE'
    expect(world.fetch('g', ['clicks-0'], asMember).topics[0]!.partitions[0]!.committedOffset).toBe(5)
    expect(world.fetch('other', ['clicks-0'], asMember).errorCode).toBe(0)
  })

  test('by the topic id; one that is not known is told', () => {
    world.commit('g', { 'clicks-0': 5 })
    world.commitLog()
    const topics = [
      { name: '', topicId: world.topicId('clicks'), partitionIndexes: [0] },
      { name: '', topicId: uuid(99), partitionIndexes: [0] },
    ]
    const found = world.fetch('g', null, { topics })
    expect(found.topics.map(({ name, partitions: [p] }) => [name, p!.committedOffset, p!.errorCode])).toEqual([
      ['clicks', 5, 0],
      ['', -1, KAFKA_ERRORS.UNKNOWN_TOPIC_ID],
    ])
  })

  test('of several groups answers each in its place', () => {
    world.commit('a', { 'clicks-0': 1 })
    world.commit('b', { 'clicks-0': 2 })
    world.commitLog()
    const groups = ['b', 'none', 'a'].map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }))
    const response = world.fetches.fetch({ groupId: '', topics: null, groups, requireStable: false }, world.committed)
    expect(response.groups.map(({ groupId, topics }) => [groupId, topics[0]?.partitions[0]?.committedOffset])).toEqual([
      ['b', 2],
      ['none', undefined],
      ['a', 1],
    ])
  })
})

describe('a topic that is made again', () => {
  test('has none of the offsets of the one before, though their records are still there', () => {
    world.commit('g', { 'clicks-0': 5, 'views-0': 9 })
    world.commitLog()
    const before = world.topicId('clicks')
    // The coordinator has not heard of the deletion, or could not write it down.
    world.metadata.apply(world.metadata.controller.deleteTopic({ name: 'clicks' }))
    expect(world.all('g')).toEqual({ 'views-0': 9 })
    world.metadata.create('clicks', 3, {}, 77)
    expect(world.topicId('clicks')).not.toEqual(before)
    expect(world.all('g')).toEqual({ 'views-0': 9 })
    expect(world.fetch('g', ['clicks-0']).topics[0]!.partitions[0]).toMatchObject({ committedOffset: -1, errorCode: 0 })
    // A commit of the topic before, by id.
    const partitions = [{ partitionIndex: 0, committedOffset: 6, committedLeaderEpoch: -1, committedMetadata: null }]
    const late = world.commit('g', {}, { topics: [{ name: 'clicks', topicId: before, partitions }] })
    expect(errorsOf(late)).toEqual({ 'clicks-0': KAFKA_ERRORS.UNKNOWN_TOPIC_ID })
    world.commit('g', { 'clicks-0': 1 })
    world.commitLog()
    expect(world.all('g')).toEqual({ 'clicks-0': 1, 'views-0': 9 })
  })

  test('counts an offset that has no topic id as its own', () => {
    const value = { offset: 4, leaderEpoch: -1, metadata: 'm', commitTimestamp: 1, expireTimestamp: -1, topicId: uuid(0) }
    world.take({ records: [{ type: 'OffsetCommit', key: { group: 'g', topic: 'clicks', partition: 1 }, version: 3, value }] })
    world.commitLog()
    expect(world.all('g')).toEqual({ 'clicks-1': 4 })
  })
})
