// What is wrong with a heartbeat of a consumer group (KIP-848), before and after its member
// is known. Pure.

import type { ErrorName, KafkaErrorName } from '../../errors.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { assignmentOf } from './assignment.ts'
import type { Assignment, HeldPartitions } from './assignment.ts'
import { JOIN_EPOCH, LEAVE_STATIC_EPOCH } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

/** Told in the response, never thrown. */
export class Refused {
  readonly code: KafkaErrorName & ErrorName
  readonly message: string

  constructor(code: KafkaErrorName, message: string) {
    this.code = code
    this.message = message
  }
}

export function checkHeartbeat(request: ConsumerGroupHeartbeatRequest, assignors: readonly string[]): Refused | undefined {
  const { groupId, memberId, instanceId, rackId, memberEpoch, serverAssignor } = request
  const invalid = (message: string): Refused => new Refused('INVALID_REQUEST', message)
  // A coordinator names members of clients that do not (version 0), when they join.
  if (memberId === '' && memberEpoch !== JOIN_EPOCH) return invalid('MemberId is empty.')
  if (groupId === '') return invalid('GroupId is empty.')
  if (instanceId === '') return invalid('InstanceId is empty.')
  if (rackId === '') return invalid('RackId is empty.')
  if (memberEpoch === JOIN_EPOCH) {
    if (request.rebalanceTimeoutMs === -1) return invalid('RebalanceTimeoutMs is missing: whoever joins says it.')
    if (request.topicPartitions === null || request.topicPartitions.length > 0) {
      return invalid('TopicPartitions is not empty: whoever joins has no partitions.')
    }
    if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
      return invalid('SubscribedTopicNames and SubscribedTopicRegex are both missing: whoever joins says one.')
    }
  } else if (memberEpoch === LEAVE_STATIC_EPOCH) {
    if (instanceId === null) return invalid('InstanceId is missing: only a static member leaves for a while.')
  } else if (memberEpoch < LEAVE_STATIC_EPOCH) {
    return invalid(`MemberEpoch ${memberEpoch} is none.`)
  }
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    return new Refused('UNSUPPORTED_ASSIGNOR', `ServerAssignor ${serverAssignor} is not one of: ${assignors.join(', ')}.`)
  }
  return undefined
}

/**
 * A member that sends the epoch before its own did not get the last response; it may, as long as it has nothing but what the
 * coordinator says is its own.
 */
export function checkMemberEpoch(member: ConsumerGroupMember, request: ConsumerGroupHeartbeatRequest): Refused | undefined {
  const { memberEpoch } = request
  if (memberEpoch === member.memberEpoch) return undefined
  const owned = request.topicPartitions === null ? undefined : assignmentOf(request.topicPartitions)
  const isLate = memberEpoch === member.previousMemberEpoch && owned !== undefined && isWithin(owned, member.assigned)
  if (isLate) return undefined
  const than = memberEpoch > member.memberEpoch ? 'above' : 'below'
  return new Refused(
    'FENCED_MEMBER_EPOCH',
    `Member ${member.memberId} sent epoch ${memberEpoch}, ${than} its own, ${member.memberEpoch}: it gives up all and joins again.`,
  )
}

function isWithin(owned: Assignment, assigned: HeldPartitions): boolean {
  for (const [topic, partitions] of owned) {
    const mine = assigned.get(topic)
    if (mine === undefined || !partitions.every((partition) => mine.has(partition))) return false
  }
  return true
}

export function unknownMember(groupId: string, memberId: string): Refused {
  return new Refused('UNKNOWN_MEMBER_ID', `Group ${groupId} has no member ${memberId}.`)
}

export function unknownInstance(groupId: string, instanceId: string): Refused {
  return new Refused('UNKNOWN_MEMBER_ID', `Group ${groupId} has no member with instance id ${instanceId}.`)
}

export function unknownGroup(groupId: string): Refused {
  return new Refused('GROUP_ID_NOT_FOUND', `There is no consumer group ${groupId}.`)
}

export function instanceFenced(memberId: string, instanceId: string, holder: string): Refused {
  return new Refused('FENCED_INSTANCE_ID', `Instance id ${instanceId} of member ${memberId} is that of member ${holder} now.`)
}

export function instanceUnreleased(memberId: string, instanceId: string, holder: string): Refused {
  return new Refused('UNRELEASED_INSTANCE_ID', `Instance id ${instanceId}, which member ${memberId} came with, is still that of ${holder}.`)
}
