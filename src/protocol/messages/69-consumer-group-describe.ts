// ConsumerGroupDescribe, API 69: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface ConsumerGroupDescribeRequest {
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
  instanceId: string | null
  rackId: string | null
  memberEpoch: number
  clientId: string
  clientHost: string
  subscribedTopicNames: string[]
  subscribedTopicRegex: string | null
  assignment: Assignment
  targetAssignment: Assignment
  memberType: number
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

export interface ConsumerGroupDescribeResponse {
  throttleTimeMs: number
  groups: DescribedGroup[]
}

export const CONSUMER_GROUP_DESCRIBE_REQUEST = new MessageSchema<ConsumerGroupDescribeRequest>(`
ConsumerGroupDescribeRequest 0-1 0+
  groupIds []string
  includeAuthorizedOperations bool
`)

export const CONSUMER_GROUP_DESCRIBE_RESPONSE = new MessageSchema<ConsumerGroupDescribeResponse>(`
ConsumerGroupDescribeResponse 0-1 0+
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
      instanceId string ? =null
      rackId string ? =null
      memberEpoch int32
      clientId string
      clientHost string
      subscribedTopicNames []string
      subscribedTopicRegex string ? =null
      assignment {} {
        topicPartitions [] {
          topicId uuid
          topicName string
          partitions []int32
        }
      }
      targetAssignment {} {
        topicPartitions [] {
          topicId uuid
          topicName string
          partitions []int32
        }
      }
      memberType int8 1+ =-1 ~
    }
    authorizedOperations int32 =-2147483648
  }
`)
