// What nobody asked for is lost with its records where the log has no room for them, unless
// it is tried again: topics that change, threads that end, coordinators that have loaded.

import { expect, test } from 'vitest'
import { ConsumerMember, settle } from './consumer-member.ts'
import { CoordinatorFixture, threadContext } from './coordinator-fixture.ts'

const NO_ROOM = 'COORDINATOR_NOT_AVAILABLE'
const SOON_MS = 200

function twoMembers(): { fixture: CoordinatorFixture; members: ConsumerMember[] } {
  const fixture = new CoordinatorFixture()
  fixture.createTopic('a', 2)
  const members = [1, 2].map((thread) => new ConsumerMember(fixture, `m${thread}`, { topics: ['a', 'b'], context: threadContext(thread) }))
  for (const member of members) member.join()
  settle(fixture, members)
  return { fixture, members }
}

test('a topic that is made while the log is full is dealt out when it has room', () => {
  const { fixture, members } = twoMembers()
  fixture.refuse = NO_ROOM
  fixture.createTopic('b', 2)
  fixture.advance(SOON_MS)
  fixture.refuse = undefined
  fixture.advance(SOON_MS)
  settle(fixture, members)
  expect(members.map(({ partitions }) => partitions).sort()).toEqual(['a-0 b-0', 'a-1 b-1'])
})

test('a member whose thread ends while the log is full is out when it has room', () => {
  const { fixture, members } = twoMembers()
  fixture.refuse = NO_ROOM
  fixture.clientHostGone(threadContext(1).clientHost)
  fixture.advance(SOON_MS)
  fixture.refuse = undefined
  fixture.advance(SOON_MS)
  settle(fixture, [members[1]!])
  expect(members[1]!.partitions).toBe('a-0 a-1')
})

test('a coordinator that has loaded while the log is full knows when sessions end, and puts out who is gone', () => {
  const { fixture, members } = twoMembers()
  fixture.refuse = NO_ROOM
  fixture.restart((host) => host !== threadContext(1).clientHost)
  fixture.advance(SOON_MS)
  fixture.refuse = undefined
  fixture.advance(SOON_MS)
  settle(fixture, [members[1]!])
  expect(members[1]!.partitions).toBe('a-0 a-1')
  fixture.advance(fixture.config.consumerSessionTimeoutMs)
  expect(fixture.consumerGroup('group').memberCount()).toBe(0)
})

test('a member may name a topic more than once where it says what it has', () => {
  const fixture = new CoordinatorFixture()
  fixture.createTopic('a', 4)
  const first = new ConsumerMember(fixture, 'first', { topics: ['a'] })
  first.join()
  const second = new ConsumerMember(fixture, 'second', { topics: ['a'] })
  second.join()
  first.heartbeat({
    topicPartitions: [0, 1, 2, 3].map((partition) => ({ topicId: fixture.metadata.image.topic('a')!.topicId, partitions: [partition] })),
  })
  second.heartbeat()
  expect(second.partitions).toBe('')
})
