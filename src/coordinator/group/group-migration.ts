// A group goes from one protocol to the other while it has members (KIP-848, online
// migration): when the first member of the new protocol comes, and when the last one goes.
//
//   classic ── a consumer joins by its heartbeat ──▶ consumer, its classic members in it
//   classic ◀── only classic members are left ────── consumer
//
// Pure. Holds: members keep what they have, and its epoch is their generation; all of it is
// one batch of records.

import type { GroupMetadataValue } from '../../protocol/records/classic-group-records.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import type { CoordinatorReply } from '../coordinator-shard.ts'
import { partitionKey, partitionsOf } from './assignment.ts'
import { ClassicGroup } from './classic-group.ts'
import { ClassicMember } from './classic-member.ts'
import { joinError, syncError } from './classic-rebalance.ts'
import type { ConsumerGroupChange } from './consumer-group-change.ts'
import { newMember, sortedNames } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import { assignmentByIds, readAssignment, writeAssignment } from './consumer-protocol-assignment.ts'
import { CONSUMER_PROTOCOL_TYPE, readSubscription } from './consumer-protocol-subscription.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import { timerName } from './member-names.ts'

/** Its members are consumers, and may be in a group with members of the new protocol. */
export function mayUpgrade(group: ClassicGroup, { consumerMigrationPolicy: policy, consumerMaxSize }: GroupCoordinatorConfig): boolean {
  if (policy !== 'bidirectional' && policy !== 'upgrade') return false
  if (group.protocolType() !== CONSUMER_PROTOCOL_TYPE || group.memberCount() > consumerMaxSize) return false
  return [...group.members.values()].every((member) => readSubscription(member.protocols[0]!.metadata) !== undefined)
}

/** The change is of the consumer group that takes the place of this one; nothing happens to the classic group before it is replayed. */
export function upgrade(group: ClassicGroup, change: ConsumerGroupChange, image: MetadataImage, nowMs: number): void {
  const { groupId, generation } = group
  change.records.push(...group.tombstones())
  change.beginAt(generation)
  const taken = new Set<string>()
  const members = [...group.members.values()].map((member) => consumerMember(member, generation, image, taken))
  for (const [place, member] of [...group.members.values()].entries()) {
    const upgraded = givingUp(members[place]!, image, taken)
    change.setMember(upgraded)
    change.setTargetOf(upgraded.memberId, partitionsOf(upgraded.assigned))
    change.setCurrent(upgraded)
    change.timers.push({ timer: timerName('classic-session', groupId, member.memberId), atMs: undefined })
    change.setTimer('session', member.memberId, nowMs + member.sessionTimeoutMs)
    change.replies.push(...joinAgain(member))
  }
  for (const kind of ['classic-join', 'classic-sync']) change.timers.push({ timer: timerName(kind, groupId), atMs: undefined })
}

function consumerMember(member: ClassicMember, generation: number, image: MetadataImage, taken: Set<string>): ConsumerGroupMember {
  const { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = member
  const { topics, rackId } = readSubscription(protocols[0]!.metadata)!
  const assigned = new Map<string, Map<number, number>>()
  for (const [topic, partitions] of readAssignment(member.assignment, image)) {
    // A leader that gave one to two members: the first has it.
    const own = partitions.filter((partition) => !taken.has(partitionKey(topic, partition)))
    for (const partition of own) taken.add(partitionKey(topic, partition))
    if (own.length > 0) assigned.set(topic, new Map(own.map((partition) => [partition, generation])))
  }
  return {
    ...newMember(memberId),
    instanceId: groupInstanceId,
    rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    subscribedTopicNames: sortedNames(topics),
    classicMember: { sessionTimeoutMs, supportedProtocols: protocols.map(({ name, metadata }) => ({ name, metadata })) },
    memberEpoch: generation,
    previousMemberEpoch: generation,
    assigned,
  }
}

/**
 * What a cooperative member had when it joined, and nobody was assigned, it may still have: it is not given to others before the
 * member has joined again. Kafka gives it at once.
 */
function givingUp(member: ConsumerGroupMember, image: MetadataImage, taken: Set<string>): ConsumerGroupMember {
  const { ownedPartitions } = readSubscription(member.classicMember!.supportedProtocols[0]!.metadata)!
  const pendingRevocation = new Map<string, Map<number, number>>()
  for (const [topic, partitions] of assignmentByIds(ownedPartitions, image)) {
    const own = partitions.filter((partition) => !taken.has(partitionKey(topic, partition)))
    for (const partition of own) taken.add(partitionKey(topic, partition))
    if (own.length > 0) pendingRevocation.set(topic, new Map(own.map((partition) => [partition, member.memberEpoch])))
  }
  return pendingRevocation.size === 0 ? member : { ...member, state: 'UNREVOKED_PARTITIONS', pendingRevocation }
}

/** What waits for the classic group is answered so that it is asked again. */
function joinAgain({ memberId, awaitingJoin, awaitingSync }: ClassicMember): CoordinatorReply[] {
  const replies: CoordinatorReply[] = []
  if (awaitingJoin !== undefined) {
    replies.push({ requestId: awaitingJoin.requestId, response: joinError(awaitingJoin, memberId, 'REBALANCE_IN_PROGRESS') })
  }
  if (awaitingSync !== undefined) replies.push({ requestId: awaitingSync.requestId, response: syncError('REBALANCE_IN_PROGRESS') })
  return replies
}

/** Only classic members are left of those that were there, and they have an assignor in common. */
export function mayDowngrade(change: ConsumerGroupChange, { consumerMigrationPolicy: policy, maxSize }: GroupCoordinatorConfig): boolean {
  if (policy !== 'bidirectional' && policy !== 'downgrade') return false
  if (change.memberCount === 0 || change.memberCount > maxSize) return false
  if (change.removed.every(({ classicMember }) => classicMember !== null)) return false
  for (const { classicMember } of change.members()) if (classicMember === null) return false
  return true
}

/** The classic group that is left, in the generation that the group's epoch is. */
export function downgraded(change: ConsumerGroupChange, image: MetadataImage, wallMs: number): ClassicGroup {
  const group = new ClassicGroup(change.groupId, wallMs)
  for (const { memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, assigned, classicMember } of change.members()) {
    const { sessionTimeoutMs, supportedProtocols: protocols } = classicMember!
    const member = new ClassicMember(memberId, {
      groupInstanceId: instanceId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      sessionTimeoutMs,
      protocols,
    })
    member.assignment = writeAssignment(partitionsOf(assigned), subscriptionVersion(protocols[0]!.metadata), image)
    group.add(member, CONSUMER_PROTOCOL_TYPE)
  }
  group.generation = change.epoch
  group.protocolName = group.selectProtocol()
  // None was told that it leads: whoever loads this has all join again, or nobody would see that topics change.
  group.leader = null
  group.take(group.record().value as GroupMetadataValue)
  return group
}

export function subscriptionVersion(metadata: Uint8Array): number {
  return metadata.length < 2 ? 0 : new DataView(metadata.buffer, metadata.byteOffset, 2).getInt16(0)
}
