// How the leader of a classic group shares partitions out (Kafka: ConsumerPartitionAssignor).
// It runs where the leader runs, on what members said when they joined; the coordinator
// only carries the outcome.
// Types, and the order of members that all assignors go by.

/** Partition indexes by topic. */
export type PartitionsByTopic = ReadonlyMap<string, readonly number[]>

/** What a member said when it joined: the consumer protocol's subscription. */
export interface ClassicSubscription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What it held when it joined; only the sticky assignors look. */
  readonly owned: PartitionsByTopic
  /** The generation in which it got that; -1: it is not known, and older than any. */
  readonly generation: number
}

/** By member id, partitions by topic; a member that gets nothing is there too. */
export type ClassicAssignment = Map<string, Map<string, number[]>>

export interface ClassicAssignor {
  /** As members say it in JoinGroup. */
  readonly name: string
  /** 'eager': members give up all before they join. 'cooperative': they keep what they have, and give up what they are told (KIP-429). */
  readonly rebalanceProtocol: 'eager' | 'cooperative'
  /**
   * @param partitionCounts by topic; a topic that is not there has none
   * @param members at least one, each id once
   */
  assign(partitionCounts: ReadonlyMap<string, number>, members: readonly ClassicSubscription[]): ClassicAssignment
}

/** Strings as Java orders them: by UTF-16 code units. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Static members first, by instance id, so that their share does not hang on member ids, which change; the rest by member id. */
export function compareMembers(a: ClassicSubscription, b: ClassicSubscription): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compareStrings(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compareStrings(a.memberId, b.memberId)
}

/** The topics that somebody is subscribed to and that have partitions, in order. */
export function subscribedTopics(partitionCounts: ReadonlyMap<string, number>, members: readonly ClassicSubscription[]): string[] {
  const topics = new Set<string>()
  for (const member of members) for (const topic of member.topics) if ((partitionCounts.get(topic) ?? 0) > 0) topics.add(topic)
  return [...topics].sort(compareStrings)
}

export function emptyAssignment(members: readonly ClassicSubscription[]): ClassicAssignment {
  return new Map(members.map(({ memberId }) => [memberId, new Map<string, number[]>()]))
}

export function give(assignment: ClassicAssignment, memberId: string, topic: string, partition: number): void {
  const topics = assignment.get(memberId)!
  const partitions = topics.get(topic)
  if (partitions === undefined) topics.set(topic, [partition])
  else partitions.push(partition)
}
