import { describe, expect, test } from 'vitest'
import { ConsumerGroup } from '../../../src/coordinator/group/consumer-group.ts'
import { replayGroupBatches } from '../../../src/coordinator/group/group-batch.ts'
import { topicPartitionsOf } from '../../../src/coordinator/group/assignment.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { readGoldenLogDir } from '../../protocol/golden-log-dir.ts'
import { CoordinatorFixture, REMOTE, stateOf, threadContext, throughBytes } from './coordinator-fixture.ts'
import { ConsumerMember, heartbeatRequest, settle } from './consumer-member.ts'

const golden = readGoldenLogDir()

function pair(): { fixture: CoordinatorFixture; first: ConsumerMember; second: ConsumerMember } {
  const fixture = new CoordinatorFixture()
  fixture.createTopic('a', 4)
  const first = new ConsumerMember(fixture, 'first', { topics: ['a'] })
  const second = new ConsumerMember(fixture, 'second', { topics: ['a'], context: threadContext(2) })
  first.join()
  second.join()
  settle(fixture, [first, second])
  return { fixture, first, second }
}

describe('consumer group', () => {
  test('a commit is checked by member and epoch', () => {
    const { fixture, first } = pair()
    const group = fixture.consumerGroup('group')
    expect(group.checkCommit('first', null, first.epoch)).toBe('NONE')
    expect(group.checkCommit('first', null, first.epoch - 1)).toBe('STALE_MEMBER_EPOCH')
    expect(group.checkCommit('nobody', null, first.epoch)).toBe('UNKNOWN_MEMBER_ID')
    expect(group.checkCommit('', null, -1)).toBe('UNKNOWN_MEMBER_ID')
    expect([group.checkFetch('', -1), group.checkFetch('first', first.epoch)]).toEqual(['NONE', 'NONE'])
    expect([group.checkFetch('first', 9), group.checkFetch('nobody', 1)]).toEqual(['STALE_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'])
    expect([group.checkDelete(), group.isSubscribedTo('a'), group.isSubscribedTo('b')]).toEqual(['NON_EMPTY_GROUP', true, false])
    expect(group.offsetsUnusedSince()).toEqual({ kind: 'in use' })
  })

  test('without members anybody commits, and it can be taken away', () => {
    const { fixture, first, second } = pair()
    first.leave()
    second.leave()
    const group = fixture.consumerGroup('group')
    expect([group.checkCommit('', null, -1), group.checkDelete(), group.state()]).toEqual(['NONE', 'NONE', 'Empty'])
    expect(group.offsetsUnusedSince()).toEqual({ kind: 'since commit' })
    const { results } = fixture.ask('deleteGroups', { groupsNames: ['group'] })
    expect(results[0]!.errorCode).toBe(0)
    expect(fixture.shard.groups.has('group')).toBe(false)
    fixture.restart()
    expect(first.heartbeat().errorCode).toBe(KAFKA_ERRORS.INVALID_REQUEST)
    expect(fixture.ask('consumerGroupHeartbeat', heartbeatRequest('group', 'first', 3)).errorCode).toBe(KAFKA_ERRORS.GROUP_ID_NOT_FOUND)
  })

  test('the tombstones of a group leave nothing of it', () => {
    const { fixture, second } = pair()
    second.subscribe([], 'a|b')
    for (const record of fixture.consumerGroup('group').tombstones()) fixture.shard.replay(throughBytes(record))
    expect(stateOf(fixture.shard)).toEqual([])
  })

  test('is read as it was at a snapshot', () => {
    const { fixture, first, second } = pair()
    const { registry } = fixture
    const group = fixture.consumerGroup('group')
    const then = registry.latestEpoch
    // Nothing is let go of meanwhile.
    registry.deleteBelow = () => undefined
    second.leave()
    first.heartbeat()
    expect([group.memberCount(), group.memberCount(then), group.epoch(), group.epoch(then)]).toEqual([1, 2, 3, 2])
    expect([group.state(then), [...group.owners(then)].length, group.target('second', then).size]).toEqual(['Stable', 4, 1])
    registry.revertTo(then)
    expect([group.memberCount(), group.epoch(), group.owner([...group.owners()][0]![0])]).toEqual([2, 2, 'first'])
  })

  test('a member that lost a response says again what it has, and what it may not have it may not say', () => {
    const { fixture, first } = pair()
    const third = new ConsumerMember(fixture, 'third', { topics: ['a'], context: threadContext(3) })
    third.join()
    const [epoch, owned] = [first.epoch, topicPartitionsOf(first.owned)]
    first.heartbeat()
    first.heartbeat()
    const ask = (also: object): number =>
      fixture.ask('consumerGroupHeartbeat', heartbeatRequest('group', 'first', epoch, also), first.context).errorCode
    expect(first.epoch).toBe(epoch + 1)
    expect(ask({ topicPartitions: topicPartitionsOf(first.owned) })).toBe(0)
    expect(ask({ topicPartitions: null })).toBe(KAFKA_ERRORS.FENCED_MEMBER_EPOCH)
    const others = [{ topicId: owned[0]!.topicId, partitions: [0, 1, 2, 3] }]
    expect(ask({ topicPartitions: others })).toBe(KAFKA_ERRORS.FENCED_MEMBER_EPOCH)
    expect(ask({ topicPartitions: [{ topicId: [1, 2, 3, 4], partitions: [0] }] })).toBe(KAFKA_ERRORS.FENCED_MEMBER_EPOCH)
  })

  test('takes no more members than it may', () => {
    const fixture = new CoordinatorFixture({ config: { consumerMaxSize: 1 } })
    fixture.createTopic('a', 1)
    const first = new ConsumerMember(fixture, 'first', { topics: ['a'] })
    expect(first.join().errorCode).toBe(0)
    expect(new ConsumerMember(fixture, 'second', { topics: ['a'] }).join().errorCode).toBe(KAFKA_ERRORS.GROUP_MAX_SIZE_REACHED)
    expect(first.join().errorCode).toBe(0)
  })

  test('a static member that goes while it has something to give up has given it up', () => {
    const fixture = new CoordinatorFixture()
    fixture.createTopic('a', 2)
    const first = new ConsumerMember(fixture, 'first', { topics: ['a'], instanceId: 'one' })
    const second = new ConsumerMember(fixture, 'second', { topics: ['a'], context: threadContext(2) })
    first.join()
    second.join()
    first.heartbeat({ topicPartitions: null })
    expect(fixture.consumerGroup('group').member('first')!.state).toBe('UNREVOKED_PARTITIONS')
    first.leave(-2)
    expect([...fixture.news]).toEqual([second.key])
    second.heartbeat()
    expect(second.partitions).toBe('a-1')
    expect([...fixture.timers.keys()].filter((timer) => timer.startsWith('rebalance'))).toEqual([])
  })

  test('an answer that only reads tells what is committed', () => {
    const { fixture, second } = pair()
    const { registry } = fixture
    registry.deleteBelow = () => undefined
    const committed = registry.latestEpoch
    second.leave()
    const request = { groupIds: ['group', 'other'], includeAuthorizedOperations: false }
    const step = fixture.shard.request('consumerGroupDescribe', 1, request, REMOTE, fixture.nowMs, fixture.wallMs, committed)
    const { groups } = step.replies![0]!.response as { groups: { groupState: string; members: unknown[]; errorCode: number }[] }
    expect(groups.map(({ groupState, members, errorCode }) => [groupState, members.length, errorCode])).toEqual([
      ['Stable', 2, 0],
      ['', 0, KAFKA_ERRORS.GROUP_ID_NOT_FOUND],
    ])
  })
})

