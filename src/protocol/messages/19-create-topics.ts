// CreateTopics, API 19: its request and response, versions 2 to 7.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface CreatableReplicaAssignment {
  partitionIndex: number
  brokerIds: number[]
}

export interface CreatableTopicConfig {
  name: string
  value: string | null
}

export interface CreatableTopic {
  name: string
  numPartitions: number
  replicationFactor: number
  assignments: CreatableReplicaAssignment[]
  configs: CreatableTopicConfig[]
}

export interface CreateTopicsRequest {
  topics: CreatableTopic[]
  timeoutMs: number
  validateOnly: boolean
}

export interface CreatableTopicConfigs {
  name: string
  value: string | null
  readOnly: boolean
  configSource: number
  isSensitive: boolean
}

export interface CreatableTopicResult {
  name: string
  topicId: Uuid
  errorCode: number
  errorMessage: string | null
  topicConfigErrorCode: number
  numPartitions: number
  replicationFactor: number
  configs: CreatableTopicConfigs[] | null
}

export interface CreateTopicsResponse {
  throttleTimeMs: number
  topics: CreatableTopicResult[]
}

export const CREATE_TOPICS_REQUEST = new MessageSchema<CreateTopicsRequest>(`
CreateTopicsRequest 2-7 5+
  topics [] {
    name string
    numPartitions int32
    replicationFactor int16
    assignments [] {
      partitionIndex int32
      brokerIds []int32
    }
    configs [] {
      name string
      value string ?
    }
  }
  timeoutMs int32 =60000
  validateOnly bool
`)

export const CREATE_TOPICS_RESPONSE = new MessageSchema<CreateTopicsResponse>(`
CreateTopicsResponse 2-7 5+
  throttleTimeMs int32
  topics [] {
    name string
    topicId uuid 7+ ~
    errorCode int16
    errorMessage string ?
    topicConfigErrorCode int16 5+ #0 ~
    numPartitions int32 5+ =-1 ~
    replicationFactor int16 5+ =-1 ~
    configs [] ? 5+ ~ {
      name string
      value string ?
      readOnly bool
      configSource int8 =-1
      isSensitive bool
    }
  }
`)
