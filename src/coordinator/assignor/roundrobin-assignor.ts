// `roundrobin` (Kafka: RoundRobinAssignor): partitions of all topics, in order, go round
// the members; one that is not subscribed is passed over, and its turn is gone.
// Pure.

import { compareMembers, emptyAssignment, give, subscribedTopics } from './classic-assignor.ts'
import type { ClassicAssignment, ClassicAssignor, ClassicSubscription } from './classic-assignor.ts'

export const ROUNDROBIN_ASSIGNOR: ClassicAssignor = { name: 'roundrobin', rebalanceProtocol: 'eager', assign }

function assign(partitionCounts: ReadonlyMap<string, number>, members: readonly ClassicSubscription[]): ClassicAssignment {
  const assignment = emptyAssignment(members)
  const sorted = [...members].sort(compareMembers)
  let turn = 0
  for (const topic of subscribedTopics(partitionCounts, members)) {
    for (let partition = 0; partition < partitionCounts.get(topic)!; partition++) {
      // Somebody is subscribed, or the topic would not be here.
      while (!sorted[turn % sorted.length]!.topics.includes(topic)) turn++
      give(assignment, sorted[turn++ % sorted.length]!.memberId, topic, partition)
    }
  }
  return assignment
}
