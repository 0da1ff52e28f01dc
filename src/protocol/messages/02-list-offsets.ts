// ListOffsets, API 2: its request and response, versions 1 to 11.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ListOffsetsPartition {
  partitionIndex: number
  currentLeaderEpoch: number
  timestamp: number
}

export interface ListOffsetsTopic {
  name: string
  partitions: ListOffsetsPartition[]
}

export interface ListOffsetsRequest {
  replicaId: number
  isolationLevel: number
  topics: ListOffsetsTopic[]
  timeoutMs: number
}

export interface ListOffsetsPartitionResponse {
  partitionIndex: number
  errorCode: number
  timestamp: number
  offset: number
  leaderEpoch: number
}

export interface ListOffsetsTopicResponse {
  name: string
  partitions: ListOffsetsPartitionResponse[]
}

export interface ListOffsetsResponse {
  throttleTimeMs: number
  topics: ListOffsetsTopicResponse[]
}

export const LIST_OFFSETS_REQUEST = new MessageSchema<ListOffsetsRequest>(`
ListOffsetsRequest 1-11 6+
  replicaId int32
  isolationLevel int8 2+
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      currentLeaderEpoch int32 4+ =-1 ~
      timestamp int64
    }
  }
  timeoutMs int32 10+ ~
`)

export const LIST_OFFSETS_RESPONSE = new MessageSchema<ListOffsetsResponse>(`
ListOffsetsResponse 1-11 6+
  throttleTimeMs int32 2+ ~
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      errorCode int16
      timestamp int64 =-1
      offset int64 =-1
      leaderEpoch int32 4+ =-1
    }
  }
`)
