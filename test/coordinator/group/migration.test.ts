// A group with members goes from the classic protocol to the new one and back (KIP-848,
// online migration). Lines as in classic-transcripts.test.ts; `m` speaks the new protocol.

import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import type { ClientContext } from '../../../src/coordinator/coordinator-shard.ts'
import type { GroupRequestOf } from '../../../src/coordinator/group/group-requests.ts'
import type { GroupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import { kafkaErrorName } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/random.ts'
import { ClassicClient, transcriptOf } from './classic-client.ts'
import type { ClassicClientOptions, ClassicDoor } from './classic-client.ts'
import { GROUP } from './classic-world.ts'
import type { Answer, ClassicApi } from './classic-world.ts'
import { ConsumerMember } from './consumer-member.ts'
import { CoordinatorFixture, REMOTE, threadContext } from './coordinator-fixture.ts'
import { commitRequest } from './offsets-world.ts'

const TICK_MS = 50
const PARTITIONS = 6

class MigrationWorld implements ClassicDoor {
  readonly fixture: CoordinatorFixture
  readonly clock = new VirtualClock()
  readonly transcript: string[] = []
  readonly #waiting = new Map<number, (response: never) => void>()

  constructor(config: Partial<GroupCoordinatorConfig> = {}) {
    this.fixture = new CoordinatorFixture({ config: { initialRebalanceDelayMs: 100, consumerAssignmentIntervalMs: 0, ...config } })
    this.fixture.createTopic('t', PARTITIONS)
  }

  get nowMs(): number {
    return this.clock.monotonicMs()
  }

  get waiting(): number {
    return this.#waiting.size
  }

  ask<Api extends ClassicApi>(api: Api, request: GroupRequestOf<Api>, context: ClientContext, answer: Answer<Api>): void {
    this.#waiting.set(this.fixture.send(api, request, context), answer as (response: never) => void)
  }

  say(line: string): void {
    this.transcript.push(line)
  }

  advance(ms: number): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.#answer()
      this.clock.advance(Math.min(TICK_MS, left))
      this.fixture.advance(Math.min(TICK_MS, left))
    }
    this.#answer()
  }

  state(): string {
    const [group] = this.fixture.ask('listGroups', { statesFilter: [], typesFilter: [] }).groups
    return `${group!.groupType} ${group!.groupState}`
  }

  /** Until nobody is answered any more. */
  #answer(): void {
    for (let isCalm = false; !isCalm; ) {
      isCalm = true
      for (const [requestId, answer] of [...this.#waiting]) {
        const response = this.fixture.response(requestId)
        if (response === undefined) continue
        isCalm = false
        this.#waiting.delete(requestId)
        answer(response as never)
      }
    }
  }
}

function client(world: MigrationWorld, name: string, options: ClassicClientOptions = {}): ClassicClient {
  const one = new ClassicClient(world, name, { partitions: new Map([['t', PARTITIONS]]), ...options })
  one.join()
  return one
}

function consumer(world: MigrationWorld, memberId = 'm', also: { readonly instanceId?: string } = {}): ConsumerMember {
  return new ConsumerMember(world.fixture, memberId, { groupId: GROUP, topics: ['t'], context: REMOTE, ...also })
}

/** It sends a heartbeat and, where it is to give something up, says that it has. */
function beat(world: MigrationWorld, member: ConsumerMember): void {
  member.heartbeat()
  member.heartbeat()
  world.say(`${String(world.nowMs).padStart(6)}  ${member.memberId} has ${member.partitions || 'nothing'}, epoch ${member.epoch}`)
}

/** What all have, each once. */
function held(classic: readonly ClassicClient[], members: readonly ConsumerMember[]): string[] {
  const all = [...classic.flatMap(({ owned }) => owned), ...members.flatMap((m) => m.partitions.split(' ').filter((p) => p !== ''))]
  return all.map((partition) => partition.replace(':', '-')).sort()
}

const ALL = Array.from({ length: PARTITIONS }, (_, n) => `t-${n}`)

