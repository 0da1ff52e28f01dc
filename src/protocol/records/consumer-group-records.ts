// Keys and values of `__consumer_offsets`: consumer groups (KIP-848).
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface ConsumerGroupMetadataKey {
  groupId: string
}

export interface ConsumerGroupMetadataValue {
  epoch: number
  metadataHash: bigint
}

export interface ConsumerGroupPartitionMetadataKey {
  groupId: string
}

export interface PartitionMetadata {
  partition: number
  racks: string[]
}

export interface TopicMetadata {
  topicId: Uuid
  topicName: string
  numPartitions: number
  partitionMetadata: PartitionMetadata[]
}

export interface ConsumerGroupPartitionMetadataValue {
  topics: TopicMetadata[]
}

export interface ConsumerGroupMemberMetadataKey {
  groupId: string
  memberId: string
}

export interface ClassicProtocol {
  name: string
  metadata: Uint8Array
}

export interface ClassicMemberMetadata {
  sessionTimeoutMs: number
  supportedProtocols: ClassicProtocol[]
}

export interface ConsumerGroupMemberMetadataValue {
  instanceId: string | null
  rackId: string | null
  clientId: string
  clientHost: string
  subscribedTopicNames: string[]
  subscribedTopicRegex: string | null
  rebalanceTimeoutMs: number
  serverAssignor: string | null
  classicMemberMetadata: ClassicMemberMetadata | null
}

export interface ConsumerGroupTargetAssignmentMetadataKey {
  groupId: string
}

export interface ConsumerGroupTargetAssignmentMetadataValue {
  assignmentEpoch: number
  assignmentTimestamp: number
}

export interface ConsumerGroupTargetAssignmentMemberKey {
  groupId: string
  memberId: string
}

export interface TopicPartition {
  topicId: Uuid
  partitions: number[]
}

export interface ConsumerGroupTargetAssignmentMemberValue {
  topicPartitions: TopicPartition[]
}

export interface ConsumerGroupCurrentMemberAssignmentKey {
  groupId: string
  memberId: string
}

export interface TopicPartitions {
  topicId: Uuid
  partitions: number[]
  assignmentEpochs: number[] | null
}

export interface ConsumerGroupCurrentMemberAssignmentValue {
  memberEpoch: number
  previousMemberEpoch: number
  state: number
  assignedPartitions: TopicPartitions[]
  partitionsPendingRevocation: TopicPartitions[]
}

export interface ConsumerGroupRegularExpressionKey {
  groupId: string
  regularExpression: string
}

export interface ConsumerGroupRegularExpressionValue {
  topics: string[]
  version: number
  timestamp: number
}

export const CONSUMER_GROUP_METADATA_KEY = new MessageSchema<ConsumerGroupMetadataKey>(`
ConsumerGroupMetadataKey 0 none
  groupId string
`)

export const CONSUMER_GROUP_METADATA_VALUE = new MessageSchema<ConsumerGroupMetadataValue>(`
ConsumerGroupMetadataValue 0 0+
  epoch int32
  metadataHash long #0
`)

export const CONSUMER_GROUP_PARTITION_METADATA_KEY = new MessageSchema<ConsumerGroupPartitionMetadataKey>(`
ConsumerGroupPartitionMetadataKey 0 none
  groupId string
`)

export const CONSUMER_GROUP_PARTITION_METADATA_VALUE = new MessageSchema<ConsumerGroupPartitionMetadataValue>(`
ConsumerGroupPartitionMetadataValue 0 0+
  topics [] {
    topicId uuid
    topicName string
    numPartitions int32
    partitionMetadata [] {
      partition int32
      racks []string
    }
  }
`)

export const CONSUMER_GROUP_MEMBER_METADATA_KEY = new MessageSchema<ConsumerGroupMemberMetadataKey>(`
ConsumerGroupMemberMetadataKey 0 none
  groupId string
  memberId string
`)

export const CONSUMER_GROUP_MEMBER_METADATA_VALUE = new MessageSchema<ConsumerGroupMemberMetadataValue>(`
ConsumerGroupMemberMetadataValue 0 0+
  instanceId string ?
  rackId string ?
  clientId string
  clientHost string
  subscribedTopicNames []string
  subscribedTopicRegex string ?
  rebalanceTimeoutMs int32 =-1
  serverAssignor string ?
  classicMemberMetadata {} ? #0 {
    sessionTimeoutMs int32
    supportedProtocols [] {
      name string
      metadata bytes
    }
  }
`)

export const CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_KEY = new MessageSchema<ConsumerGroupTargetAssignmentMetadataKey>(`
ConsumerGroupTargetAssignmentMetadataKey 0 none
  groupId string
`)

export const CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE = new MessageSchema<ConsumerGroupTargetAssignmentMetadataValue>(`
ConsumerGroupTargetAssignmentMetadataValue 0 0+
  assignmentEpoch int32
  assignmentTimestamp int64 #0
`)

export const CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY = new MessageSchema<ConsumerGroupTargetAssignmentMemberKey>(`
ConsumerGroupTargetAssignmentMemberKey 0 none
  groupId string
  memberId string
`)

export const CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE = new MessageSchema<ConsumerGroupTargetAssignmentMemberValue>(`
ConsumerGroupTargetAssignmentMemberValue 0 0+
  topicPartitions [] {
    topicId uuid
    partitions []int32
  }
`)

export const CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY = new MessageSchema<ConsumerGroupCurrentMemberAssignmentKey>(`
ConsumerGroupCurrentMemberAssignmentKey 0 none
  groupId string
  memberId string
`)

export const CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE = new MessageSchema<ConsumerGroupCurrentMemberAssignmentValue>(`
ConsumerGroupCurrentMemberAssignmentValue 0 0+
  memberEpoch int32
  previousMemberEpoch int32
  state int8
  assignedPartitions [] {
    topicId uuid
    partitions []int32
    assignmentEpochs []int32 ? #0
  }
  partitionsPendingRevocation [] {
    topicId uuid
    partitions []int32
    assignmentEpochs []int32 ? #0
  }
`)

export const CONSUMER_GROUP_REGULAR_EXPRESSION_KEY = new MessageSchema<ConsumerGroupRegularExpressionKey>(`
ConsumerGroupRegularExpressionKey 0 none
  groupId string
  regularExpression string
`)

export const CONSUMER_GROUP_REGULAR_EXPRESSION_VALUE = new MessageSchema<ConsumerGroupRegularExpressionValue>(`
ConsumerGroupRegularExpressionValue 0 0+
  topics []string
  version int64
  timestamp int64
`)
