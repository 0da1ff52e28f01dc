// OffsetDelete, API 47: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface OffsetDeleteRequestPartition {
  partitionIndex: number
}

export interface OffsetDeleteRequestTopic {
  name: string
  partitions: OffsetDeleteRequestPartition[]
}

export interface OffsetDeleteRequest {
  groupId: string
  topics: OffsetDeleteRequestTopic[]
}

export interface OffsetDeleteResponsePartition {
  partitionIndex: number
  errorCode: number
}

export interface OffsetDeleteResponseTopic {
  name: string
  partitions: OffsetDeleteResponsePartition[]
}

export interface OffsetDeleteResponse {
  errorCode: number
  throttleTimeMs: number
  topics: OffsetDeleteResponseTopic[]
}

export const OFFSET_DELETE_REQUEST = new MessageSchema<OffsetDeleteRequest>(`
OffsetDeleteRequest 0 none
  groupId string
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
    }
  }
`)

export const OFFSET_DELETE_RESPONSE = new MessageSchema<OffsetDeleteResponse>(`
OffsetDeleteResponse 0 none
  errorCode int16
  throttleTimeMs int32
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      errorCode int16
    }
  }
`)