describe.skipIf(golden === undefined)('what Kafka has written', () => {
  const segments = [...(golden ?? [])].filter(([path]) => /^__consumer_offsets-\d+\/\d+\.log$/.test(path))

  test('is replayed, and a member joins the group that is there', () => {
    const fixture = new CoordinatorFixture()
    let count = 0
    const replay = (record: GroupRecord): void => {
      count++
      fixture.log.push(record)
      fixture.shard.replay(record)
    }
    for (const [, bytes] of segments) replayGroupBatches(bytes, bytes.length, 0, replay)
    expect(count).toBeGreaterThan(10)
    const group = fixture.consumerGroup('group-consumer')
    expect([group.state(), group.epoch(), group.targetEpoch(), group.memberCount()]).toEqual(['Empty', 3, 2, 0])
    expect([...group.owners()]).toEqual([])
    fixture.registry.snapshot(fixture.log.length)
    fixture.restart()
    fixture.createTopic('access', 2)
    const member = new ConsumerMember(fixture, 'ours', { groupId: 'group-consumer', topics: ['access'] })
    expect([member.join().errorCode, member.epoch, member.partitions]).toEqual([0, 4, 'access-0 access-1'])
    fixture.restart()
  })

  test('while its member was there', () => {
    const fixture = new CoordinatorFixture()
    const isGone = ({ type, value }: GroupRecord): boolean => type === 'ConsumerGroupCurrentMemberAssignment' && value === null
    let isOver = false
    const replay = (record: GroupRecord): void => {
      isOver ||= isGone(record)
      if (!isOver) fixture.shard.replay(record)
    }
    for (const [, bytes] of segments.filter(([, all]) => Buffer.from(all).includes('group-consumer-2'))) {
      replayGroupBatches(bytes, bytes.length, 0, replay)
    }
    const group = fixture.shard.groups.get('group-consumer') as ConsumerGroup
    expect(group).toBeInstanceOf(ConsumerGroup)
    const [member] = [...group.members()]
    expect(group.state()).toBe('Stable')
    expect(member).toMatchObject({ memberEpoch: 2, previousMemberEpoch: 0, state: 'STABLE', subscribedTopicNames: ['access', 'packed'] })
    expect([...member!.assigned.values()].map((partitions) => [...partitions])).toEqual([[[0, 2]], [[0, 2]]])
  })
})
