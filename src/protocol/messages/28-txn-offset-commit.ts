// TxnOffsetCommit, API 28: its request and response, versions 0 to 6.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface TxnOffsetCommitRequestPartition {
  partitionIndex: number
  committedOffset: number
  committedLeaderEpoch: number
  committedMetadata: string | null
}

export interface TxnOffsetCommitRequestTopic {
  name: string
  topicId: Uuid
  partitions: TxnOffsetCommitRequestPartition[]
}

export interface TxnOffsetCommitRequest {
  transactionalId: string
  groupId: string
  producerId: number
  producerEpoch: number
  generationIdOrMemberEpoch: number
  memberId: string
  groupInstanceId: string | null
  topics: TxnOffsetCommitRequestTopic[]
}

export interface TxnOffsetCommitResponsePartition {
  partitionIndex: number
  errorCode: number
}

export interface TxnOffsetCommitResponseTopic {
  name: string
  topicId: Uuid
  partitions: TxnOffsetCommitResponsePartition[]
}

export interface TxnOffsetCommitResponse {
  throttleTimeMs: number
  topics: TxnOffsetCommitResponseTopic[]
}

export const TXN_OFFSET_COMMIT_REQUEST = new MessageSchema<TxnOffsetCommitRequest>(`
TxnOffsetCommitRequest 0-6 3+
  transactionalId string
  groupId string
  producerId int64
  producerEpoch int16
  generationIdOrMemberEpoch int32 3+ =-1
  memberId string 3+
  groupInstanceId string ? 3+ =null
  topics [] {
    name string -5 ~
    topicId uuid 6+ ~
    partitions [] {
      partitionIndex int32
      committedOffset int64
      committedLeaderEpoch int32 2+ =-1 ~
      committedMetadata string ?
    }
  }
`)

export const TXN_OFFSET_COMMIT_RESPONSE = new MessageSchema<TxnOffsetCommitResponse>(`
TxnOffsetCommitResponse 0-6 3+
  throttleTimeMs int32
  topics [] {
    name string -5 ~
    topicId uuid 6+ ~
    partitions [] {
      partitionIndex int32
      errorCode int16
    }
  }
`)
