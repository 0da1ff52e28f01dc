// `cooperative-sticky` (Kafka: CooperativeStickyAssignor, KIP-429): the share-out of
// `sticky`, reached in two steps. Members keep what they have while they join. What is to
// move is in this generation nobody's: who held it gives it up, and joins again; the next
// generation gives it to who shall have it.
// Pure. Holds: no partition is given to anybody while another says that he has it.

import { ClaimedPartitions } from './claimed-partitions.ts'
import { stickyShares } from './sticky-assignor.ts'
import type { ClassicAssignor } from './classic-assignor.ts'

export const COOPERATIVE_STICKY_ASSIGNOR: ClassicAssignor = {
  name: 'cooperative-sticky',
  rebalanceProtocol: 'cooperative',
  assign(partitionCounts, members) {
    const claims = new ClaimedPartitions(members)
    const assignment = stickyShares(partitionCounts, members, claims)
    for (const [memberId, topics] of assignment) {
      for (const [topic, partitions] of topics) {
        const free = partitions.filter((partition) => !claims.isHeldBackFrom(memberId, topic, partition))
        if (free.length > 0) topics.set(topic, free)
        else topics.delete(topic)
      }
    }
    return assignment
  },
}
