// What a member says of itself in heartbeats (Kafka: ConsumerGroupHeartbeat, KIP-848). Pure.

import { formatTopicId } from '../../ids.ts'
import type { TopicId } from '../../ids.ts'
import type { Random } from '../../random.ts'
import type { ConsumerGroupHeartbeatRequest, TopicPartitions } from '../../protocol/messages/68-consumer-group-heartbeat.ts'

/** Who a member is, and what does not change of it. */
export interface MemberIdentity {
  readonly groupId: string
  readonly memberId: string
  /** null: not a static member. */
  readonly groupInstanceId: string | null
  /** How long this member may take to let partitions go. */
  readonly rebalanceTimeoutMs: number
  /** null: the group's own. */
  readonly groupRemoteAssignor: string | null
}

/** A partition as the coordinator names it. */
export interface GroupPartition {
  readonly topicId: TopicId
  readonly partition: number
}

export const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1
const LEAVE_STATIC_EPOCH = -2

/** A static member leaves for a while. */
export function leaveEpochOf({ groupInstanceId }: MemberIdentity): number {
  return groupInstanceId === null ? LEAVE_EPOCH : LEAVE_STATIC_EPOCH
}

/** It is alive, or leaves, and has nothing to say. */
export function plainRequest({ groupId, memberId, groupInstanceId }: MemberIdentity, memberEpoch: number): ConsumerGroupHeartbeatRequest {
  return {
    groupId,
    memberId,
    memberEpoch,
    instanceId: groupInstanceId,
    rackId: null,
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: null,
  }
}

/** Everything: it is answered with all that is assigned to it. */
export function fullRequest(
  identity: MemberIdentity,
  memberEpoch: number,
  topics: Iterable<string>,
  owned: Iterable<GroupPartition>,
): ConsumerGroupHeartbeatRequest {
  return {
    ...plainRequest(identity, memberEpoch),
    rebalanceTimeoutMs: identity.rebalanceTimeoutMs,
    subscribedTopicNames: [...new Set(topics)].sort(),
    serverAssignor: identity.groupRemoteAssignor,
    topicPartitions: topicPartitionsOf(owned),
  }
}

export function groupPartitionKey({ topicId, partition }: GroupPartition): string {
  return `${formatTopicId(topicId)}-${partition}`
}

function topicPartitionsOf(owned: Iterable<GroupPartition>): TopicPartitions[] {
  const topics = new Map<string, TopicPartitions>()
  for (const { topicId, partition } of owned) {
    const key = formatTopicId(topicId)
    const topic = topics.get(key)
    if (topic === undefined) topics.set(key, { topicId, partitions: [partition] })
    else topic.partitions.push(partition)
  }
  return [...topics.values()]
}

/** As Kafka's: 16 bytes of chance as 22 characters of base64url. */
export function memberIdOf(random: Random): string {
  const words: TopicId = [random.uint32(), random.uint32(), random.uint32(), random.uint32()]
  return formatTopicId(words)
}
