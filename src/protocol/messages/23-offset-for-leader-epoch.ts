// OffsetForLeaderEpoch, API 23: its request and response, versions 2 to 4.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface OffsetForLeaderPartition {
  partition: number
  currentLeaderEpoch: number
  leaderEpoch: number
}

export interface OffsetForLeaderTopic {
  topic: string
  partitions: OffsetForLeaderPartition[]
}

export interface OffsetForLeaderEpochRequest {
  replicaId: number
  topics: OffsetForLeaderTopic[]
}

export interface EpochEndOffset {
  errorCode: number
  partition: number
  leaderEpoch: number
  endOffset: number
}

export interface OffsetForLeaderTopicResult {
  topic: string
  partitions: EpochEndOffset[]
}

export interface OffsetForLeaderEpochResponse {
  throttleTimeMs: number
  topics: OffsetForLeaderTopicResult[]
}

export const OFFSET_FOR_LEADER_EPOCH_REQUEST = new MessageSchema<OffsetForLeaderEpochRequest>(`
OffsetForLeaderEpochRequest 2-4 4+
  replicaId int32 3+ =-2 ~
  topics [] {
    topic string
    partitions [] {
      partition int32
      currentLeaderEpoch int32 =-1
      leaderEpoch int32
    }
  }
`)

export const OFFSET_FOR_LEADER_EPOCH_RESPONSE = new MessageSchema<OffsetForLeaderEpochResponse>(`
OffsetForLeaderEpochResponse 2-4 4+
  throttleTimeMs int32
  topics [] {
    topic string
    partitions [] {
      errorCode int16
      partition int32
      leaderEpoch int32 =-1
      endOffset int64 =-1
    }
  }
`)
