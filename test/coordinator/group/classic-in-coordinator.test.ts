// Classic groups among the other parts of a coordinator: their commits, what admin clients
// see of them, and how an empty group goes from one protocol to the other.

import { expect, test } from 'vitest'
import type { ClassicGroup } from '../../../src/coordinator/group/classic-group.ts'
import { isClassicTimer } from '../../../src/coordinator/group/classic-timers.ts'
import { kafkaErrorName } from '../../../src/errors.ts'
import type { JoinGroupRequest } from '../../../src/protocol/messages/11-join-group.ts'
import { CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../../src/protocol/records/consumer-protocol.ts'
import { encodeVersioned } from '../../../src/protocol/versioned-message.ts'
import { ConsumerMember } from './consumer-member.ts'
import { CoordinatorFixture, threadContext } from './coordinator-fixture.ts'
import { commitRequest } from './offsets-world.ts'

const ASSIGNED = new Uint8Array([0, 1, 2])
const CONTEXT = threadContext(4)

function joinRequest(memberId: string): JoinGroupRequest {
  const metadata = encodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, 1, { topics: ['t'] })
  return {
    groupId: 'group',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 20_000,
    memberId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }],
    reason: null,
  }
}

/** A member of this process, alone in its group, with its assignment; its id. */
function joinClassic(fixture: CoordinatorFixture): string {
  const { memberId } = fixture.ask('joinGroup', joinRequest(''), CONTEXT)
  const { generationId } = fixture.ask('joinGroup', joinRequest(memberId), CONTEXT)
  const also = { groupInstanceId: null, protocolType: null, protocolName: null, assignments: [{ memberId, assignment: ASSIGNED }] }
  expect(fixture.ask('syncGroup', { groupId: 'group', generationId, memberId, ...also }, CONTEXT)).toMatchObject({ errorCode: 0 })
  return memberId
}

function leaveClassic(fixture: CoordinatorFixture, memberId: string): void {
  const members = [{ memberId, groupInstanceId: null, reason: null }]
  expect(fixture.ask('leaveGroup', { groupId: 'group', memberId: '', members }, CONTEXT).members).toMatchObject([{ errorCode: 0 }])
}

function commit(fixture: CoordinatorFixture, memberId: string, generationIdOrMemberEpoch: number, offset: number): string {
  const request = commitRequest('group', { 't-0': offset }, { memberId, generationIdOrMemberEpoch })
  return kafkaErrorName(fixture.ask('offsetCommit', request, CONTEXT).topics[0]!.partitions[0]!.errorCode)
}

function fetch(fixture: CoordinatorFixture): number {
  const asked = { groupId: 'group', memberId: null, memberEpoch: -1, topics: null }
  const { groups } = fixture.ask('offsetFetch', { groupId: '', topics: null, groups: [asked], requireStable: true })
  return groups[0]!.topics[0]!.partitions[0]!.committedOffset
}

function listed(fixture: CoordinatorFixture): string[] {
  const { groups } = fixture.ask('listGroups', { statesFilter: [], typesFilter: [] })
  return groups.map(({ groupId, groupType, groupState }) => `${groupId} ${groupType} ${groupState}`)
}

test('members commit in their generation, are described, and cannot be deleted', () => {
  const fixture = new CoordinatorFixture()
  fixture.createTopic('t', 2)
  const memberId = joinClassic(fixture)
  expect(commit(fixture, memberId, 1, 5)).toBe('NONE')
  expect(commit(fixture, memberId, 0, 4)).toBe('ILLEGAL_GENERATION')
  expect(commit(fixture, 'x', 1, 4)).toBe('UNKNOWN_MEMBER_ID')
  expect(commit(fixture, '', -1, 4)).toBe('UNKNOWN_MEMBER_ID')
  expect(fetch(fixture)).toBe(5)
  expect(listed(fixture)).toEqual(['group Classic Stable'])
  const { groups } = fixture.ask('describeGroups', { groups: ['group'], includeAuthorizedOperations: false })
  expect(groups[0]).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
  expect(groups[0]!.members).toMatchObject([{ memberId, clientHost: CONTEXT.clientHost, memberAssignment: ASSIGNED }])
  const { results } = fixture.ask('deleteGroups', { groupsNames: ['group'] })
  expect(kafkaErrorName(results[0]!.errorCode)).toBe('NON_EMPTY_GROUP')
})

test('a commit keeps a member in, and nothing else does but a heartbeat', () => {
  const fixture = new CoordinatorFixture()
  fixture.createTopic('t', 2)
  const memberId = joinClassic(fixture)
  fixture.advance(9999)
  expect(commit(fixture, memberId, 1, 5)).toBe('NONE')
  fixture.advance(9999)
  expect(listed(fixture)).toEqual(['group Classic Stable'])
  fixture.advance(1)
  expect(listed(fixture)).toEqual(['group Classic Empty'])
  expect(fixture.fenced).toEqual([CONTEXT.clientHost])
  expect([...fixture.timers.keys()].filter(isClassicTimer)).toEqual([])
})

test('a member is out when its thread is gone, at once or after a restart', () => {
  const fixture = new CoordinatorFixture()
  joinClassic(fixture)
  fixture.restart()
  expect((fixture.shard.groups.get('group') as ClassicGroup).state()).toBe('Stable')
  fixture.clientHostGone(CONTEXT.clientHost)
  expect(listed(fixture)).toEqual(['group Classic Empty'])
  joinClassic(fixture)
  fixture.restart(() => false)
  expect(listed(fixture)).toEqual(['group Classic Empty'])
})

test('an empty group goes from one protocol to the other and back, and keeps its offsets', () => {
  const fixture = new CoordinatorFixture({ config: { consumerMigrationPolicy: 'disabled' } })
  fixture.createTopic('t', 2)
  const first = joinClassic(fixture)
  expect(commit(fixture, first, 1, 5)).toBe('NONE')
  leaveClassic(fixture, first)

  const member = new ConsumerMember(fixture, 'm', { topics: ['t'] })
  expect(member.join().errorCode).toBe(0)
  expect(listed(fixture)).toEqual(['group Consumer Stable'])
  expect(fetch(fixture)).toBe(5)
  fixture.restart()
  expect(commit(fixture, 'm', member.epoch, 6)).toBe('NONE')
  member.leave()

  const second = joinClassic(fixture)
  expect(listed(fixture)).toEqual(['group Classic Stable'])
  expect(fetch(fixture)).toBe(6)
  fixture.restart()
  expect(commit(fixture, second, 1, 7)).toBe('NONE')
  expect(kafkaErrorName(member.join().errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
})

test('an empty group is deleted, and one of its name begins anew', () => {
  const fixture = new CoordinatorFixture()
  leaveClassic(fixture, joinClassic(fixture))
  expect(fixture.ask('deleteGroups', { groupsNames: ['group'] }).results).toMatchObject([{ errorCode: 0 }])
  expect(listed(fixture)).toEqual([])
  fixture.restart()
  joinClassic(fixture)
  expect((fixture.shard.groups.get('group') as ClassicGroup).generation).toBe(1)
})
