// AlterShareGroupOffsets, API 91: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface AlterShareGroupOffsetsRequestPartition {
  partitionIndex: number
  startOffset: number
}

export interface AlterShareGroupOffsetsRequestTopic {
  topicName: string
  partitions: AlterShareGroupOffsetsRequestPartition[]
}

export interface AlterShareGroupOffsetsRequest {
  groupId: string
  topics: AlterShareGroupOffsetsRequestTopic[]
}

export interface AlterShareGroupOffsetsResponsePartition {
  partitionIndex: number
  errorCode: number
  errorMessage: string | null
}

export interface AlterShareGroupOffsetsResponseTopic {
  topicName: string
  topicId: Uuid
  partitions: AlterShareGroupOffsetsResponsePartition[]
}

export interface AlterShareGroupOffsetsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  responses: AlterShareGroupOffsetsResponseTopic[]
}

export const ALTER_SHARE_GROUP_OFFSETS_REQUEST = new MessageSchema<AlterShareGroupOffsetsRequest>(`
AlterShareGroupOffsetsRequest 0 0+
  groupId string
  topics [] {
    topicName string
    partitions [] {
      partitionIndex int32
      startOffset int64
    }
  }
`)

export const ALTER_SHARE_GROUP_OFFSETS_RESPONSE = new MessageSchema<AlterShareGroupOffsetsResponse>(`
AlterShareGroupOffsetsResponse 0 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ? =null
  responses [] {
    topicName string
    topicId uuid
    partitions [] {
      partitionIndex int32
      errorCode int16
      errorMessage string ? =null
    }
  }
`)
