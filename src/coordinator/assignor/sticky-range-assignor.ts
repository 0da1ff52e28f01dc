// The `range` assignor of KIP-848: of topics with equal numbers of partitions that the same
// members want, a member gets the same partitions (so that what is joined lies together), as
// ranges at first; after that members keep theirs.
// Pure.

import { inOrder } from './target-assignor.ts'
import type { AssignorInput, AssignorMember, Partitions } from './target-assignor.ts'

export function rangeAssignor({ members, partitionCounts }: AssignorInput): Map<string, Partitions> {
  const ordered = inOrder(members)
  const assigned = new Map(ordered.map(({ memberId }) => [memberId, new Map<string, readonly number[]>()]))
  for (const { wanting, topics, partitionCount } of alike(ordered, partitionCounts)) {
    for (const [i, partitions] of divide(wanting, topics, partitionCount).entries()) {
      if (partitions.length === 0) continue
      const mine = assigned.get(wanting[i]!.memberId)!
      for (const topic of topics) mine.set(topic, partitions)
    }
  }
  return assigned
}

/** Topics that the same members want, with as many partitions. */
interface AlikeTopics {
  readonly wanting: readonly AssignorMember[]
  readonly topics: string[]
  readonly partitionCount: number
}

function alike(ordered: readonly AssignorMember[], partitionCounts: ReadonlyMap<string, number>): AlikeTopics[] {
  const groups = new Map<string, AlikeTopics>()
  for (const [topic, partitionCount] of partitionCounts) {
    const places = ordered.map((_, i) => i).filter((i) => ordered[i]!.topics.has(topic))
    const key = `${partitionCount}:${places.join(',')}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { wanting: places.map((i) => ordered[i]!), topics: [topic], partitionCount })
    else group.topics.push(topic)
  }
  return [...groups.values()].filter(({ wanting }) => wanting.length > 0)
}

/**
 * The partitions of each member, the same in all the topics. A partition stays with who had it in most of them; members that have more
 * than their share give the rest up, and what is free goes to the others in order.
 */
function divide(wanting: readonly AssignorMember[], topics: readonly string[], partitionCount: number): number[][] {
  const votes = wanting.map(({ previous }) => {
    const mine = new Map<number, number>()
    for (const topic of topics) for (const partition of previous.get(topic) ?? []) mine.set(partition, (mine.get(partition) ?? 0) + 1)
    return mine
  })
  const kept = wanting.map((): number[] => [])
  const free: number[] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    let keeper = -1
    for (const [i, mine] of votes.entries()) {
      if ((mine.get(partition) ?? 0) > (keeper < 0 ? 0 : votes[keeper]!.get(partition)!)) keeper = i
    }
    if (keeper < 0) free.push(partition)
    else kept[keeper]!.push(partition)
  }
  const shares = sharesOf(kept, partitionCount)
  for (const [i, mine] of kept.entries()) free.push(...mine.splice(shares[i]!))
  free.sort((a, b) => a - b)
  let at = 0
  for (const [i, mine] of kept.entries()) {
    const more = shares[i]! - mine.length
    mine.push(...free.slice(at, at + more))
    mine.sort((a, b) => a - b)
    at += more
  }
  return kept
}

/** One more for as many as are left over: for those who have most, then in order. */
function sharesOf(kept: readonly (readonly number[])[], partitionCount: number): number[] {
  const least = Math.floor(partitionCount / kept.length)
  const shares = Array<number>(kept.length).fill(least)
  const byHolding = kept.map((_, i) => i).sort((a, b) => kept[b]!.length - kept[a]!.length || a - b)
  for (const i of byHolding.slice(0, partitionCount % kept.length)) shares[i] = least + 1
  return shares
}
