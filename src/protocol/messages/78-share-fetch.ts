// ShareFetch, API 78: its request and response, versions 1 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface AcknowledgementBatch {
  firstOffset: number
  lastOffset: number
  acknowledgeTypes: number[]
}

export interface FetchPartition {
  partitionIndex: number
  acknowledgementBatches: AcknowledgementBatch[]
}

export interface FetchTopic {
  topicId: Uuid
  partitions: FetchPartition[]
}

export interface ForgottenTopic {
  topicId: Uuid
  partitions: number[]
}

export interface ShareFetchRequest {
  groupId: string | null
  memberId: string | null
  shareSessionEpoch: number
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  maxRecords: number
  batchSize: number
  shareAcquireMode: number
  isRenewAck: boolean
  topics: FetchTopic[]
  forgottenTopicsData: ForgottenTopic[]
}

export interface LeaderIdAndEpoch {
  leaderId: number
  leaderEpoch: number
}

export interface AcquiredRecords {
  firstOffset: number
  lastOffset: number
  deliveryCount: number
}

export interface PartitionData {
  partitionIndex: number
  errorCode: number
  errorMessage: string | null
  acknowledgeErrorCode: number
  acknowledgeErrorMessage: string | null
  currentLeader: LeaderIdAndEpoch
  records: Uint8Array
  acquiredRecords: AcquiredRecords[]
}

export interface ShareFetchableTopicResponse {
  topicId: Uuid
  partitions: PartitionData[]
}

export interface NodeEndpoint {
  nodeId: number
  host: string
  port: number
  rack: string | null
}

export interface ShareFetchResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  acquisitionLockTimeoutMs: number
  responses: ShareFetchableTopicResponse[]
  nodeEndpoints: NodeEndpoint[]
}

export const SHARE_FETCH_REQUEST = new MessageSchema<ShareFetchRequest>(`
ShareFetchRequest 1-2 0+
  groupId string ? =null
  memberId string ?
  shareSessionEpoch int32
  maxWaitMs int32
  minBytes int32
  maxBytes int32 =2147483647
  maxRecords int32
  batchSize int32
  shareAcquireMode int8 2+ ~
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
  forgottenTopicsData [] {
    topicId uuid
    partitions []int32
  }
`)

export const SHARE_FETCH_RESPONSE = new MessageSchema<ShareFetchResponse>(`
ShareFetchResponse 1-2 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ? =null
  acquisitionLockTimeoutMs int32
  responses [] {
    topicId uuid
    partitions [] {
      partitionIndex int32
      errorCode int16
      errorMessage string ? =null
      acknowledgeErrorCode int16
      acknowledgeErrorMessage string ? =null
      currentLeader {} {
        leaderId int32
        leaderEpoch int32
      }
      records records
      acquiredRecords [] {
        firstOffset int64
        lastOffset int64
        deliveryCount int16
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
