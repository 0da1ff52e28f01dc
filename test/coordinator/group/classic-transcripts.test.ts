// Whole conversations of the classic protocol. `vitest -u` writes them anew: read the diff.
// A line: milliseconds, who, what he sends (▶) or hears (◀). Heartbeats are shown where they
// are answered with an error.

import { expect, test } from 'vitest'
import { ClassicClient, transcriptOf } from './classic-client.ts'
import { ClassicWorld } from './classic-world.ts'

test('two come within the first delay, a third comes later, the leader leaves', () => {
  const world = new ClassicWorld()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new ClassicClient(world, name)) as [ClassicClient, ClassicClient, ClassicClient]
  a.join()
  world.clock.advance(1000)
  b.join()
  world.clock.advance(10_000)
  c.join()
  world.clock.advance(10_000)
  a.leave()
  world.clock.advance(10_000)
  expect(transcriptOf(world)).toMatchInlineSnapshot(`
    "     0  a ▶ JoinGroup
            log readers: generation 0, empty
         0  a ◀ MEMBER_ID_REQUIRED: a-1
         0  a ▶ JoinGroup as a-1
      1000  b ▶ JoinGroup
      1000  b ◀ MEMBER_ID_REQUIRED: b-1
      1000  b ▶ JoinGroup as b-1
      6000  a ◀ generation 1, range, as a-1, leads a-1 b-1
      6000  a ▶ SyncGroup
            log readers: generation 1, range, leader a-1, of a-1 b-1
      6000  b ◀ generation 1, range, as b-1
      6000  b ▶ SyncGroup
      6000  a ◀ t:0 t:1
      6000  b ◀ t:2 t:3
     11000  c ▶ JoinGroup
     11000  c ◀ MEMBER_ID_REQUIRED: c-1
     11000  c ▶ JoinGroup as c-1
     12000  a ▶ Heartbeat
     12000  a ◀ REBALANCE_IN_PROGRESS
     12000  a ▶ JoinGroup as a-1
     12000  b ▶ Heartbeat
     12000  b ◀ REBALANCE_IN_PROGRESS
     12000  b ▶ JoinGroup as b-1
     12000  a ◀ generation 2, range, as a-1, leads a-1 b-1 c-1
     12000  a ▶ SyncGroup
            log readers: generation 2, range, leader a-1, of a-1 b-1 c-1
     12000  b ◀ generation 2, range, as b-1
     12000  b ▶ SyncGroup
     12000  c ◀ generation 2, range, as c-1
     12000  c ▶ SyncGroup
     12000  a ◀ t:0 t:1
     12000  b ◀ t:2
     12000  c ◀ t:3
     21000  a ▶ LeaveGroup
     21000  a ◀ NONE
     24000  b ▶ Heartbeat
     24000  b ◀ REBALANCE_IN_PROGRESS
     24000  b ▶ JoinGroup as b-1
     24000  c ▶ Heartbeat
     24000  c ◀ REBALANCE_IN_PROGRESS
     24000  c ▶ JoinGroup as c-1
     24000  b ◀ generation 3, range, as b-1, leads b-1 c-1
     24000  b ▶ SyncGroup
            log readers: generation 3, range, leader b-1, of b-1 c-1
     24000  c ◀ generation 3, range, as c-1
     24000  c ▶ SyncGroup
     24000  b ◀ t:0 t:1
     24000  c ◀ t:2 t:3"
  `)
})

test('one dies, and its session ends; the leader dies, and another leads', () => {
  const world = new ClassicWorld({ config: { initialRebalanceDelayMs: 100 } })
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new ClassicClient(world, name)) as [ClassicClient, ClassicClient, ClassicClient]
  for (const client of [a, b, c]) client.join()
  world.clock.advance(5000)
  c.die()
  world.clock.advance(20_000)
  a.die()
  world.clock.advance(20_000)
  expect(transcriptOf(world)).toMatchInlineSnapshot(`
    "     0  a ▶ JoinGroup
            log readers: generation 0, empty
         0  b ▶ JoinGroup
         0  c ▶ JoinGroup
         0  a ◀ MEMBER_ID_REQUIRED: a-1
         0  a ▶ JoinGroup as a-1
         0  b ◀ MEMBER_ID_REQUIRED: b-1
         0  b ▶ JoinGroup as b-1
         0  c ◀ MEMBER_ID_REQUIRED: c-1
         0  c ▶ JoinGroup as c-1
       200  a ◀ generation 1, range, as a-1, leads a-1 b-1 c-1
       200  a ▶ SyncGroup
            log readers: generation 1, range, leader a-1, of a-1 b-1 c-1
       200  b ◀ generation 1, range, as b-1
       200  b ▶ SyncGroup
       200  c ◀ generation 1, range, as c-1
       200  c ▶ SyncGroup
       200  a ◀ t:0 t:1
       200  b ◀ t:2
       200  c ◀ t:3
      5000  c dies
     15200  a ▶ Heartbeat
     15200  a ◀ REBALANCE_IN_PROGRESS
     15200  a ▶ JoinGroup as a-1
     15200  b ▶ Heartbeat
     15200  b ◀ REBALANCE_IN_PROGRESS
     15200  b ▶ JoinGroup as b-1
     15200  a ◀ generation 2, range, as a-1, leads a-1 b-1
     15200  a ▶ SyncGroup
            log readers: generation 2, range, leader a-1, of a-1 b-1
     15200  b ◀ generation 2, range, as b-1
     15200  b ▶ SyncGroup
     15200  a ◀ t:0 t:1
     15200  b ◀ t:2 t:3
     25000  a dies
     36200  b ▶ Heartbeat
     36200  b ◀ REBALANCE_IN_PROGRESS
     36200  b ▶ JoinGroup as b-1
     36200  b ◀ generation 3, range, as b-1, leads b-1
     36200  b ▶ SyncGroup
            log readers: generation 3, range, leader b-1, of b-1
     36200  b ◀ t:0 t:1 t:2 t:3"
  `)
})

