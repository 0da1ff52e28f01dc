// ElectLeaders, API 43: its request and response, versions 0 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface TopicPartitions {
  topic: string
  partitions: number[]
}

export interface ElectLeadersRequest {
  electionType: number
  topicPartitions: TopicPartitions[] | null
  timeoutMs: number
}

export interface PartitionResult {
  partitionId: number
  errorCode: number
  errorMessage: string | null
}

export interface ReplicaElectionResult {
  topic: string
  partitionResult: PartitionResult[]
}

export interface ElectLeadersResponse {
  throttleTimeMs: number
  errorCode: number
  replicaElectionResults: ReplicaElectionResult[]
}

export const ELECT_LEADERS_REQUEST = new MessageSchema<ElectLeadersRequest>(`
ElectLeadersRequest 0-2 2+
  electionType int8 1+
  topicPartitions [] ? {
    topic string
    partitions []int32
  }
  timeoutMs int32 =60000
`)

export const ELECT_LEADERS_RESPONSE = new MessageSchema<ElectLeadersResponse>(`
ElectLeadersResponse 0-2 2+
  throttleTimeMs int32
  errorCode int16 1+
  replicaElectionResults [] {
    topic string
    partitionResult [] {
      partitionId int32
      errorCode int16
      errorMessage string ?
    }
  }
`)
