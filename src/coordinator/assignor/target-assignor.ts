// What a server-side assignor (KIP-848) is: from who wants which topics, and who was to have
// which partitions so far, to who is to have which.
// Pure. Holds, of every assignor: each partition of a topic that somebody wants has one
// member, who wants the topic; the same input gives the same answer, in whatever order.

/** Partitions in ascending order by topic. */
export type Partitions = ReadonlyMap<string, readonly number[]>

export interface AssignorMember {
  readonly memberId: string
  /** Of a static member: it stands for the member where they are put in order. */
  readonly instanceId: string | null
  /** Topics that there are; each once. */
  readonly topics: ReadonlySet<string>
  /** What it was to have so far, of topics that may be gone or no more wanted. */
  readonly previous: Partitions
}

export interface AssignorInput {
  readonly members: readonly AssignorMember[]
  /** Of each topic that somebody wants: how many it has. */
  readonly partitionCounts: ReadonlyMap<string, number>
}

/** By member id; a member that gets nothing is there too. */
export type TargetAssignor = (input: AssignorInput) => Map<string, Partitions>

/** The order in which members get what is left over. */
export function inOrder(members: readonly AssignorMember[]): AssignorMember[] {
  const name = ({ instanceId, memberId }: AssignorMember): string => instanceId ?? memberId
  return [...members].sort((a, b) => compare(name(a), name(b)) || compare(a.memberId, b.memberId))
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Everybody wants the same topics. */
export function isHomogeneous(members: readonly AssignorMember[]): boolean {
  const [first] = members
  return first === undefined || members.every(({ topics }) => isSame(topics, first.topics))
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const topic of a) if (!b.has(topic)) return false
  return true
}
