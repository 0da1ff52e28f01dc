// A group and its members as they are at this moment (Kafka: ConsumerGroupDescribe, of groups
// of the new protocol, and DescribeGroups, of classic ones). Runs on the user's thread.

import { coordinatorPartition } from '../../coordinator/group/coordinator-partition.ts'
import type { GroupState } from '../../coordinator/group/group.ts'
import { KAFKA_ERRORS, MillraceError } from '../../errors.ts'
import type { DescribedGroupMember as ClassicMember, DescribedGroup as ClassicGroup } from '../../protocol/messages/15-describe-groups.ts'
import type { Assignment, DescribedGroup as ConsumerGroup, Member } from '../../protocol/messages/69-consumer-group-describe.ts'
import { CONSUMER_PROTOCOL_ASSIGNMENT, CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../protocol/records/consumer-protocol.ts'
import { decodeVersionedLeniently } from '../../protocol/versioned-message.ts'
import type { MessageSchema } from '../../protocol/message-schema.ts'
import { checkAnswer, groupError } from './group-engine.ts'
import type { GroupEngine } from './group-engine.ts'
import type { GroupType } from './groups.ts'

/** Partitions by topic, each in ascending order. */
export type PartitionsByTopic = Readonly<Record<string, readonly number[]>>

/** A member of a group at this moment (Kafka: MemberDescription). */
export interface DescribedGroupMember {
  readonly memberId: string
  /** `groupInstanceId` of a static member; null of others. */
  readonly instanceId: string | null
  readonly clientId: string
  /** The thread it runs on, or the address behind its socket. */
  readonly host: string
  /** Under which it may commit; null of a classic member. */
  readonly memberEpoch: number | null
  readonly subscribedTopics: readonly string[]
  /** Null: it is subscribed to none. */
  readonly subscribedPattern: string | null
  /** What it may read now. */
  readonly assignment: PartitionsByTopic
  /** What it will have when others have let go of it; null of a classic member. */
  readonly targetAssignment: PartitionsByTopic | null
}

/** A group at this moment (Kafka: ConsumerGroupDescription). */
export interface DescribedGroup {
  readonly groupId: string
  readonly type: GroupType
  readonly protocolType: string
  readonly state: GroupState
  /** Who shares out the partitions: `uniform`, `range` and so on; '' while nobody does. */
  readonly assignor: string
  /** Goes up with each change of members, subscriptions or topics; null of a classic group. */
  readonly groupEpoch: number | null
  /** The group epoch that the target assignment was made for; null of a classic group. */
  readonly targetAssignmentEpoch: number | null
  /** Broker id of its coordinator; -1 while there is none. */
  readonly coordinator: number
  readonly members: readonly DescribedGroupMember[]
}

/** Rejects with GROUP_ID_NOT_FOUND. */
export async function describeGroup(engine: GroupEngine, groupId: string, signal: AbortSignal | undefined): Promise<DescribedGroup> {
  const { groups } = engine
  if (groups.partitions.length === 0) throw groupError('GROUP_ID_NOT_FOUND', groupId)
  const request = { groupIds: [groupId], includeAuthorizedOperations: false }
  const answer = await groups.ask('consumerGroupDescribe', groupId, request, { signal })
  const consumerGroup = answer.groups[0]!
  const coordinator = coordinatorOf(engine, groupId)
  if (consumerGroup.errorCode !== KAFKA_ERRORS.GROUP_ID_NOT_FOUND) {
    checkAnswer(consumerGroup.errorCode, groupId)
    return describedConsumerGroup(consumerGroup, coordinator)
  }
  // It is a classic one, or none.
  const classic = await groups.ask('describeGroups', groupId, { groups: [groupId], includeAuthorizedOperations: false }, { signal })
  const classicGroup = classic.groups[0]!
  checkAnswer(classicGroup.errorCode, groupId)
  return describedClassicGroup(classicGroup, coordinator)
}

function coordinatorOf({ groups }: GroupEngine, groupId: string): number {
  return groups.partitions[coordinatorPartition(groupId, groups.partitions.length)]!.leader
}

function describedConsumerGroup(group: ConsumerGroup, coordinator: number): DescribedGroup {
  return {
    groupId: group.groupId,
    type: 'consumer',
    protocolType: 'consumer',
    state: group.groupState as GroupState,
    assignor: group.assignorName,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    coordinator,
    members: group.members.map(describedConsumerMember),
  }
}

function describedConsumerMember(member: Member): DescribedGroupMember {
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    host: member.clientHost,
    memberEpoch: member.memberEpoch,
    subscribedTopics: member.subscribedTopicNames,
    subscribedPattern: member.subscribedTopicRegex === '' ? null : member.subscribedTopicRegex,
    assignment: assigned(member.assignment),
    targetAssignment: assigned(member.targetAssignment),
  }
}

function assigned({ topicPartitions }: Assignment): PartitionsByTopic {
  return byTopic(topicPartitions.map(({ topicName, partitions }) => [topicName, partitions]))
}

function describedClassicGroup(group: ClassicGroup, coordinator: number): DescribedGroup {
  const { groupId, protocolType, groupState, protocolData } = group
  const members = group.members.map((member) => describedClassicMember(member, protocolType === 'consumer'))
  const epochs = { groupEpoch: null, targetAssignmentEpoch: null }
  return {
    groupId,
    type: 'classic',
    protocolType,
    state: groupState as GroupState,
    assignor: protocolData,
    ...epochs,
    coordinator,
    members,
  }
}

/** What members of other protocols tell each other is theirs alone. */
function describedClassicMember(member: ClassicMember, isConsumer: boolean): DescribedGroupMember {
  const { memberId, groupInstanceId: instanceId, clientId, clientHost: host } = member
  const subscription = isConsumer ? read(CONSUMER_PROTOCOL_SUBSCRIPTION, member.memberMetadata) : undefined
  const assignment = isConsumer ? read(CONSUMER_PROTOCOL_ASSIGNMENT, member.memberAssignment) : undefined
  return {
    memberId,
    instanceId,
    clientId,
    host,
    memberEpoch: null,
    subscribedTopics: subscription?.topics ?? [],
    subscribedPattern: null,
    assignment: byTopic((assignment?.assignedPartitions ?? []).map(({ topic, partitions }) => [topic, partitions])),
    targetAssignment: null,
  }
}

/** Undefined: there is nothing yet, or nothing that can be read. */
function read<Message>(schema: MessageSchema<Message>, bytes: Uint8Array): Message | undefined {
  if (bytes.length === 0) return undefined
  try {
    return decodeVersionedLeniently(schema, bytes).message
  } catch (error) {
    if (error instanceof MillraceError) return undefined
    throw error
  }
}

function byTopic(entries: readonly (readonly [topic: string, partitions: readonly number[]])[]): PartitionsByTopic {
  return Object.fromEntries(entries.map(([topic, partitions]) => [topic, [...partitions].sort((a, b) => a - b)]))
}
