// The `uniform` assignor of KIP-848: members get as even a number of partitions as their
// subscriptions allow, and keep as many of theirs as that allows.
// Pure.

import { assignUnevenly } from './uneven-subscriptions.ts'
import { inOrder, isHomogeneous } from './target-assignor.ts'
import type { AssignorInput, AssignorMember, Partitions } from './target-assignor.ts'

export function uniformAssignor(input: AssignorInput): Map<string, Partitions> {
  if (input.members.length === 0) return new Map()
  return isHomogeneous(input.members) ? assignEvenly(input) : assignUnevenly(input)
}

/**
 * All want the same: each gets the whole part of partitions over members, and as many as are left over get one more: those that had most.
 * So nobody gives up a partition who does not have too many.
 */
function assignEvenly({ members, partitionCounts }: AssignorInput): Map<string, Partitions> {
  const ordered = inOrder(members)
  const free = new Map([...partitionCounts].map(([topic, count]) => [topic, new Set(Array(count).keys())]))
  const kept = ordered.map((member) => claim(member, free))
  const total = [...partitionCounts.values()].reduce((sum, count) => sum + count, 0)
  const least = Math.floor(total / members.length)
  const byHolding = ordered.map((_, i) => i).sort((a, b) => kept[b]!.count - kept[a]!.count || a - b)
  const quotas = Array<number>(members.length).fill(least)
  for (const i of byHolding.slice(0, total % members.length)) quotas[i] = least + 1
  for (const [i, holding] of kept.entries()) giveBack(holding, quotas[i]!, free)
  dealOut(kept, quotas, free)
  return new Map(ordered.map(({ memberId }, i) => [memberId, sorted(kept[i]!.topics)]))
}

interface Holding {
  readonly topics: Map<string, number[]>
  count: number
}

/** What it had and still may have, and nobody claimed before it. */
function claim({ previous, topics }: AssignorMember, free: ReadonlyMap<string, Set<number>>): Holding {
  const holding: Holding = { topics: new Map(), count: 0 }
  for (const [topic, partitions] of previous) {
    const open = free.get(topic)
    if (open === undefined || !topics.has(topic)) continue
    const mine = partitions.filter((partition) => open.delete(partition))
    if (mine.length > 0) holding.topics.set(topic, mine)
    holding.count += mine.length
  }
  return holding
}

/** From the topic it has most of, so that it keeps something of each. */
function giveBack(holding: Holding, quota: number, free: ReadonlyMap<string, Set<number>>): void {
  while (holding.count > quota) {
    const [topic, partitions] = [...holding.topics].reduce((most, next) => (next[1].length > most[1].length ? next : most))
    free.get(topic)!.add(partitions.pop()!)
    holding.count--
  }
}

/** One each in turn, so that the partitions of a topic spread over members. */
function dealOut(holdings: readonly Holding[], quotas: readonly number[], free: ReadonlyMap<string, ReadonlySet<number>>): void {
  const open = holdings.map((_, i) => i).filter((i) => holdings[i]!.count < quotas[i]!)
  let turn = 0
  for (const [topic, partitions] of free) {
    for (const partition of [...partitions].sort((a, b) => a - b)) {
      const i = open[turn]!
      const holding = holdings[i]!
      const mine = holding.topics.get(topic)
      if (mine === undefined) holding.topics.set(topic, [partition])
      else mine.push(partition)
      holding.count++
      if (holding.count === quotas[i]!) open.splice(turn, 1)
      else turn++
      if (turn >= open.length) turn = 0
    }
  }
}

function sorted(topics: ReadonlyMap<string, number[]>): Partitions {
  return new Map(
    [...topics].filter(([, partitions]) => partitions.length > 0).map(([topic, partitions]) => [topic, partitions.sort((a, b) => a - b)]),
  )
}
