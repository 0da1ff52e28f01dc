// `range` (Kafka: RangeAssignor): of each topic, neighbouring partitions go to one member,
// and the first members get one more where it does not come out even. Topics with as many
// partitions and the same members are shared out alike, so their partitions of one number meet.
// Pure.

import { compareMembers, emptyAssignment, give, subscribedTopics } from './classic-assignor.ts'
import type { ClassicAssignment, ClassicAssignor, ClassicSubscription } from './classic-assignor.ts'

export const CLASSIC_RANGE_ASSIGNOR: ClassicAssignor = { name: 'range', rebalanceProtocol: 'eager', assign }

function assign(partitionCounts: ReadonlyMap<string, number>, members: readonly ClassicSubscription[]): ClassicAssignment {
  const assignment = emptyAssignment(members)
  const sorted = [...members].sort(compareMembers)
  for (const topic of subscribedTopics(partitionCounts, members)) {
    const count = partitionCounts.get(topic)!
    const takers = sorted.filter(({ topics }) => topics.includes(topic))
    const share = Math.floor(count / takers.length)
    const withOneMore = count % takers.length
    let partition = 0
    for (const [place, { memberId }] of takers.entries()) {
      for (let left = share + (place < withOneMore ? 1 : 0); left > 0; left--) give(assignment, memberId, topic, partition++)
    }
  }
  return assignment
}
