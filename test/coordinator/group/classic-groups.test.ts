import { beforeEach, describe, expect, test } from 'vitest'
import type { ClassicGroup } from '../../../src/coordinator/group/classic-group.ts'
import type { ClientContext } from '../../../src/coordinator/coordinator-shard.ts'
import { SimpleGroup } from '../../../src/coordinator/group/simple-group.ts'
import { kafkaErrorName } from '../../../src/errors.ts'
import type { HeartbeatRequest } from '../../../src/protocol/messages/12-heartbeat.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../../src/protocol/messages/11-join-group.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../../src/protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../../src/protocol/messages/14-sync-group.ts'
import { CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../../src/protocol/records/consumer-protocol.ts'
import { encodeVersioned } from '../../../src/protocol/versioned-message.ts'
import { commitRequest } from './offsets-world.ts'
import { ClassicWorld, GROUP } from './classic-world.ts'

const BYTES = new Uint8Array([1, 2, 3])
const NOBODY: ClientContext = { clientId: 'c', clientHost: '/10.0.0.1', isLocal: false }
const subscribed = (...topics: string[]): Uint8Array => encodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, 1, { topics })

let world: ClassicWorld

beforeEach(() => {
  world = new ClassicWorld({ config: { initialRebalanceDelayMs: 100, maxSize: 3 } })
})

/** What comes in the end; undefined: nothing yet. */
interface Asked<Response> {
  response?: Response | undefined
  readonly error: string | undefined
}

function asked<Response extends { readonly errorCode: number }>(): Asked<Response> {
  return {
    get error(): string | undefined {
      return this.response === undefined ? undefined : kafkaErrorName(this.response.errorCode)
    },
  }
}

function join(also: Partial<JoinGroupRequest> = {}, context: Partial<ClientContext> = {}): Asked<JoinGroupResponse> {
  const request = {
    groupId: GROUP,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 20_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscribed('t') }],
    reason: null,
    ...also,
  }
  const answer = asked<JoinGroupResponse>()
  world.ask('joinGroup', request, { ...NOBODY, ...context }, (response) => (answer.response = response))
  world.clock.advance(0)
  return answer
}

function sync(also: Partial<SyncGroupRequest>): Asked<SyncGroupResponse> {
  const answer = asked<SyncGroupResponse>()
  const request = {
    groupId: GROUP,
    generationId: 1,
    memberId: '',
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [],
    ...also,
  }
  world.ask('syncGroup', request, NOBODY, (response) => (answer.response = response))
  world.clock.advance(0)
  return answer
}

function heartbeat(also: Partial<HeartbeatRequest>): string | undefined {
  let error: string | undefined
  const request = { groupId: GROUP, generationId: 1, memberId: '', groupInstanceId: null, ...also }
  world.ask('heartbeat', request, NOBODY, (response) => (error = kafkaErrorName(response!.errorCode)))
  world.clock.advance(0)
  return error
}

function leave(also: Partial<LeaveGroupRequest>): LeaveGroupResponse {
  let answer: LeaveGroupResponse | undefined
  world.ask('leaveGroup', { groupId: GROUP, memberId: '', members: [], ...also }, NOBODY, (response) => (answer = response))
  world.clock.advance(0)
  return answer!
}

const group = (): ClassicGroup => world.group()!

/** A stable group of one, who leads; its member id. */
function stable(also: Partial<JoinGroupRequest> = {}, context: Partial<ClientContext> = {}): string {
  const joined = join(also, { apiVersion: 3, ...context })
  world.clock.advance(100)
  const { memberId } = joined.response!
  const assignments = [{ memberId, assignment: BYTES }]
  expect(sync({ memberId, assignments, groupInstanceId: also.groupInstanceId ?? null }).error).toBe('NONE')
  expect(group().state()).toBe('Stable')
  return memberId
}

