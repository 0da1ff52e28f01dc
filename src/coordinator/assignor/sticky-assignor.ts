// `sticky` (Kafka: StickyAssignor, KIP-54): as even as the subscriptions allow, and with as
// few partitions moved as that allows. Members give up all before they join, and say what
// they held and in which generation.
// Pure. Holds: Kafka asks for the same, first balance and then least movement. Where all are
// subscribed to the same topics and nobody holds anything, the outcome is Kafka's. Elsewhere
// Kafka stops at a local optimum, and this does not.

import { ClaimedPartitions } from './claimed-partitions.ts'
import { balancedFlow } from './balanced-flow.ts'
import { equalShares } from './equal-shares.ts'
import { compareMembers, emptyAssignment, give, subscribedTopics } from './classic-assignor.ts'
import type { ClassicAssignment, ClassicAssignor, ClassicSubscription } from './classic-assignor.ts'

export const STICKY_ASSIGNOR: ClassicAssignor = {
  name: 'sticky',
  rebalanceProtocol: 'eager',
  assign: (partitionCounts, members) => stickyShares(partitionCounts, members, new ClaimedPartitions(members)),
}

export function stickyShares(
  partitionCounts: ReadonlyMap<string, number>,
  members: readonly ClassicSubscription[],
  claims: ClaimedPartitions,
): ClassicAssignment {
  const topics = subscribedTopics(partitionCounts, members)
  const allAlike = members.every((member) => topics.every((topic) => member.topics.includes(topic)))
  if (allAlike) return equalShares(topics, partitionCounts, members, claims)
  return unequalShares(topics, partitionCounts, members, claims)
}

function unequalShares(
  topics: readonly string[],
  partitionCounts: ReadonlyMap<string, number>,
  members: readonly ClassicSubscription[],
  claims: ClaimedPartitions,
): ClassicAssignment {
  const sorted = [...members].sort(compareMembers)
  const places = new Map(sorted.map(({ memberId }, place) => [memberId, place]))
  const subscriptions = sorted.map((member) => topics.flatMap((topic, index) => (member.topics.includes(topic) ? [index] : [])))
  const held = sorted.map(() => topics.map(() => 0))
  const owners = topics.map((topic, index) =>
    Array.from({ length: partitionCounts.get(topic)! }, (_, partition) => {
      const place = places.get(claims.ownerOf(topic, partition) ?? '')
      if (place === undefined || !subscriptions[place]!.includes(index)) return undefined
      held[place]![index]!++
      return place
    }),
  )
  const toGive = balancedFlow({ counts: topics.map((topic) => partitionCounts.get(topic)!), subscriptions, held })

  const assignment = emptyAssignment(members)
  for (const [index, topic] of topics.entries()) {
    const free: number[] = []
    for (const [partition, owner] of owners[index]!.entries()) {
      if (owner !== undefined && toGive[owner]![index]! > 0) {
        give(assignment, sorted[owner]!.memberId, topic, partition)
        toGive[owner]![index]!--
      } else {
        free.push(partition)
      }
    }
    let next = 0
    for (const [place, { memberId }] of sorted.entries()) {
      for (let left = toGive[place]![index]!; left > 0; left--) give(assignment, memberId, topic, free[next++]!)
    }
  }
  return assignment
}
