// Members and topics that chance makes, and what a share-out must be, worked out from its
// partitions alone: the assignors' own code is not asked.

import type { Random } from '../../../src/random.ts'
import type { ClassicAssignment, ClassicSubscription } from '../../../src/coordinator/assignor/classic-assignor.ts'

export interface AssignorWorld {
  readonly counts: Map<string, number>
  members: ClassicSubscription[]
}

const NOTHING: ReadonlyMap<string, readonly number[]> = new Map()

export function member(memberId: string, topics: readonly string[], more: Partial<ClassicSubscription> = {}): ClassicSubscription {
  return { memberId, topics, groupInstanceId: null, owned: NOTHING, generation: -1, ...more }
}

export function randomWorld(random: Random): AssignorWorld {
  const counts = new Map<string, number>()
  for (let topic = random.below(4); topic >= 0; topic--) counts.set(`t${topic}`, random.below(7))
  const alike = random.below(2) === 0 ? randomTopics(counts, random) : undefined
  const members: ClassicSubscription[] = []
  for (let id = random.below(6); id >= 0; id--) members.push(member(`m${id}`, alike ?? randomTopics(counts, random)))
  return { counts, members }
}

function randomTopics(counts: ReadonlyMap<string, number>, random: Random): string[] {
  const topics = [...counts.keys()].filter(() => random.below(3) > 0)
  // One that does not exist is subscribed to as well, now and then.
  return random.below(8) === 0 ? [...topics, 'unknown'] : topics
}

/** Some go, come, grow, change their minds; the rest hold what they were given. A few claim what they had long ago. */
export function nextRound(world: AssignorWorld, assignment: ClassicAssignment, generation: number, random: Random): void {
  const before = world.members
  world.members = before
    .filter(() => random.below(5) > 0)
    .map((one) => {
      const stays = random.below(10) > 0
      const topics = random.below(6) === 0 ? randomTopics(world.counts, random) : one.topics
      return { ...one, topics, ...(stays ? { owned: assignment.get(one.memberId) ?? NOTHING, generation } : {}) }
    })
  for (let more = random.below(3); more > 0 || world.members.length === 0; more--) {
    world.members.push(member(`n${generation}-${more}`, randomTopics(world.counts, random)))
  }
  if (random.below(4) === 0) for (const [topic, count] of world.counts) world.counts.set(topic, count + random.below(3))
}

/** 'topic:partition' */
export function listed(topics: ReadonlyMap<string, readonly number[]>): string[] {
  return [...topics].flatMap(([topic, partitions]) => partitions.map((partition) => `${topic}:${partition}`))
}

/** By 'topic:partition', who has it. Throws where two have it. */
export function holdersOf(assignment: ClassicAssignment): Map<string, string> {
  const holders = new Map<string, string>()
  for (const [memberId, topics] of assignment) {
    for (const partition of listed(topics)) {
      if (holders.has(partition)) throw new Error(`${partition} is given to ${holders.get(partition)} and to ${memberId}`)
      holders.set(partition, memberId)
    }
  }
  return holders
}

/** Whose claims to a partition are the newest, where that is one member. */
export function ownersOf(members: readonly ClassicSubscription[]): Map<string, string> {
  const owners = new Map<string, string>()
  const claimed = new Set(members.flatMap(({ owned }) => listed(owned)))
  for (const partition of claimed) {
    const claims = members.filter(({ owned }) => listed(owned).includes(partition))
    const newest = Math.max(...claims.map(({ generation }) => generation))
    const [owner, ...others] = claims.filter(({ generation }) => generation === newest)
    if (others.length === 0) owners.set(partition, owner!.memberId)
  }
  return owners
}

/** What is wrong with it as any share-out: all partitions that somebody wants are given, each once, to who wants it. */
export function faultsOf({ counts, members }: AssignorWorld, assignment: ClassicAssignment): string[] {
  const faults: string[] = []
  const holders = holdersOf(assignment)
  const byId = new Map(members.map((one) => [one.memberId, one]))
  for (const { memberId } of members) if (!assignment.has(memberId)) faults.push(`${memberId} is told nothing`)
  for (const [topic, count] of counts) {
    const isWanted = members.some(({ topics }) => topics.includes(topic))
    for (let partition = 0; partition < count; partition++) {
      const holder = holders.get(`${topic}:${partition}`)
      holders.delete(`${topic}:${partition}`)
      if (holder === undefined ? isWanted : byId.get(holder)?.topics.includes(topic) !== true) {
        faults.push(`${topic}:${partition} is with ${holder}`)
      }
    }
  }
  for (const partition of holders.keys()) faults.push(`${partition} does not exist`)
  return faults
}

/**
 * What could be better: partitions handed on from member to member along a chain, each by one who has it to one who wants it,
 * so that the loads come out more even, or the same with more partitions back where they were. No chain, and it is the best.
 */
export function improvementsOf({ members }: AssignorWorld, assignment: ClassicAssignment): string[] {
  const owners = ownersOf(members)
  const ids = members.map(({ memberId }) => memberId)
  const loads = ids.map((id) => listed(assignment.get(id)!).length)
  // cost[a][b]: by how many more partitions move when a hands one on to b.
  const cost = ids.map(() => ids.map(() => Number.POSITIVE_INFINITY))
  for (const [a, from] of ids.entries()) {
    for (const partition of listed(assignment.get(from)!)) {
      const topic = partition.split(':')[0]!
      for (const [b, to] of members.entries()) {
        if (a === b || !to.topics.includes(topic)) continue
        const owner = owners.get(partition)
        cost[a]![b] = Math.min(cost[a]![b]!, (owner === from ? 1 : 0) - (owner === to.memberId ? 1 : 0))
      }
    }
  }
  for (const [via] of ids.entries()) {
    for (const [a] of ids.entries()) {
      for (const [b] of ids.entries()) cost[a]![b] = Math.min(cost[a]![b]!, cost[a]![via]! + cost[via]![b]!)
    }
  }
  const found: string[] = []
  for (const [a, from] of ids.entries()) {
    for (const [b, to] of ids.entries()) {
      const total = cost[a]![b]!
      if (total < Number.POSITIVE_INFINITY && loads[a]! - loads[b]! >= 2) found.push(`${from} has ${loads[a]}, ${to} ${loads[b]}`)
      if (total < 0 && (a === b || loads[a]! - loads[b]! === 1)) found.push(`${-total} need not move: from ${from} to ${to}`)
    }
  }
  return found
}
