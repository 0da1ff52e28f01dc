// DescribeTopicPartitions, API 75: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface TopicRequest {
  name: string
}

export interface Cursor {
  topicName: string
  partitionIndex: number
}

export interface DescribeTopicPartitionsRequest {
  topics: TopicRequest[]
  responsePartitionLimit: number
  cursor: Cursor | null
}

export interface DescribeTopicPartitionsResponsePartition {
  errorCode: number
  partitionIndex: number
  leaderId: number
  leaderEpoch: number
  replicaNodes: number[]
  isrNodes: number[]
  eligibleLeaderReplicas: number[] | null
  lastKnownElr: number[] | null
  offlineReplicas: number[]
}

export interface DescribeTopicPartitionsResponseTopic {
  errorCode: number
  name: string | null
  topicId: Uuid
  isInternal: boolean
  partitions: DescribeTopicPartitionsResponsePartition[]
  topicAuthorizedOperations: number
}

export interface DescribeTopicPartitionsResponse {
  throttleTimeMs: number
  topics: DescribeTopicPartitionsResponseTopic[]
  nextCursor: Cursor | null
}

export const DESCRIBE_TOPIC_PARTITIONS_REQUEST = new MessageSchema<DescribeTopicPartitionsRequest>(`
DescribeTopicPartitionsRequest 0 0+
  topics [] {
    name string
  }
  responsePartitionLimit int32 =2000
  cursor {} ? =null {
    topicName string
    partitionIndex int32
  }
`)

export const DESCRIBE_TOPIC_PARTITIONS_RESPONSE = new MessageSchema<DescribeTopicPartitionsResponse>(`
DescribeTopicPartitionsResponse 0 0+
  throttleTimeMs int32
  topics [] {
    errorCode int16
    name string ?
    topicId uuid
    isInternal bool
    partitions [] {
      errorCode int16
      partitionIndex int32
      leaderId int32
      leaderEpoch int32 =-1
      replicaNodes []int32
      isrNodes []int32
      eligibleLeaderReplicas []int32 ? =null
      lastKnownElr []int32 ? =null
      offlineReplicas []int32
    }
    topicAuthorizedOperations int32 =-2147483648
  }
  nextCursor {} ? =null {
    topicName string
    partitionIndex int32
  }
`)
