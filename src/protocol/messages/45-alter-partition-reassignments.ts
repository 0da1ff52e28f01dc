// AlterPartitionReassignments, API 45: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ReassignablePartition {
  partitionIndex: number
  replicas: number[] | null
}

export interface ReassignableTopic {
  name: string
  partitions: ReassignablePartition[]
}

export interface AlterPartitionReassignmentsRequest {
  timeoutMs: number
  allowReplicationFactorChange: boolean
  topics: ReassignableTopic[]
}

export interface ReassignablePartitionResponse {
  partitionIndex: number
  errorCode: number
  errorMessage: string | null
}

export interface ReassignableTopicResponse {
  name: string
  partitions: ReassignablePartitionResponse[]
}

export interface AlterPartitionReassignmentsResponse {
  throttleTimeMs: number
  allowReplicationFactorChange: boolean
  errorCode: number
  errorMessage: string | null
  responses: ReassignableTopicResponse[]
}

export const ALTER_PARTITION_REASSIGNMENTS_REQUEST = new MessageSchema<AlterPartitionReassignmentsRequest>(`
AlterPartitionReassignmentsRequest 0-1 0+
  timeoutMs int32 =60000
  allowReplicationFactorChange bool 1+ =true
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      replicas []int32 ? =null
    }
  }
`)

export const ALTER_PARTITION_REASSIGNMENTS_RESPONSE = new MessageSchema<AlterPartitionReassignmentsResponse>(`
AlterPartitionReassignmentsResponse 0-1 0+
  throttleTimeMs int32
  allowReplicationFactorChange bool 1+ =true ~
  errorCode int16
  errorMessage string ?
  responses [] {
    name string
    partitions [] {
      partitionIndex int32
      errorCode int16
      errorMessage string ?
    }
  }
`)