test('a static member comes back under another id and nothing moves; who still has the old id is fenced', () => {
  const world = new ClassicWorld({ config: { initialRebalanceDelayMs: 100 } })
  const a = new ClassicClient(world, 'a', { instanceId: 'i1' })
  const b = new ClassicClient(world, 'b', { instanceId: 'i2' })
  a.join()
  b.join()
  world.clock.advance(1000)
  const again = new ClassicClient(world, 'a2', { instanceId: 'i1' })
  again.join()
  world.clock.advance(3000)
  const old = new ClassicClient(world, 'b2', { instanceId: 'i2', apiVersion: 5 })
  old.join()
  world.clock.advance(5000)
  expect(transcriptOf(world)).toMatchInlineSnapshot(`
    "     0  a ▶ JoinGroup
            log readers: generation 0, empty
         0  b ▶ JoinGroup
       200  a ◀ generation 1, range, as i1-1, leads i1-1 i2-1
       200  a ▶ SyncGroup
            log readers: generation 1, range, leader i1-1, of i1-1 i2-1
       200  b ◀ generation 1, range, as i2-1
       200  b ▶ SyncGroup
       200  a ◀ t:0 t:1
       200  b ◀ t:2 t:3
      1000  a2 ▶ JoinGroup
            log readers: generation 1, range, leader i1-2, of i1-2 i2-1
      1000  a2 ◀ generation 1, range, as i1-2, leads i1-2 i2-1, assigns nothing
      1000  a2 ▶ SyncGroup
      1000  a2 ◀ t:0 t:1
      3200  a ▶ Heartbeat
      3200  a ◀ FENCED_INSTANCE_ID
      4000  b2 ▶ JoinGroup
            log readers: generation 1, range, leader i1-2, of i1-2 i2-2
      4000  b2 ◀ generation 1, range, as i2-2
      4000  b2 ▶ SyncGroup
      4000  b2 ◀ t:2 t:3
      6200  b ▶ Heartbeat
      6200  b ◀ FENCED_INSTANCE_ID"
  `)
})

test('cooperative-sticky: what is to move is given up in one generation and given in the next', () => {
  const world = new ClassicWorld({ config: { initialRebalanceDelayMs: 100 } })
  const assignors = ['cooperative-sticky']
  const a = new ClassicClient(world, 'a', { assignors })
  const b = new ClassicClient(world, 'b', { assignors })
  a.join()
  world.clock.advance(1000)
  b.join()
  world.clock.advance(10_000)
  expect(transcriptOf(world)).toMatchInlineSnapshot(`
    "     0  a ▶ JoinGroup
            log readers: generation 0, empty
         0  a ◀ MEMBER_ID_REQUIRED: a-1
         0  a ▶ JoinGroup as a-1
       100  a ◀ generation 1, cooperative-sticky, as a-1, leads a-1
       100  a ▶ SyncGroup
            log readers: generation 1, cooperative-sticky, leader a-1, of a-1
       100  a ◀ t:0 t:1 t:2 t:3
      1000  b ▶ JoinGroup
      1000  b ◀ MEMBER_ID_REQUIRED: b-1
      1000  b ▶ JoinGroup as b-1
      3100  a ▶ Heartbeat
      3100  a ◀ REBALANCE_IN_PROGRESS
      3100  a ▶ JoinGroup as a-1
      3100  a ◀ generation 2, cooperative-sticky, as a-1, leads a-1 b-1
      3100  a ▶ SyncGroup
            log readers: generation 2, cooperative-sticky, leader a-1, of a-1 b-1
      3100  b ◀ generation 2, cooperative-sticky, as b-1
      3100  b ▶ SyncGroup
      3100  a ◀ t:0 t:1
      3100  a ▶ JoinGroup as a-1
      3100  b ◀ nothing
      6100  b ▶ Heartbeat
      6100  b ◀ REBALANCE_IN_PROGRESS
      6100  b ▶ JoinGroup as b-1
      6100  a ◀ generation 3, cooperative-sticky, as a-1, leads a-1 b-1
      6100  a ▶ SyncGroup
            log readers: generation 3, cooperative-sticky, leader a-1, of a-1 b-1
      6100  b ◀ generation 3, cooperative-sticky, as b-1
      6100  b ▶ SyncGroup
      6100  a ◀ t:0 t:1
      6100  b ◀ t:2 t:3"
  `)
})

