// ShareGroupDescribe, API 77: its request and response, version 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface ShareGroupDescribeRequest {
  groupIds: string[]
  includeAuthorizedOperations: boolean
}

export interface TopicPartitions {
  topicId: Uuid
  topicName: string
  partitions: number[]
}

export interface Assignment {
  topicPartitions: TopicPartitions[]
}

export interface Member {
  memberId: string
  rackId: string | null
  memberEpoch: number
  clientId: string
  clientHost: string
  subscribedTopicNames: string[]
  assignment: Assignment
}

export interface DescribedGroup {
  errorCode: number
  errorMessage: string | null
  groupId: string
  groupState: string
  groupEpoch: number
  assignmentEpoch: number
  assignorName: string
  members: Member[]
  authorizedOperations: number
}

export interface ShareGroupDescribeResponse {
  throttleTimeMs: number
  groups: DescribedGroup[]
}

export const SHARE_GROUP_DESCRIBE_REQUEST = new MessageSchema<ShareGroupDescribeRequest>(`
ShareGroupDescribeRequest 1 0+
  groupIds []string
  includeAuthorizedOperations bool
`)

export const SHARE_GROUP_DESCRIBE_RESPONSE = new MessageSchema<ShareGroupDescribeResponse>(`
ShareGroupDescribeResponse 1 0+
  throttleTimeMs int32
  groups [] {
    errorCode int16
    errorMessage string ? =null
    groupId string
    groupState string
    groupEpoch int32
    assignmentEpoch int32
    assignorName string
    members [] {
      memberId string
      rackId string ? =null
      memberEpoch int32
      clientId string
      clientHost string
      subscribedTopicNames []string
      assignment {} {
        topicPartitions [] {
          topicId uuid
          topicName string
          partitions []int32
        }
      }
    }
    authorizedOperations int32 =-2147483648
  }
`)
