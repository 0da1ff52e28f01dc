// The records of a consumer group (KIP-848), as Kafka writes them.
// Pure.

import type { Assignment } from './assignment.ts'
import { topicPartitionsOf } from './assignment.ts'
import { currentAssignmentOf, metadataOf } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type { GroupRecord } from './group.ts'

/** All values have one version. */
const VERSION = 0
const NONE = { version: -1, value: null } as const

export function memberMetadataRecord(groupId: string, member: ConsumerGroupMember): GroupRecord {
  const key = { groupId, memberId: member.memberId }
  return { type: 'ConsumerGroupMemberMetadata', key, version: VERSION, value: metadataOf(member) }
}

export function groupMetadataRecord(groupId: string, epoch: number, metadataHash: bigint): GroupRecord {
  return { type: 'ConsumerGroupMetadata', key: { groupId }, version: VERSION, value: { epoch, metadataHash } }
}

export function targetMemberRecord(groupId: string, memberId: string, target: Assignment): GroupRecord {
  const value = { topicPartitions: topicPartitionsOf(target) }
  return { type: 'ConsumerGroupTargetAssignmentMember', key: { groupId, memberId }, version: VERSION, value }
}

export function targetMetadataRecord(groupId: string, assignmentEpoch: number, assignmentTimestamp: number): GroupRecord {
  const value = { assignmentEpoch, assignmentTimestamp }
  return { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, version: VERSION, value }
}

export function currentAssignmentRecord(groupId: string, member: ConsumerGroupMember): GroupRecord {
  const key = { groupId, memberId: member.memberId }
  return { type: 'ConsumerGroupCurrentMemberAssignment', key, version: VERSION, value: currentAssignmentOf(member) }
}

/** `imageOffset`: of the metadata in which the topics were looked up; `timestamp`: wall-clock time. */
export function regexRecord(
  groupId: string,
  regularExpression: string,
  topics: readonly string[],
  imageOffset: number,
  timestamp: number,
): GroupRecord {
  const value = { topics: [...topics], version: imageOffset, timestamp }
  return { type: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, version: VERSION, value }
}

export function regexTombstone(groupId: string, regularExpression: string): GroupRecord {
  return { type: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, ...NONE }
}

/** In the order in which Kafka takes a member away: what it has, what it is to have, who it is. */
export function memberTombstones(groupId: string, memberId: string): GroupRecord[] {
  const key = { groupId, memberId }
  return [
    { type: 'ConsumerGroupCurrentMemberAssignment', key, ...NONE },
    { type: 'ConsumerGroupTargetAssignmentMember', key, ...NONE },
    { type: 'ConsumerGroupMemberMetadata', key, ...NONE },
  ]
}

/** What a group's tombstones are about. */
export interface RecordedGroup {
  readonly groupId: string
  members(): Iterable<ConsumerGroupMember>
  regexes(): Iterable<readonly [pattern: string, topics: readonly string[]]>
}

export function groupTombstones(group: RecordedGroup): GroupRecord[] {
  const { groupId } = group
  const keys = [...group.members()].map(({ memberId }) => ({ groupId, memberId }))
  return [
    ...keys.map((key): GroupRecord => ({ type: 'ConsumerGroupCurrentMemberAssignment', key, ...NONE })),
    ...keys.map((key): GroupRecord => ({ type: 'ConsumerGroupTargetAssignmentMember', key, ...NONE })),
    { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, ...NONE },
    ...keys.map((key): GroupRecord => ({ type: 'ConsumerGroupMemberMetadata', key, ...NONE })),
    ...[...group.regexes()].map(([pattern]) => regexTombstone(groupId, pattern)),
    { type: 'ConsumerGroupMetadata', key: { groupId }, ...NONE },
  ]
}
