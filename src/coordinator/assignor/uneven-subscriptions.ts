// As even as it can be when members want different topics, and of all ways that are so even
// one in which the most stays where it is. Partitions of a topic are alike until the end:
// counted first (balanced-flow.ts), chosen last, so that each member keeps its own.
// Pure.

import { balancedFlow } from './balanced-flow.ts'
import { inOrder } from './target-assignor.ts'
import type { AssignorInput, AssignorMember, Partitions } from './target-assignor.ts'

export function assignUnevenly({ members, partitionCounts }: AssignorInput): Map<string, Partitions> {
  const ordered = inOrder(members)
  const topics = [...partitionCounts.keys()]
  const counts = [...partitionCounts.values()]
  const claimed = counts.map(() => new Set<number>())
  const own = ordered.map((member) => topics.map((topic, at) => claim(member, topic, counts[at]!, claimed[at]!)))
  const toGive = balancedFlow({
    counts,
    subscriptions: ordered.map((member) => [...topics.keys()].filter((at) => member.topics.has(topics[at]!))),
    held: own.map((mine) => mine.map(({ length }) => length)),
  })
  const kept = own.map((mine, place) => mine.map((partitions, at) => partitions.slice(0, toGive[place]![at]!)))
  const free = counts.map((count, at) => {
    const taken = new Set(kept.flatMap((mine) => mine[at]!))
    return [...Array(count).keys()].filter((partition) => !taken.has(partition))
  })
  return new Map(ordered.map(({ memberId }, place) => [memberId, filled(topics, kept[place]!, toGive[place]!, free)]))
}

/** Its own partitions that are still there and wanted, and nobody claimed before. */
function claim({ previous, topics }: AssignorMember, topic: string, count: number, claimed: Set<number>): number[] {
  const before = topics.has(topic) ? previous.get(topic) : undefined
  const mine = (before ?? []).filter((partition) => partition < count && !claimed.has(partition))
  for (const partition of mine) claimed.add(partition)
  return mine
}

/** What it keeps, and of what nobody has as many as are missing. */
function filled(topics: readonly string[], kept: readonly number[][], counts: readonly number[], free: readonly number[][]): Partitions {
  const partitions = new Map<string, number[]>()
  for (const [at, topic] of topics.entries()) {
    const more = free[at]!.splice(0, counts[at]! - kept[at]!.length)
    if (kept[at]!.length + more.length > 0)
      partitions.set(
        topic,
        [...kept[at]!, ...more].sort((a, b) => a - b),
      )
  }
  return partitions
}