describe('JoinGroup', () => {
  test.for([
    [{ groupId: '' }, 'INVALID_GROUP_ID'],
    [{ sessionTimeoutMs: 5999 }, 'INVALID_SESSION_TIMEOUT'],
    [{ sessionTimeoutMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
    [{ protocolType: '' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    [{ protocols: [] }, 'INCONSISTENT_GROUP_PROTOCOL'],
    [{ memberId: 'never-heard-of' }, 'UNKNOWN_MEMBER_ID'],
  ] as const)('with %o: %s', ([also, error]) => {
    expect(join(also as Partial<JoinGroupRequest>).error).toBe(error)
    expect(world.log).toEqual([])
  })

  test('before version 4 a member is taken without an id of its own, before version 7 an error names no null protocol', () => {
    expect(join({}, { apiVersion: 4 }).error).toBe('MEMBER_ID_REQUIRED')
    expect(join({}, { apiVersion: 3 }).response).toBeUndefined()
    expect(join({ memberId: 'x' }, { apiVersion: 6 }).response!.protocolName).toBe('')
    expect(join({ memberId: 'x' }, { apiVersion: 7 }).response!.protocolName).toBeNull()
  })

  test('a member without a rebalance timeout has its session timeout for one', () => {
    join({ rebalanceTimeoutMs: -1 }, { apiVersion: 0 })
    expect(group().rebalanceTimeoutMs).toBe(10_000)
  })

  test('the first rebalance waits on while members come, but not beyond the rebalance timeout', () => {
    const first = join({ rebalanceTimeoutMs: 250 }, { apiVersion: 3 })
    for (const untilMs of [90, 180, 249]) {
      world.clock.advance(untilMs - world.nowMs)
      if (untilMs < 249) join({ rebalanceTimeoutMs: 250 }, { apiVersion: 3 })
      expect(first.response, `at ${untilMs}`).toBeUndefined()
    }
    world.clock.advance(1)
    expect(first.response).toMatchObject({ errorCode: 0, generationId: 1 })
    expect(first.response!.members).toHaveLength(3)
  })

  test('nobody else can come: the first rebalance is over when the delay is', () => {
    const first = join({}, { apiVersion: 3 })
    world.clock.advance(100)
    expect(first.response!.generationId).toBe(1)
  })

  test('an id that was given out counts as a member on its way, for a session', () => {
    const memberId = stable()
    const pending = join()
    expect(pending.error).toBe('MEMBER_ID_REQUIRED')
    // Nobody waits for it before it has joined.
    expect(heartbeat({ memberId })).toBe('NONE')
    join({ memberId: pending.response!.memberId })
    const late = join()
    expect(late.error).toBe('MEMBER_ID_REQUIRED')
    const again = join({ memberId })
    expect(again.response).toBeUndefined()
    world.clock.advance(9999)
    expect(again.response).toBeUndefined()
    world.clock.advance(1)
    expect(again.response).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(join({ memberId: late.response!.memberId }).error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('the assignor is the one that most members like best, of those that all know', () => {
    const protocols = (...names: string[]): JoinGroupRequest['protocols'] => names.map((name) => ({ name, metadata: subscribed(name) }))
    const first = join({ protocols: protocols('a', 'b', 'c') }, { apiVersion: 3 })
    join({ protocols: protocols('c', 'b') }, { apiVersion: 3 })
    join({ protocols: protocols('d', 'b', 'c') }, { apiVersion: 3 })
    world.clock.advance(1000)
    expect(first.response!.protocolName).toBe('b')
    expect(first.response!.members.map(({ metadata }) => metadata)).toEqual(Array.from({ length: 3 }, () => subscribed('b')))
    expect(['a', 'b', 'c'].map((topic) => group().isSubscribedTo(topic))).toEqual([false, true, false])
  })

  test('who has no assignor in common, or is of another kind, stays out', () => {
    stable()
    expect(join({ protocols: [{ name: 'mine', metadata: BYTES }] }).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(join({ protocolType: 'connect' }).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('a group takes only so many members, and while it rebalances those count who have joined', () => {
    const memberIds = Array.from({ length: 3 }, () => join({}, { apiVersion: 3 }))
    expect(join({}, { apiVersion: 3 })).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED', response: { memberId: '' } })
    world.clock.advance(1000)
    const leader = memberIds[0]!.response!.memberId
    expect(sync({ memberId: leader }).error).toBe('NONE')
    expect(join({}, { apiVersion: 3 }).error).toBe('GROUP_MAX_SIZE_REACHED')
    expect(group().memberCount()).toBe(3)
  })

  test('who joins again with nothing new is told the generation at once; with something new all join again', () => {
    const leader = join({}, { apiVersion: 3 })
    const other = join({}, { apiVersion: 3 })
    world.clock.advance(1000)
    const { memberId } = other.response!
    expect(join({ memberId }).response).toMatchObject({ errorCode: 0, generationId: 1, members: [] })
    sync({ memberId: leader.response!.memberId })
    expect(join({ memberId }).response).toMatchObject({ errorCode: 0, generationId: 1, members: [] })
    expect(join({ memberId, protocols: [{ name: 'range', metadata: subscribed('u') }] }).response).toBeUndefined()
    expect(group().state()).toBe('PreparingRebalance')
    expect(heartbeat({ memberId: leader.response!.memberId })).toBe('REBALANCE_IN_PROGRESS')
  })

  test('the leader that joins again begins a rebalance, since it may know of new partitions', () => {
    const memberId = stable()
    const again = join({ memberId })
    expect(again.response).toMatchObject({ errorCode: 0, generationId: 2, leader: memberId })
  })

  test('who asks twice is answered twice', () => {
    const leader = join({}, { apiVersion: 3 })
    const other = join({}, { apiVersion: 3 })
    world.clock.advance(1000)
    const protocols = [{ name: 'range', metadata: subscribed('u') }]
    const first = join({ memberId: other.response!.memberId, protocols })
    const second = join({ memberId: other.response!.memberId, protocols })
    expect(first.error).toBe('REBALANCE_IN_PROGRESS')
    join({ memberId: leader.response!.memberId })
    expect(second).toMatchObject({ error: 'NONE', response: { generationId: 2 } })
  })

  test('members that do not join in time are out, and a new leader is found', () => {
    const leader = join({}, { apiVersion: 3 })
    const other = join({}, { apiVersion: 3 })
    world.clock.advance(1000)
    sync({ memberId: leader.response!.memberId })
    const again = join({ memberId: other.response!.memberId, protocols: [{ name: 'range', metadata: subscribed('u') }] })
    world.clock.advance(5000)
    // It is alive, but does nothing about the rebalance.
    for (let n = 0; n < 3; n++) {
      heartbeat({ memberId: leader.response!.memberId })
      world.clock.advance(5000)
    }
    expect(again.response).toMatchObject({ errorCode: 0, generationId: 2, leader: other.response!.memberId })
    expect(heartbeat({ memberId: leader.response!.memberId, generationId: 2 })).toBe('UNKNOWN_MEMBER_ID')
  })

  test('the log has no room for a new group: there is none, and nothing is left behind', () => {
    world.refusal = () => 'NOT_ENOUGH_REPLICAS'
    const refused = join({}, { apiVersion: 3 })
    expect(refused).toMatchObject({ response: undefined })
    expect(world.waiting).toBe(0)
    expect(world.groups.size()).toBe(0)
    world.refusal = () => undefined
    world.clock.advance(1_000_000)
    expect(world.log).toEqual([])
  })

  test('a group that only has offsets becomes a group of members', () => {
    world.groups.set(GROUP, new SimpleGroup(GROUP))
    expect(join({ memberId: 'x' }).error).toBe('UNKNOWN_MEMBER_ID')
    stable()
    expect(world.groups.get(GROUP)).toBe(world.group())
  })
})

describe('static members', () => {
  const groupInstanceId = 'i'

  test('come back without an id, and nothing moves', () => {
    const memberId = stable({ groupInstanceId })
    const again = join({ groupInstanceId })
    expect(again.response).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: true, leader: again.response!.memberId })
    expect(again.response!.memberId).not.toBe(memberId)
    expect(sync({ memberId: again.response!.memberId, groupInstanceId }).response!.assignment).toEqual(BYTES)
    expect(heartbeat({ memberId, groupInstanceId })).toBe('FENCED_INSTANCE_ID')
    expect(join({ memberId, groupInstanceId }).error).toBe('FENCED_INSTANCE_ID')
    expect(sync({ memberId, groupInstanceId }).error).toBe('FENCED_INSTANCE_ID')
    expect(heartbeat({ memberId })).toBe('UNKNOWN_MEMBER_ID')
    expect(heartbeat({ memberId: again.response!.memberId, groupInstanceId: 'other' })).toBe('UNKNOWN_MEMBER_ID')
  })

  test('before version 9 a leader that came back is not told that it leads', () => {
    const memberId = stable({ groupInstanceId })
    expect(join({ groupInstanceId }, { apiVersion: 8 }).response).toMatchObject({ leader: memberId, members: [], skipAssignment: false })
  })

  test('come back with other topics or assignors: all join again', () => {
    stable({ groupInstanceId })
    const again = join({ groupInstanceId, protocols: [{ name: 'range', metadata: subscribed('u') }] })
    expect(again.response).toMatchObject({ errorCode: 0, generationId: 2, skipAssignment: false })
  })

  test('a thread of this process that lost its place is told so', () => {
    stable({ groupInstanceId }, { clientHost: 'thread-3.1@0000000a', isLocal: true })
    join({ groupInstanceId })
    expect(world.fenced).toEqual(['thread-3.1@0000000a'])
  })

  test('the log has no room for the change: the old one stays', () => {
    const memberId = stable({ groupInstanceId })
    world.refusal = () => 'NOT_ENOUGH_REPLICAS'
    expect(join({ groupInstanceId }).response).toBeUndefined()
    world.refusal = () => undefined
    expect(heartbeat({ memberId, groupInstanceId })).toBe('NONE')
    expect(group().record()).toEqual(world.log.at(-1))
    world.clock.advance(10_000)
    expect(group().memberCount()).toBe(0)
  })

  test('are awaited in a rebalance until their session is over', () => {
    const memberId = stable({ groupInstanceId, sessionTimeoutMs: 60_000 })
    const other = join({}, { apiVersion: 3 })
    world.clock.advance(20_000)
    // It did not join: it stays in the generation all the same.
    expect(other.response).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(other.response!.members.map((member) => member.groupInstanceId)).toEqual([groupInstanceId, null])
    expect(group().members.has(memberId)).toBe(true)
  })
})

describe('SyncGroup', () => {
  test('is refused by what is wrong with it', () => {
    expect(sync({ memberId: 'x' }).error).toBe('UNKNOWN_MEMBER_ID')
    const memberId = stable()
    expect(sync({ memberId, generationId: 2 }).error).toBe('ILLEGAL_GENERATION')
    expect(sync({ memberId, protocolName: 'other' }).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(sync({ memberId, protocolType: 'connect' }).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(sync({ memberId, protocolType: 'consumer', protocolName: 'range' }).response!.assignment).toEqual(BYTES)
    join({}, { apiVersion: 3 })
    expect(sync({ memberId }).error).toBe('REBALANCE_IN_PROGRESS')
  })

  test('waits for the leader; whom the leader forgot gets nothing', () => {
    const leader = join({}, { apiVersion: 3 })
    const other = join({}, { apiVersion: 3 })
    world.clock.advance(1000)
    const waits = sync({ memberId: other.response!.memberId })
    expect(waits.response).toBeUndefined()
    const twice = sync({ memberId: other.response!.memberId })
    expect(waits.error).toBe('REBALANCE_IN_PROGRESS')
    const memberId = leader.response!.memberId
    expect(sync({ memberId, assignments: [{ memberId, assignment: BYTES }] }).response!.assignment).toEqual(BYTES)
    expect(twice.response!.assignment).toEqual(new Uint8Array(0))
    expect(world.recorded()).toMatchObject({ generation: 1, leader: memberId, protocolType: 'consumer', protocol: 'range' })
  })

  test('the log has no room for the assignment: nobody has it, all join again', () => {
    const leader = join({}, { apiVersion: 3 })
    const other = join({}, { apiVersion: 3 })
    world.clock.advance(1000)
    const waits = sync({ memberId: other.response!.memberId })
    world.refusal = () => 'NOT_ENOUGH_REPLICAS'
    sync({ memberId: leader.response!.memberId })
    expect(waits.error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(group().state()).toBe('PreparingRebalance')
    expect(world.waiting).toBe(0)
  })

  test('who does not send one in time is out', () => {
    const leader = join({}, { apiVersion: 3 })
    const other = join({}, { apiVersion: 3 })
    world.clock.advance(200)
    const { memberId } = other.response!
    const waits = sync({ memberId })
    for (let n = 0; n < 5; n++) {
      world.clock.advance(4000)
      heartbeat({ memberId: leader.response!.memberId })
    }
    expect(waits.error).toBe('REBALANCE_IN_PROGRESS')
    expect(group().members.has(leader.response!.memberId)).toBe(false)
    expect(join({ memberId }).response).toMatchObject({ errorCode: 0, generationId: 2 })
  })
})

describe('Heartbeat', () => {
  test('keeps a member in, for a session; a commit does too', () => {
    const memberId = stable()
    world.clock.advance(9999)
    expect(heartbeat({ memberId })).toBe('NONE')
    world.clock.advance(9999)
    world.take(world.classic.committed(commitRequest(GROUP, {}, { memberId, generationIdOrMemberEpoch: 1 }), world.nowMs, 0))
    // One of another generation does not count.
    world.take(world.classic.committed(commitRequest(GROUP, {}, { memberId, generationIdOrMemberEpoch: 0 }), world.nowMs + 5, 0))
    world.clock.advance(9999)
    expect(group().memberCount()).toBe(1)
    world.clock.advance(1)
    expect(group().memberCount()).toBe(0)
    expect(heartbeat({ memberId })).toBe('UNKNOWN_MEMBER_ID')
  })

  test('of another generation, or of nobody', () => {
    expect(heartbeat({ groupId: '' })).toBe('INVALID_GROUP_ID')
    expect(heartbeat({ memberId: 'x' })).toBe('UNKNOWN_MEMBER_ID')
    expect(heartbeat({ memberId: stable(), generationId: 7 })).toBe('ILLEGAL_GENERATION')
  })
})

describe('LeaveGroup', () => {
  test('of several, each with its own outcome', () => {
    const memberId = stable({ groupInstanceId: 'i' })
    const pending = join({ memberId: '' })
    const members = [
      { memberId: pending.response!.memberId, groupInstanceId: null, reason: null },
      { memberId: 'x', groupInstanceId: null, reason: null },
      { memberId: 'x', groupInstanceId: 'i', reason: null },
      { memberId: '', groupInstanceId: 'j', reason: null },
      { memberId: '', groupInstanceId: 'i', reason: 'by an admin' },
    ]
    const { errorCode, members: told } = leave({ members })
    expect(errorCode).toBe(0)
    const names = told.map((member) => kafkaErrorName(member.errorCode))
    expect(names).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'UNKNOWN_MEMBER_ID', 'NONE'])
    expect(group().state()).toBe('Empty')
    expect(heartbeat({ memberId, groupInstanceId: 'i' })).toBe('UNKNOWN_MEMBER_ID')
    expect(world.recorded()).toMatchObject({ generation: 2, members: [], leader: null, protocol: null, protocolType: 'consumer' })
  })

  test('an id that nobody has joined with goes without a rebalance', () => {
    stable()
    const pending = join()
    leave({ members: [{ memberId: pending.response!.memberId, groupInstanceId: null, reason: null }] })
    expect(group().state()).toBe('Stable')
    expect(group().pendingMembers.size).toBe(0)
  })

  test('before version 3 the one member is named beside the list, and the error is the response’s', () => {
    const memberId = stable()
    expect(kafkaErrorName(leave({ memberId: 'x' }).errorCode)).toBe('UNKNOWN_MEMBER_ID')
    expect(leave({ memberId })).toMatchObject({ errorCode: 0, members: [] })
    expect(kafkaErrorName(leave({ groupId: 'unknown', memberId: 'x' }).errorCode)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('who leaves while it waits is answered', () => {
    const first = join({}, { apiVersion: 3 })
    const memberId = [...group().members.keys()][0]!
    leave({ members: [{ memberId, groupInstanceId: null, reason: null }] })
    expect(first.error).toBe('UNKNOWN_MEMBER_ID')
  })
})

test('a new member that waits for an answer for five minutes is taken for gone', () => {
  world = new ClassicWorld({ config: { initialRebalanceDelayMs: 600_000 } })
  const first = join({ rebalanceTimeoutMs: 700_000 }, { apiVersion: 3 })
  world.clock.advance(299_999)
  expect(first.response).toBeUndefined()
  world.clock.advance(1)
  expect(first.error).toBe('UNKNOWN_MEMBER_ID')
})

test('members of a thread that is gone after a restart are out at once, others have a session', () => {
  const gone = join({}, { apiVersion: 3, clientHost: 'thread-3.1@0000000a', isLocal: true }).response!.memberId
  sync({ memberId: gone })
  world.restart((host) => host !== 'thread-3.1@0000000a')
  expect(group().state()).toBe('Empty')
  const memberId = join({}, { apiVersion: 3 })
  world.clock.advance(100)
  sync({ memberId: memberId.response!.memberId, generationId: 3 })
  world.restart((host) => host !== 'thread-3.1@0000000a')
  world.clock.advance(9999)
  expect(group().memberCount()).toBe(1)
  world.clock.advance(1)
  expect(group().memberCount()).toBe(0)
})

test('the size of groups was made smaller meanwhile: all join again', () => {
  for (let n = 0; n < 3; n++) join({}, { apiVersion: 3 })
  world.clock.advance(1000)
  sync({ memberId: group().leader! })
  ;(world.config as { maxSize: number }).maxSize = 2
  world.restart()
  expect(group().state()).toBe('PreparingRebalance')
})
