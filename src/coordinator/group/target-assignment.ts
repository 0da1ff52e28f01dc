// The target assignment of a consumer group's epoch: who is to have which partitions
// (KIP-848), by the assignor that most members prefer.
// Pure.

import type { MetadataImage } from '../../metadata/metadata-image.ts'
import { compare } from '../assignor/target-assignor.ts'
import type { AssignorMember, TargetAssignor } from '../assignor/target-assignor.ts'
import { rangeAssignor } from '../assignor/sticky-range-assignor.ts'
import { uniformAssignor } from '../assignor/uniform-assignor.ts'
import type { ConsumerGroupChange } from './consumer-group-change.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import { topicNamesOf } from './subscribed-topics.ts'

/** By Kafka's names. */
export const TARGET_ASSIGNORS: Readonly<Record<string, TargetAssignor>> = { uniform: uniformAssignor, range: rangeAssignor }

/** The name that most members ask for; the first one of the names where none does. */
export function preferredAssignor(members: Iterable<ConsumerGroupMember>, names: readonly string[]): string {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of members) {
    if (serverAssignor !== null && names.includes(serverAssignor)) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  const [most] = [...votes].sort(([a, countOfA], [b, countOfB]) => countOfB - countOfA || compare(a, b))
  return most?.[0] ?? names[0] ?? 'uniform'
}

/** Makes the target of the group's epoch, from what it was before. */
export function makeTargetAssignment(
  change: ConsumerGroupChange,
  { image, assignors, wallMs }: { image: MetadataImage; assignors: readonly string[]; wallMs: number },
): void {
  const { topicKeys, topicsById } = image.content
  const partitionCounts = new Map<string, number>()
  const topicsByNames = new Map<readonly string[], ReadonlySet<string>>()
  const bySpelling = new Map<string, ReadonlySet<string>>()
  const topicsOf = (names: readonly string[]): ReadonlySet<string> => {
    const found = topicsByNames.get(names)
    if (found !== undefined) return found
    const keys = names.map((name) => topicKeys.get(name)).filter((key) => key !== undefined)
    for (const key of keys) partitionCounts.set(key, topicsById.get(key)!.partitions.length)
    // Members that want the same share one set, so that comparing them costs nothing.
    const spelling = keys.sort().join(' ')
    const topics = bySpelling.get(spelling) ?? new Set(keys)
    bySpelling.set(spelling, topics)
    topicsByNames.set(names, topics)
    return topics
  }
  const all = [...change.members()]
  const members = all.map((member): AssignorMember => {
    const { memberId, instanceId } = member
    return { memberId, instanceId, topics: topicsOf(topicNamesOf(member, change)), previous: change.target(memberId) }
  })
  const assignor = TARGET_ASSIGNORS[preferredAssignor(all, assignors)] ?? uniformAssignor
  change.setTargets(assignor({ members, partitionCounts }), wallMs)
}