describe.for([['range'], ['cooperative-sticky']])('members with %s', (assignors) => {
  test('go on in a consumer group when one comes, and in a classic group when it goes', () => {
    const world = new MigrationWorld()
    const classic = [client(world, 'a', { assignors }), client(world, 'b', { assignors })]
    world.advance(5000)
    expect(world.state()).toBe('Classic Stable')
    const generation = classic[0]!.generation
    const member = consumer(world)
    expect(member.join().errorCode).toBe(0)
    expect(world.state()).toMatch(/^Consumer/)
    for (let n = 0; n < 5; n++) {
      world.advance(3000)
      beat(world, member)
    }
    expect(world.state()).toBe('Consumer Stable')
    expect(held(classic, [member])).toEqual(ALL)
    expect([...classic.map(({ owned }) => owned.length), member.partitions.split(' ').length]).toEqual([2, 2, 2])
    expect(classic[0]!.generation).toBeGreaterThan(generation)
    world.fixture.restart()
    world.advance(5000)
    expect(world.state()).toBe('Consumer Stable')

    member.leave()
    world.advance(10_000)
    expect(world.state()).toBe('Classic Stable')
    expect(held(classic, [])).toEqual(ALL)
    expect(world.waiting).toBe(0)
    world.fixture.restart()
    world.advance(5000)
    expect(world.state()).toBe('Classic Stable')
  })
})

test('the conversation of it', () => {
  const world = new MigrationWorld()
  client(world, 'a')
  client(world, 'b')
  world.advance(4000)
  const member = consumer(world)
  member.join()
  world.say('        m joins')
  for (let n = 0; n < 3; n++) {
    world.advance(2000)
    beat(world, member)
  }
  member.leave()
  world.say('        m leaves')
  world.advance(5000)
  expect(transcriptOf(world)).toMatchInlineSnapshot(`
    "     0  a ▶ JoinGroup
         0  b ▶ JoinGroup
         0  a ◀ MEMBER_ID_REQUIRED: a-1
         0  a ▶ JoinGroup as a-1
         0  b ◀ MEMBER_ID_REQUIRED: b-1
         0  b ▶ JoinGroup as b-1
       200  a ◀ generation 1, range, as a-1, leads a-1 b-1
       200  a ▶ SyncGroup
       200  b ◀ generation 1, range, as b-1
       200  b ▶ SyncGroup
       200  a ◀ t:0 t:1 t:2
       200  b ◀ t:3 t:4 t:5
            m joins
      6000  m has nothing, epoch 2
      6200  a ▶ Heartbeat
      6200  a ◀ REBALANCE_IN_PROGRESS
      6200  a ▶ JoinGroup as a-1
      6200  b ▶ Heartbeat
      6200  b ◀ REBALANCE_IN_PROGRESS
      6200  b ▶ JoinGroup as b-1
      6200  a ◀ generation 2, range, as a-1
      6200  a ▶ SyncGroup
      6200  b ◀ generation 2, range, as b-1
      6200  b ▶ SyncGroup
      6200  a ◀ t:0 t:1
      6200  b ◀ t:3 t:4
      8000  m has t-2 t-5, epoch 2
     10000  m has t-2 t-5, epoch 2
            m leaves
     12200  a ▶ Heartbeat
     12200  a ◀ REBALANCE_IN_PROGRESS
     12200  a ▶ JoinGroup as a-1
     12200  b ▶ Heartbeat
     12200  b ◀ REBALANCE_IN_PROGRESS
     12200  b ▶ JoinGroup as b-1
     12200  a ◀ generation 3, range, as a-1, leads a-1 b-1
     12200  a ▶ SyncGroup
     12200  b ◀ generation 3, range, as b-1
     12200  b ▶ SyncGroup
     12200  a ◀ t:0 t:1 t:2
     12200  b ◀ t:3 t:4 t:5"
  `)
})

test('what a cooperative member is giving up when one of the new protocol comes is not given to that before', () => {
  const world = new MigrationWorld()
  const assignors = ['cooperative-sticky']
  const a = client(world, 'a', { assignors })
  const joinAgain = a.join.bind(a)
  a.onAssigned = () => {
    // It takes its time.
    if (a.owned.length < PARTITIONS) a.join = () => {}
  }
  world.advance(1000)
  const b = client(world, 'b', { assignors })
  world.advance(3500)
  expect([a.owned.length, b.owned.length]).toEqual([3, 0])
  const member = consumer(world)
  member.join()
  for (let n = 0; n < 3; n++) {
    world.advance(500)
    beat(world, member)
    expect(member.partitions).toBe('')
  }
  a.onAssigned = () => {}
  a.join = joinAgain
  a.join()
  for (let n = 0; n < 6; n++) {
    world.advance(3000)
    beat(world, member)
  }
  expect(held([a, b], [member])).toEqual(ALL)
  expect(member.partitions).not.toBe('')
})

