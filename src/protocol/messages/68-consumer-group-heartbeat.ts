// ConsumerGroupHeartbeat, API 68: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface TopicPartitions {
  topicId: Uuid
  partitions: number[]
}

export interface ConsumerGroupHeartbeatRequest {
  groupId: string
  memberId: string
  memberEpoch: number
  instanceId: string | null
  rackId: string | null
  rebalanceTimeoutMs: number
  subscribedTopicNames: string[] | null
  subscribedTopicRegex: string | null
  serverAssignor: string | null
  topicPartitions: TopicPartitions[] | null
}

export interface Assignment {
  topicPartitions: TopicPartitions[]
}

export interface ConsumerGroupHeartbeatResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  memberId: string | null
  memberEpoch: number
  heartbeatIntervalMs: number
  assignment: Assignment | null
}

export const CONSUMER_GROUP_HEARTBEAT_REQUEST = new MessageSchema<ConsumerGroupHeartbeatRequest>(`
ConsumerGroupHeartbeatRequest 0-1 0+
  groupId string
  memberId string
  memberEpoch int32
  instanceId string ? =null
  rackId string ? =null
  rebalanceTimeoutMs int32 =-1
  subscribedTopicNames []string ? =null
  subscribedTopicRegex string ? 1+ =null
  serverAssignor string ? =null
  topicPartitions [] ? =null {
    topicId uuid
    partitions []int32
  }
`)

export const CONSUMER_GROUP_HEARTBEAT_RESPONSE = new MessageSchema<ConsumerGroupHeartbeatResponse>(`
ConsumerGroupHeartbeatResponse 0-1 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ? =null
  memberId string ? =null
  memberEpoch int32
  heartbeatIntervalMs int32
  assignment {} ? =null {
    topicPartitions [] {
      topicId uuid
      partitions []int32
    }
  }
`)
