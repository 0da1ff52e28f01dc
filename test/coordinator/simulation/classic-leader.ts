// What members of the classic protocol say to each other: what they want and have, and what
// their leader gives them. Names of topics, no ids: a name is the topic that has it now.

import { CLASSIC_ASSIGNORS } from '../../../src/coordinator/assignor/classic-assignors.ts'
import type { ClassicSubscription } from '../../../src/coordinator/assignor/classic-assignor.ts'
import { readSubscription } from '../../../src/coordinator/group/consumer-protocol-subscription.ts'
import type { TopicId } from '../../../src/ids.ts'
import type { JoinGroupResponse } from '../../../src/protocol/messages/11-join-group.ts'
import { CONSUMER_PROTOCOL_ASSIGNMENT, CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../../src/protocol/records/consumer-protocol.ts'
import { decodeVersioned, encodeVersioned } from '../../../src/protocol/versioned-message.ts'
import type { SimulatedTopics } from './simulated-topics.ts'

/** The topics that somebody wants, and what they were like. */
export interface SharedOut {
  readonly topics: readonly string[]
  readonly known: string
}

interface NamedPartition {
  readonly topicId: TopicId
  readonly topicKey: string
  readonly partition: number
}

export function subscriptionBytes(
  topics: SimulatedTopics,
  wanted: readonly string[],
  held: Iterable<{ readonly topicId: TopicId; readonly partition: number }>,
  generationId: number,
): Uint8Array {
  const byName = new Map<string, number[]>()
  for (const { topicId, partition } of held) {
    const name = topics.image.topicById(topicId)?.name
    if (name === undefined) continue
    const partitions = byName.get(name)
    if (partitions === undefined) byName.set(name, [partition])
    else partitions.push(partition)
  }
  const ownedPartitions = [...byName].map(([topic, partitions]) => ({ topic, partitions }))
  return encodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, 3, { topics: [...wanted], ownedPartitions, generationId })
}

export function shareOut(
  topics: SimulatedTopics,
  assignor: string,
  members: JoinGroupResponse['members'],
): { readonly shared: SharedOut; readonly assignments: { memberId: string; assignment: Uint8Array }[] } {
  const subscriptions: ClassicSubscription[] = members.map(({ memberId, groupInstanceId, metadata }) => {
    const { topics: wanted, ownedPartitions, generationId } = readSubscription(metadata)!
    const owned = new Map(ownedPartitions.map(({ topic, partitions }) => [topic, partitions]))
    return { memberId, groupInstanceId, topics: wanted, owned, generation: generationId }
  })
  const wanted = [...new Set(subscriptions.flatMap((subscription) => subscription.topics))].sort()
  const counts = new Map(wanted.map((name) => [name, topics.topic(name)?.partitions.length ?? 0]))
  const shares = CLASSIC_ASSIGNORS.get(assignor)!.assign(counts, subscriptions)
  const assignments = [...shares].map(([memberId, share]) => {
    const assignedPartitions = [...share].map(([topic, partitions]) => ({ topic, partitions }))
    return { memberId, assignment: encodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, 1, { assignedPartitions }) }
  })
  return { shared: { topics: wanted, known: knownTopics(topics, wanted) }, assignments }
}

/** What a share-out of these goes by, as text: another text says that it is out of date. */
export function knownTopics(topics: SimulatedTopics, names: readonly string[]): string {
  return names.map((name) => `${name} ${topics.keyOf(name)} ${topics.topic(name)?.partitions.length ?? 0}`).join()
}

/** Those that are there now. */
export function assignedPartitions(topics: SimulatedTopics, assignment: Uint8Array): NamedPartition[] {
  if (assignment.length === 0) return []
  const named = decodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, assignment).message.assignedPartitions
  return named.flatMap(({ topic: name, partitions }) => {
    const topic = topics.topic(name)
    if (topic === undefined) return []
    const { topicId } = topic
    const topicKey = topics.keyOf(name)!
    const there = partitions.filter((partition) => topic.partitions[partition] !== undefined)
    return there.map((partition) => ({ topicId, topicKey, partition }))
  })
}
