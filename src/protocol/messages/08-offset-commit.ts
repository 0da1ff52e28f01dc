// OffsetCommit, API 8: its request and response, versions 2 to 10.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface OffsetCommitRequestPartition {
  partitionIndex: number
  committedOffset: number
  committedLeaderEpoch: number
  committedMetadata: string | null
}

export interface OffsetCommitRequestTopic {
  name: string
  topicId: Uuid
  partitions: OffsetCommitRequestPartition[]
}

export interface OffsetCommitRequest {
  groupId: string
  generationIdOrMemberEpoch: number
  memberId: string
  groupInstanceId: string | null
  retentionTimeMs: number
  topics: OffsetCommitRequestTopic[]
}

export interface OffsetCommitResponsePartition {
  partitionIndex: number
  errorCode: number
}

export interface OffsetCommitResponseTopic {
  name: string
  topicId: Uuid
  partitions: OffsetCommitResponsePartition[]
}

export interface OffsetCommitResponse {
  throttleTimeMs: number
  topics: OffsetCommitResponseTopic[]
}

export const OFFSET_COMMIT_REQUEST = new MessageSchema<OffsetCommitRequest>(`
OffsetCommitRequest 2-10 8+
  groupId string
  generationIdOrMemberEpoch int32 =-1
  memberId string
  groupInstanceId string ? 7+ =null
  retentionTimeMs int64 -4 =-1 ~
  topics [] {
    name string -9 ~
    topicId uuid 10+ ~
    partitions [] {
      partitionIndex int32
      committedOffset int64
      committedLeaderEpoch int32 6+ =-1 ~
      committedMetadata string ?
    }
  }
`)

export const OFFSET_COMMIT_RESPONSE = new MessageSchema<OffsetCommitResponse>(`
OffsetCommitResponse 2-10 8+
  throttleTimeMs int32 3+ ~
  topics [] {
    name string -9 ~
    topicId uuid 10+ ~
    partitions [] {
      partitionIndex int32
      errorCode int16
    }
  }
`)
