// Members of one classic group that come, go, stall, die, change their minds and are put
// elsewhere, while the coordinator moves and its log is full now and then. A failure names
// its seed: run `chaos(seed)` alone to see it again.

import { expect, test } from 'vitest'
import { ClassicGroups } from '../../../src/coordinator/group/classic-groups.ts'
import { ClassicGroup } from '../../../src/coordinator/group/classic-group.ts'
import type { Group } from '../../../src/coordinator/group/group.ts'
import { SnapshotRegistry, TimelineMap } from '../../../src/coordinator/timeline.ts'
import type { GroupMetadataKey, GroupMetadataValue } from '../../../src/protocol/records/classic-group-records.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { ClassicClient } from './classic-client.ts'
import type { ClassicClientOptions } from './classic-client.ts'
import { ClassicWorld, GROUP } from './classic-world.ts'

const SEEDS = 150
const EVENTS = 60
const PARTITIONS = new Map([
  ['t', 5],
  ['u', 3],
])
const HOUR_MS = 3_600_000

interface Outcome {
  readonly generations: number
  readonly assignments: number
  readonly refusals: number
}

function clientOptions(random: Random, n: number, assignors: readonly string[]): ClassicClientOptions {
  const isLocal = random.below(3) === 0
  return {
    assignors,
    partitions: PARTITIONS,
    topics: random.below(3) === 0 ? ['t'] : ['t', 'u'],
    apiVersion: 3 + random.below(7),
    sessionTimeoutMs: 6000 + random.below(20_000),
    rebalanceTimeoutMs: 5000 + random.below(30_000),
    isLocal,
    clientHost: isLocal ? `thread-${n}.1@0000000a` : `/10.0.0.${n}`,
    ...(random.below(3) === 0 ? { instanceId: `i${random.below(3)}` } : {}),
  }
}

/** Throws where something does not hold. */
function chaos(seed: number): Outcome {
  const random = seededRandom(seed)
  const world = new ClassicWorld({ seed, config: { initialRebalanceDelayMs: [0, 100, 3000][random.below(3)]!, maxSize: 4 } })
  const assignors = [['range'], ['roundrobin', 'range'], ['sticky'], ['cooperative-sticky']][random.below(4)]!
  const isLogFullAtTimes = random.below(3) === 0
  let refusals = 0
  world.refusal = () => {
    if (!isLogFullAtTimes || random.below(10) > 0) return undefined
    refusals++
    return 'NOT_ENOUGH_REPLICAS'
  }
  world.commitDelayMs = () => (random.below(4) === 0 ? random.below(50) : 0)
  const clients: ClassicClient[] = []
  /** By generation, who was told that he has what. */
  const told = new Map<string, string>()
  let assignments = 0

  const alive = (): ClassicClient[] => clients.filter(({ stopped }) => stopped === undefined)
  const start = (): void => {
    const client = new ClassicClient(world, `c${clients.length}`, clientOptions(random, clients.length, assignors))
    client.onAssigned = ({ generation, owned, groupInstanceId, memberId }) => {
      assignments++
      for (const partition of owned) {
        const key = `${generation} ${partition}`
        const holder = groupInstanceId ?? memberId
        const other = told.get(key) ?? holder
        if (other !== holder) throw new Error(`in generation ${generation}, ${partition} is ${other}'s and ${holder}'s`)
        told.set(key, holder)
      }
    }
    clients.push(client)
    client.join()
  }

  const events: ((client: ClassicClient | undefined) => void)[] = [
    () => start(),
    () => start(),
    (client) => client?.leave(),
    (client) => client?.die(),
    (client) => {
      client?.die()
      if (client?.options.isLocal === true) world.clientHostGone(client.options.clientHost!)
    },
    (client) => {
      if (client !== undefined) client.isStalled = !client.isStalled
    },
    (client) => {
      if (client !== undefined) client.topics = random.below(2) === 0 ? ['t'] : ['t', 'u']
      client?.join()
    },
    () => {
      if (random.below(3) === 0) world.restart()
    },
    () => {
      const fresh = replayed(world)
      const live = world.group()
      if (live?.state() === 'Stable') expect(fresh?.record(), `seed ${seed}`).toEqual(live.record())
    },
  ]
  for (let n = 0; n < EVENTS; n++) {
    const living = alive()
    events[random.below(events.length)]!(living[random.below(living.length)])
    world.clock.advance(random.below(3) === 0 ? random.below(20_000) : random.below(300))
  }

  // All is well from now on: whoever is left, and has room, shares out all that is wanted.
  world.refusal = () => undefined
  for (const client of clients) client.isStalled = false
  world.clock.advance(300_000)
  const left = alive()
  if (left.length > 0) {
    const held = left.flatMap(({ owned }) => owned).sort()
    const wanted = new Set(left.flatMap(({ topics }) => topics))
    // A static member may be there under the id of one that is dead: it was fenced, or its session is over by now.
    expect(world.group()!.state(), `seed ${seed}`).toBe('Stable')
    expect(world.group()!.memberCount(), `seed ${seed}`).toBe(left.length)
    const all = [...PARTITIONS]
      .filter(([topic]) => wanted.has(topic))
      .flatMap(([topic, n]) => Array.from({ length: n }, (_, p) => `${topic}:${p}`))
    expect(held, `seed ${seed}`).toEqual(all)
  }
  for (const client of left) client.leave()
  world.clock.advance(HOUR_MS)
  expect(world.waiting, `seed ${seed}: requests that nobody answered`).toBe(0)
  expect(world.group()?.state() ?? 'Empty', `seed ${seed}`).toBe('Empty')
  return { generations: checkLog(world, seed), assignments, refusals }
}

/** Generations only grow, and each was shared out once. How many there are. */
function checkLog(world: ClassicWorld, seed: number): number {
  let newest = -1
  let shared = new Map<string, string>()
  for (const { key, value } of world.log) {
    if ((key as GroupMetadataKey).group !== GROUP || value === null) continue
    const { generation, members } = value as GroupMetadataValue
    if (generation < newest) throw new Error(`seed ${seed}: generation ${generation} follows ${newest}`)
    const now = new Map(members.map((each) => [each.groupInstanceId ?? each.memberId, Buffer.from(each.assignment).toString('hex')]))
    if (generation === newest) expect(now, `seed ${seed}: generation ${generation} is shared out twice`).toEqual(shared)
    newest = generation
    shared = now
  }
  return newest
}

function replayed(world: ClassicWorld): ClassicGroup | undefined {
  const groups = new TimelineMap<string, Group>(new SnapshotRegistry())
  const fresh = new ClassicGroups({ groups, config: world.config, random: seededRandom(1) })
  for (const record of world.log) if (record.type === 'GroupMetadata') fresh.replay(record.key, record.value)
  const group = groups.get(GROUP)
  return group instanceof ClassicGroup ? group : undefined
}

test('one generation has one assignment, generations only grow, and every request is answered', () => {
  const outcomes = Array.from({ length: SEEDS }, (_, n) => chaos(n + 1))
  const sum = (pick: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + pick(outcome), 0)
  // Something did happen.
  expect(sum(({ generations }) => generations)).toBeGreaterThan(SEEDS * 10)
  expect(sum(({ assignments }) => assignments)).toBeGreaterThan(SEEDS * 10)
  expect(sum(({ refusals }) => refusals)).toBeGreaterThan(SEEDS / 3)
}, 60_000)
