// All kinds of records of `__consumer_offsets`, by name, with the number that their keys begin with.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import {
  LEGACY_OFFSET_COMMIT_KEY,
  LEGACY_OFFSET_COMMIT_VALUE,
  OFFSET_COMMIT_KEY,
  OFFSET_COMMIT_VALUE,
  GROUP_METADATA_KEY,
  GROUP_METADATA_VALUE,
} from './classic-group-records.ts'
import {
  CONSUMER_GROUP_METADATA_KEY,
  CONSUMER_GROUP_METADATA_VALUE,
  CONSUMER_GROUP_PARTITION_METADATA_KEY,
  CONSUMER_GROUP_PARTITION_METADATA_VALUE,
  CONSUMER_GROUP_MEMBER_METADATA_KEY,
  CONSUMER_GROUP_MEMBER_METADATA_VALUE,
  CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_KEY,
  CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE,
  CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY,
  CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE,
  CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY,
  CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE,
  CONSUMER_GROUP_REGULAR_EXPRESSION_KEY,
  CONSUMER_GROUP_REGULAR_EXPRESSION_VALUE,
} from './consumer-group-records.ts'
import type { CoordinatorRecordKinds } from '../coordinator-record.ts'
import type {
  LegacyOffsetCommitKey,
  LegacyOffsetCommitValue,
  OffsetCommitKey,
  OffsetCommitValue,
  GroupMetadataKey,
  GroupMetadataValue,
} from './classic-group-records.ts'
import type {
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
} from './consumer-group-records.ts'

export interface GroupRecordTypes {
  LegacyOffsetCommit: readonly [LegacyOffsetCommitKey, LegacyOffsetCommitValue]
  OffsetCommit: readonly [OffsetCommitKey, OffsetCommitValue]
  GroupMetadata: readonly [GroupMetadataKey, GroupMetadataValue]
  ConsumerGroupMetadata: readonly [ConsumerGroupMetadataKey, ConsumerGroupMetadataValue]
  ConsumerGroupPartitionMetadata: readonly [ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue]
  ConsumerGroupMemberMetadata: readonly [ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue]
  ConsumerGroupTargetAssignmentMetadata: readonly [ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue]
  ConsumerGroupTargetAssignmentMember: readonly [ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue]
  ConsumerGroupCurrentMemberAssignment: readonly [ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue]
  ConsumerGroupRegularExpression: readonly [ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue]
}

export const GROUP_RECORDS: CoordinatorRecordKinds<GroupRecordTypes> = {
  LegacyOffsetCommit: { type: 0, key: LEGACY_OFFSET_COMMIT_KEY, value: LEGACY_OFFSET_COMMIT_VALUE },
  OffsetCommit: { type: 1, key: OFFSET_COMMIT_KEY, value: OFFSET_COMMIT_VALUE },
  GroupMetadata: { type: 2, key: GROUP_METADATA_KEY, value: GROUP_METADATA_VALUE },
  ConsumerGroupMetadata: { type: 3, key: CONSUMER_GROUP_METADATA_KEY, value: CONSUMER_GROUP_METADATA_VALUE },
  ConsumerGroupPartitionMetadata: { type: 4, key: CONSUMER_GROUP_PARTITION_METADATA_KEY, value: CONSUMER_GROUP_PARTITION_METADATA_VALUE },
  ConsumerGroupMemberMetadata: { type: 5, key: CONSUMER_GROUP_MEMBER_METADATA_KEY, value: CONSUMER_GROUP_MEMBER_METADATA_VALUE },
  ConsumerGroupTargetAssignmentMetadata: {
    type: 6,
    key: CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_KEY,
    value: CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE,
  },
  ConsumerGroupTargetAssignmentMember: {
    type: 7,
    key: CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY,
    value: CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE,
  },
  ConsumerGroupCurrentMemberAssignment: {
    type: 8,
    key: CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY,
    value: CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE,
  },
  ConsumerGroupRegularExpression: { type: 16, key: CONSUMER_GROUP_REGULAR_EXPRESSION_KEY, value: CONSUMER_GROUP_REGULAR_EXPRESSION_VALUE },
}
