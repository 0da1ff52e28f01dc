// What ConsumerGroupDescribe (KIP-848) tells of a group, as it was committed.
// Pure.

import { KAFKA_ERRORS } from '../../errors.ts'
import { parseTopicId } from '../../ids.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import type { ConsumerGroupDescribeResponse } from '../../protocol/messages/69-consumer-group-describe.ts'
import type { TimelineMap } from '../timeline.ts'
import { partitionsOf } from './assignment.ts'
import type { Assignment } from './assignment.ts'
import { unknownGroup } from './consumer-group-checks.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { Group } from './group.ts'
import { preferredAssignor } from './target-assignment.ts'

export type DescribedConsumerGroup = ConsumerGroupDescribeResponse['groups'][number]
type DescribedMember = DescribedConsumerGroup['members'][number]
type DescribedAssignment = DescribedMember['assignment']

/** Who asks may do what: nobody says. */
const UNKNOWN_OPERATIONS = -2147483648
const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

export function describeConsumerGroup(
  groupId: string,
  groups: TimelineMap<string, Group>,
  { image, assignors, epoch }: { image: MetadataImage; assignors: readonly string[]; epoch: number },
): DescribedConsumerGroup {
  const group = groups.get(groupId, epoch)
  if (!(group instanceof ConsumerGroup)) {
    const { code, message } = unknownGroup(groupId)
    return { ...NO_GROUP, errorCode: KAFKA_ERRORS[code], errorMessage: message, groupId }
  }
  const members = [...group.members(epoch)]
  return {
    ...NO_GROUP,
    groupId,
    groupState: group.state(epoch),
    groupEpoch: group.epoch(epoch),
    assignmentEpoch: group.targetEpoch(epoch),
    assignorName: preferredAssignor(members, assignors),
    members: members.map((member) => describedMember(member, group.target(member.memberId, epoch), image)),
  }
}

const NO_GROUP: Omit<DescribedConsumerGroup, 'groupId'> = {
  errorCode: KAFKA_ERRORS.NONE,
  errorMessage: null,
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  assignorName: '',
  members: [],
  authorizedOperations: UNKNOWN_OPERATIONS,
}

function describedMember(member: ConsumerGroupMember, target: Assignment, image: MetadataImage): DescribedMember {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames: [...subscribedTopicNames],
    subscribedTopicRegex,
    assignment: describedAssignment(partitionsOf(member.assigned), image),
    targetAssignment: describedAssignment(target, image),
    memberType: member.classicMember === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  }
}

/** Without topics that are no more. */
function describedAssignment(assignment: Assignment, image: MetadataImage): DescribedAssignment {
  const topicPartitions = [...assignment].flatMap(([key, partitions]) => {
    const topic = image.content.topicsById.get(key)
    return topic === undefined ? [] : [{ topicId: parseTopicId(key), topicName: topic.name, partitions: [...partitions] }]
  })
  return { topicPartitions }
}
