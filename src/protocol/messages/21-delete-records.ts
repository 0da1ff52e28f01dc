// DeleteRecords, API 21: its request and response, versions 0 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DeleteRecordsPartition {
  partitionIndex: number
  offset: number
}

export interface DeleteRecordsTopic {
  name: string
  partitions: DeleteRecordsPartition[]
}

export interface DeleteRecordsRequest {
  topics: DeleteRecordsTopic[]
  timeoutMs: number
}

export interface DeleteRecordsPartitionResult {
  partitionIndex: number
  lowWatermark: number
  errorCode: number
}

export interface DeleteRecordsTopicResult {
  name: string
  partitions: DeleteRecordsPartitionResult[]
}

export interface DeleteRecordsResponse {
  throttleTimeMs: number
  topics: DeleteRecordsTopicResult[]
}

export const DELETE_RECORDS_REQUEST = new MessageSchema<DeleteRecordsRequest>(`
DeleteRecordsRequest 0-2 2+
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      offset int64
    }
  }
  timeoutMs int32
`)

export const DELETE_RECORDS_RESPONSE = new MessageSchema<DeleteRecordsResponse>(`
DeleteRecordsResponse 0-2 2+
  throttleTimeMs int32
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      lowWatermark int64
      errorCode int16
    }
  }
`)
