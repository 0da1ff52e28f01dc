// The sticky share-out where all members are subscribed to the same topics: no two members
// differ by more than one partition, and of what members hold as much stays as that allows.
// Pure. Holds: equal to Kafka's where nobody holds anything yet.

import { compareStrings, emptyAssignment, give } from './classic-assignor.ts'
import type { ClaimedPartitions } from './claimed-partitions.ts'
import type { ClassicAssignment, ClassicSubscription } from './classic-assignor.ts'

interface Partition {
  readonly topic: string
  readonly partition: number
}

/** @param topics that all are subscribed to, in order */
export function equalShares(
  topics: readonly string[],
  partitionCounts: ReadonlyMap<string, number>,
  members: readonly ClassicSubscription[],
  claims: ClaimedPartitions,
): ClassicAssignment {
  const assignment = emptyAssignment(members)
  const ids = members.map(({ memberId }) => memberId).sort(compareStrings)
  const held = new Map<string, Partition[]>(ids.map((id) => [id, []]))
  const free: Partition[] = []
  let total = 0
  for (const topic of topics) {
    for (let partition = 0; partition < partitionCounts.get(topic)!; partition++) {
      const owner = claims.ownerOf(topic, partition)
      const list = owner === undefined ? free : held.get(owner)!
      list.push({ topic, partition })
      total++
    }
  }

  const share = Math.floor(total / ids.length)
  // So many members get one more than the share.
  let more = total % ids.length
  const sizes = new Map<string, number>()
  for (const id of ids) {
    const own = held.get(id)!
    const kept = own.length > share && more > 0 ? share + 1 : Math.min(own.length, share)
    if (kept > share) more--
    for (const { topic, partition } of own.slice(0, kept)) give(assignment, id, topic, partition)
    free.push(...own.slice(kept))
    sizes.set(id, kept)
  }
  free.sort((a, b) => compareStrings(a.topic, b.topic) || a.partition - b.partition)

  // Round those who lack, until each has the share; then one more for the first who have it.
  let lacking = ids.filter((id) => sizes.get(id)! < share)
  let next = 0
  let toGive = 0
  while (lacking.length > 0) {
    const id = lacking[next]!
    const { topic, partition } = free[toGive++]!
    give(assignment, id, topic, partition)
    sizes.set(id, sizes.get(id)! + 1)
    if (++next === lacking.length) {
      lacking = lacking.filter((each) => sizes.get(each)! < share)
      next = 0
    }
  }
  for (const id of ids) {
    if (toGive === free.length) break
    if (sizes.get(id) !== share) continue
    const { topic, partition } = free[toGive++]!
    give(assignment, id, topic, partition)
  }
  return assignment
}