test('members on threads of this process wait for nobody, and are gone when their thread is', () => {
  const world = new ClassicWorld()
  const a = new ClassicClient(world, 'a', { isLocal: true, clientHost: 'thread-7.1@0000000a' })
  const b = new ClassicClient(world, 'b', { isLocal: true, clientHost: 'thread-8.1@0000000a' })
  a.join()
  world.clock.advance(100)
  b.join()
  world.clock.advance(5000)
  a.die()
  world.clientHostGone('thread-7.1@0000000a')
  world.clock.advance(5000)
  b.isStalled = true
  world.clock.advance(20_000)
  expect(transcriptOf(world)).toMatchInlineSnapshot(`
    "     0  a ▶ JoinGroup
            log readers: generation 0, empty
         0  a ◀ MEMBER_ID_REQUIRED: a-1
         0  a ▶ JoinGroup as a-1
         0  a ◀ generation 1, range, as a-1, leads a-1
         0  a ▶ SyncGroup
            log readers: generation 1, range, leader a-1, of a-1
         0  a ◀ t:0 t:1 t:2 t:3
       100  b ▶ JoinGroup
       100  b ◀ MEMBER_ID_REQUIRED: b-1
       100  b ▶ JoinGroup as b-1
      3000  a ▶ Heartbeat
      3000  a ◀ REBALANCE_IN_PROGRESS
      3000  a ▶ JoinGroup as a-1
      3000  a ◀ generation 2, range, as a-1, leads a-1 b-1
      3000  a ▶ SyncGroup
            log readers: generation 2, range, leader a-1, of a-1 b-1
      3000  b ◀ generation 2, range, as b-1
      3000  b ▶ SyncGroup
      3000  a ◀ t:0 t:1
      3000  b ◀ t:2 t:3
      5100  a dies
      6000  b ▶ Heartbeat
      6000  b ◀ REBALANCE_IN_PROGRESS
      6000  b ▶ JoinGroup as b-1
      6000  b ◀ generation 3, range, as b-1, leads b-1
      6000  b ▶ SyncGroup
            log readers: generation 3, range, leader b-1, of b-1
      6000  b ◀ t:0 t:1 t:2 t:3
            log readers: generation 4, empty
            fenced thread-8.1@0000000a"
  `)
})

test('the coordinator moves in the middle: the generation stands, who waited asks again', () => {
  const world = new ClassicWorld({ config: { initialRebalanceDelayMs: 100 } })
  const [a, b] = ['a', 'b'].map((name) => new ClassicClient(world, name)) as [ClassicClient, ClassicClient]
  a.join()
  world.clock.advance(1000)
  b.join()
  world.say('        the coordinator moves')
  world.restart()
  world.clock.advance(15_000)
  expect(transcriptOf(world)).toMatchInlineSnapshot(`
    "     0  a ▶ JoinGroup
            log readers: generation 0, empty
         0  a ◀ MEMBER_ID_REQUIRED: a-1
         0  a ▶ JoinGroup as a-1
       100  a ◀ generation 1, range, as a-1, leads a-1
       100  a ▶ SyncGroup
            log readers: generation 1, range, leader a-1, of a-1
       100  a ◀ t:0 t:1 t:2 t:3
      1000  b ▶ JoinGroup
            the coordinator moves
      1100  b ▶ JoinGroup
      1100  b ◀ MEMBER_ID_REQUIRED: b-1
      1100  b ▶ JoinGroup as b-1
      3100  a ▶ Heartbeat
      3100  a ◀ REBALANCE_IN_PROGRESS
      3100  a ▶ JoinGroup as a-1
      3100  a ◀ generation 2, range, as a-1, leads a-1 b-1
      3100  a ▶ SyncGroup
            log readers: generation 2, range, leader a-1, of a-1 b-1
      3100  b ◀ generation 2, range, as b-1
      3100  b ▶ SyncGroup
      3100  a ◀ t:0 t:1
      3100  b ◀ t:2 t:3"
  `)
})
