// CreatePartitions, API 37: its request and response, versions 0 to 3.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface CreatePartitionsAssignment {
  brokerIds: number[]
}

export interface CreatePartitionsTopic {
  name: string
  count: number
  assignments: CreatePartitionsAssignment[] | null
}

export interface CreatePartitionsRequest {
  topics: CreatePartitionsTopic[]
  timeoutMs: number
  validateOnly: boolean
}

export interface CreatePartitionsTopicResult {
  name: string
  errorCode: number
  errorMessage: string | null
}

export interface CreatePartitionsResponse {
  throttleTimeMs: number
  results: CreatePartitionsTopicResult[]
}

export const CREATE_PARTITIONS_REQUEST = new MessageSchema<CreatePartitionsRequest>(`
CreatePartitionsRequest 0-3 2+
  topics [] {
    name string
    count int32
    assignments [] ? {
      brokerIds []int32
    }
  }
  timeoutMs int32
  validateOnly bool
`)

export const CREATE_PARTITIONS_RESPONSE = new MessageSchema<CreatePartitionsResponse>(`
CreatePartitionsResponse 0-3 2+
  throttleTimeMs int32
  results [] {
    name string
    errorCode int16
    errorMessage string ? =null
  }
`)