test('a group that has come back, and is loaded before all have joined again, has a leader again', () => {
  const world = new MigrationWorld()
  const classic = [client(world, 'a'), client(world, 'b')]
  world.advance(5000)
  const member = consumer(world)
  member.join()
  for (let n = 0; n < 5; n++) {
    world.advance(3000)
    beat(world, member)
  }
  member.leave()
  world.fixture.restart(() => true, false)
  expect(world.state()).toBe('Classic PreparingRebalance')
  world.say('is loaded')
  world.advance(10_000)
  expect(transcriptOf(world).split('is loaded')[1]).toContain(', leads ')
  expect(held(classic, [])).toEqual(ALL)
  expect(world.state()).toBe('Classic Stable')
})

test('one that waits to join is sent to join again, and is in the consumer group', () => {
  const world = new MigrationWorld()
  const a = client(world, 'a')
  world.advance(1000)
  const b = client(world, 'b', { apiVersion: 3 })
  expect(world.waiting).toBe(1)
  const member = consumer(world)
  member.join()
  world.advance(1)
  expect(transcriptOf(world)).toContain('b ◀ REBALANCE_IN_PROGRESS')
  for (let n = 0; n < 8; n++) {
    world.advance(3000)
    beat(world, member)
  }
  expect(held([a, b], [member])).toEqual(ALL)
})

test('a classic member joins a consumer group, commits in its generation, and leaves', () => {
  const world = new MigrationWorld()
  const member = consumer(world)
  member.join()
  const a = client(world, 'a')
  world.advance(100)
  beat(world, member)
  world.advance(4000)
  beat(world, member)
  expect(held([a], [member])).toEqual(ALL)
  const commit = (generationIdOrMemberEpoch: number): string => {
    const request = commitRequest(GROUP, { 't-0': 3 }, { memberId: a.memberId, generationIdOrMemberEpoch })
    return kafkaErrorName(world.fixture.ask('offsetCommit', request).topics[0]!.partitions[0]!.errorCode)
  }
  expect(commit(a.generation)).toBe('NONE')
  expect(commit(a.generation - 1)).toBe('ILLEGAL_GENERATION')
  a.leave()
  world.advance(3000)
  beat(world, member)
  expect(held([], [member])).toEqual(ALL)
  expect(world.state()).toBe('Consumer Stable')
})

test('a classic member that is silent is out, and so is one that does not join again', () => {
  const world = new MigrationWorld()
  const a = client(world, 'a')
  const b = client(world, 'b', { rebalanceTimeoutMs: 5000 })
  world.advance(1000)
  const member = consumer(world)
  member.join()
  a.die()
  // It sends heartbeats, and does nothing about their answer.
  b.join = () => {}
  for (let n = 0; n < 10; n++) {
    world.advance(2000)
    beat(world, member)
  }
  expect(member.partitions.split(' ')).toEqual(ALL)
})

test('a static member is started again with the new protocol, and with the old one', () => {
  const world = new MigrationWorld()
  const other = client(world, 'o')
  const old = client(world, 'a', { instanceId: 'i' })
  world.advance(3000)
  old.die()
  const member = consumer(world, 'm', { instanceId: 'i' })
  expect(member.join().errorCode).toBe(0)
  for (let n = 0; n < 4; n++) {
    world.advance(3000)
    beat(world, member)
  }
  expect(held([other], [member])).toEqual(ALL)
  const again = client(world, 'a2', { instanceId: 'i' })
  world.advance(10_000)
  expect(held([other, again], [])).toEqual(ALL)
  expect(world.state()).toBe('Classic Stable')
  expect(kafkaErrorName(member.heartbeat().errorCode)).toBe('GROUP_ID_NOT_FOUND')
})

test('a local member of the new protocol is told when a classic one takes its place, or an admin puts it out', () => {
  const world = new MigrationWorld()
  const members = [1, 2].map((n) => {
    const member = new ConsumerMember(world.fixture, `m${n}`, {
      groupId: GROUP,
      topics: ['t'],
      instanceId: `i${n}`,
      context: threadContext(n),
    })
    member.join()
    return member
  })
  client(world, 'a', { instanceId: 'i1' })
  world.advance(100)
  expect(world.fixture.fenced).toEqual([threadContext(1).clientHost])
  expect(kafkaErrorName(members[0]!.heartbeat().errorCode)).toBe('FENCED_INSTANCE_ID')
  const identity = { memberId: '', groupInstanceId: 'i2', reason: null }
  expect(world.fixture.ask('leaveGroup', { groupId: GROUP, memberId: '', members: [identity] }).members).toMatchObject([{ errorCode: 0 }])
  expect(world.fixture.fenced).toEqual([1, 2].map((n) => threadContext(n).clientHost))
  world.advance(5000)
  expect(world.state()).toBe('Classic Stable')
})

