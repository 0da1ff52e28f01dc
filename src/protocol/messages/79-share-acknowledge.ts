// ShareAcknowledge, API 79: its request and response, versions 1 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface AcknowledgementBatch {
  firstOffset: number
  lastOffset: number
  acknowledgeTypes: number[]
}

export interface AcknowledgePartition {
  partitionIndex: number
  acknowledgementBatches: AcknowledgementBatch[]
}

export interface AcknowledgeTopic {
  topicId: Uuid
  partitions: AcknowledgePartition[]
}

export interface ShareAcknowledgeRequest {
  groupId: string | null
  memberId: string | null
  shareSessionEpoch: number
  isRenewAck: boolean
  topics: AcknowledgeTopic[]
}

export interface LeaderIdAndEpoch {
  leaderId: number
  leaderEpoch: number
}

export interface PartitionData {
  partitionIndex: number
  errorCode: number
  errorMessage: string | null
  currentLeader: LeaderIdAndEpoch
}

export interface ShareAcknowledgeTopicResponse {
  topicId: Uuid
  partitions: PartitionData[]
}

export interface NodeEndpoint {
  nodeId: number
  host: string
  port: number
  rack: string | null
}

export interface ShareAcknowledgeResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  acquisitionLockTimeoutMs: number
  responses: ShareAcknowledgeTopicResponse[]
  nodeEndpoints: NodeEndpoint[]
}

export const SHARE_ACKNOWLEDGE_REQUEST = new MessageSchema<ShareAcknowledgeRequest>(`
ShareAcknowledgeRequest 1-2 0+
  groupId string ? =null
  memberId string ?
  shareSessionEpoch int32
  isRenewAck bool 2+
  topics [] {
    topicId uuid
    partitions [] {
      partitionIndex int32
      acknowledgementBatches [] {
        firstOffset int64
        lastOffset int64
        acknowledgeTypes []int8
      }
    }
  }
`)

export const SHARE_ACKNOWLEDGE_RESPONSE = new MessageSchema<ShareAcknowledgeResponse>(`
ShareAcknowledgeResponse 1-2 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ? =null
  acquisitionLockTimeoutMs int32 2+ ~
  responses [] {
    topicId uuid
    partitions [] {
      partitionIndex int32
      errorCode int16
      errorMessage string ? =null
      currentLeader {} {
        leaderId int32
        leaderEpoch int32
      }
    }
  }
  nodeEndpoints [] {
    nodeId int32
    host string
    port int32
    rack string ? =null
  }
`)
