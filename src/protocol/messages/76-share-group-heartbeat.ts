// ShareGroupHeartbeat, API 76: its request and response, version 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface ShareGroupHeartbeatRequest {
  groupId: string
  memberId: string
  memberEpoch: number
  rackId: string | null
  subscribedTopicNames: string[] | null
}

export interface TopicPartitions {
  topicId: Uuid
  partitions: number[]
}

export interface Assignment {
  topicPartitions: TopicPartitions[]
}

export interface ShareGroupHeartbeatResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  memberId: string | null
  memberEpoch: number
  heartbeatIntervalMs: number
  assignment: Assignment | null
}

export const SHARE_GROUP_HEARTBEAT_REQUEST = new MessageSchema<ShareGroupHeartbeatRequest>(`
ShareGroupHeartbeatRequest 1 0+
  groupId string
  memberId string
  memberEpoch int32
  rackId string ? =null
  subscribedTopicNames []string ? =null
`)

export const SHARE_GROUP_HEARTBEAT_RESPONSE = new MessageSchema<ShareGroupHeartbeatResponse>(`
ShareGroupHeartbeatResponse 1 0+
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