describe('the policy', () => {
  test.for(['disabled', 'downgrade'] as const)('%s: a member of the new protocol finds no place among classic ones', (policy) => {
    const world = new MigrationWorld({ consumerMigrationPolicy: policy })
    client(world, 'a')
    world.advance(3000)
    expect(kafkaErrorName(consumer(world).join().errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(world.state()).toBe('Classic Stable')
  })

  test.for(['disabled', 'upgrade'] as const)('%s: classic members that are left stay in the consumer group', (policy) => {
    const world = new MigrationWorld({ consumerMigrationPolicy: policy })
    const member = consumer(world)
    member.join()
    const a = client(world, 'a')
    world.advance(3000)
    member.leave()
    world.advance(10_000)
    expect(world.state()).toBe('Consumer Stable')
    expect(held([a], [])).toEqual(ALL)
  })
})

test('a group of something else than consumers takes none', () => {
  const world = new MigrationWorld()
  const request = {
    groupId: GROUP,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    groupInstanceId: 'w',
    protocolType: 'connect',
    protocols: [{ name: 'compatible', metadata: new Uint8Array(3) }],
    reason: null,
  }
  world.ask('joinGroup', request, REMOTE, () => {})
  world.advance(1000)
  expect(kafkaErrorName(consumer(world).join().errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
})

test('the log has no room: the group is as it was', () => {
  const world = new MigrationWorld()
  const a = client(world, 'a')
  world.advance(3000)
  const member = consumer(world)
  const join = (): unknown => world.fixture.send('consumerGroupHeartbeat', joinOf(member), REMOTE)
  world.fixture.refuse = 'NOT_ENOUGH_REPLICAS'
  join()
  world.fixture.refuse = undefined
  expect(world.state()).toBe('Classic Stable')
  world.advance(10_000)
  expect(a.owned).toHaveLength(PARTITIONS)
  member.join()
  for (let n = 0; n < 4; n++) {
    world.advance(3000)
    beat(world, member)
  }
  world.fixture.refuse = 'NOT_ENOUGH_REPLICAS'
  expect(() => member.leave()).not.toThrow()
  world.fixture.refuse = undefined
  expect(world.state()).toMatch(/^Consumer/)
  // It is silent from now on: its session still ends.
  for (let n = 0; n < 20; n++) world.advance(3000)
  expect(world.state()).toBe('Classic Stable')
  expect(held([a], [])).toEqual(ALL)
})

function joinOf({ memberId }: ConsumerMember): GroupRequestOf<'consumerGroupHeartbeat'> {
  return {
    groupId: GROUP,
    memberId,
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 30_000,
    subscribedTopicNames: ['t'],
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: [],
  }
}

test('members of both protocols at random: in the end each partition is with one', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed)
    const world = new MigrationWorld()
    const assignors = random.below(2) === 0 ? ['range'] : ['cooperative-sticky']
    const classic: ClassicClient[] = []
    const members: ConsumerMember[] = []
    for (let n = 0; n < 25; n++) {
      const kind = random.below(5)
      if (kind === 0) classic.push(client(world, `c${n}`, { assignors, apiVersion: 3 + random.below(7) }))
      if (kind === 1) {
        const member = consumer(world, `m${n}`)
        if (member.join().errorCode === 0) members.push(member)
      }
      if (kind === 2) classic.splice(random.below(classic.length + 1), 1)[0]?.leave()
      if (kind === 3) members.splice(random.below(members.length + 1), 1)[0]?.leave()
      if (kind === 4 && random.below(3) === 0) classic.splice(random.below(classic.length + 1), 1)[0]?.die()
      world.advance(TICK_MS * (1 + random.below(60)))
      for (const member of members) member.heartbeat()
      const all = held(classic, members)
      expect(new Set(all).size, `seed ${seed}: ${all.join(' ')}`).toBe(all.length)
    }
    for (let n = 0; n < 30; n++) {
      world.advance(3000)
      for (const member of members) member.heartbeat()
    }
    const where = `seed ${seed}`
    expect(world.waiting, where).toBe(0)
    if (classic.length + members.length > 0) expect(held(classic, members), where).toEqual(ALL)
    expect(world.state(), where).toMatch(members.length > 0 ? /^Consumer / : classic.length > 0 ? /Stable$/ : /Empty$/)
  }
}, 60_000)
