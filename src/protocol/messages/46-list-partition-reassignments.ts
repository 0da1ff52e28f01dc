// ListPartitionReassignments, API 46: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ListPartitionReassignmentsTopics {
  name: string
  partitionIndexes: number[]
}

export interface ListPartitionReassignmentsRequest {
  timeoutMs: number
  topics: ListPartitionReassignmentsTopics[] | null
}

export interface OngoingPartitionReassignment {
  partitionIndex: number
  replicas: number[]
  addingReplicas: number[]
  removingReplicas: number[]
}

export interface OngoingTopicReassignment {
  name: string
  partitions: OngoingPartitionReassignment[]
}

export interface ListPartitionReassignmentsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  topics: OngoingTopicReassignment[]
}

export const LIST_PARTITION_REASSIGNMENTS_REQUEST = new MessageSchema<ListPartitionReassignmentsRequest>(`
ListPartitionReassignmentsRequest 0 0+
  timeoutMs int32 =60000
  topics [] ? =null {
    name string
    partitionIndexes []int32
  }
`)

export const LIST_PARTITION_REASSIGNMENTS_RESPONSE = new MessageSchema<ListPartitionReassignmentsResponse>(`
ListPartitionReassignmentsResponse 0 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ?
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      replicas []int32
      addingReplicas []int32
      removingReplicas []int32
    }
  }
`)
