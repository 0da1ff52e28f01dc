// Metadata, API 3: its request and response, versions 0 to 13.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface MetadataRequestTopic {
  topicId: Uuid
  name: string | null
}

export interface MetadataRequest {
  topics: MetadataRequestTopic[] | null
  allowAutoTopicCreation: boolean
  includeClusterAuthorizedOperations: boolean
  includeTopicAuthorizedOperations: boolean
}

export interface MetadataResponseBroker {
  nodeId: number
  host: string
  port: number
  rack: string | null
}

export interface MetadataResponsePartition {
  errorCode: number
  partitionIndex: number
  leaderId: number
  leaderEpoch: number
  replicaNodes: number[]
  isrNodes: number[]
  offlineReplicas: number[]
}

export interface MetadataResponseTopic {
  errorCode: number
  name: string | null
  topicId: Uuid
  isInternal: boolean
  partitions: MetadataResponsePartition[]
  topicAuthorizedOperations: number
}

export interface MetadataResponse {
  throttleTimeMs: number
  brokers: MetadataResponseBroker[]
  clusterId: string | null
  controllerId: number
  topics: MetadataResponseTopic[]
  clusterAuthorizedOperations: number
  errorCode: number
}

export const METADATA_REQUEST = new MessageSchema<MetadataRequest>(`
MetadataRequest 0-13 9+
  topics [] ?1+ {
    topicId uuid 10+ ~
    name string ?10+
  }
  allowAutoTopicCreation bool 4+ =true
  includeClusterAuthorizedOperations bool 8-10
  includeTopicAuthorizedOperations bool 8+
`)

export const METADATA_RESPONSE = new MessageSchema<MetadataResponse>(`
MetadataResponse 0-13 9+
  throttleTimeMs int32 3+ ~
  brokers [] {
    nodeId int32
    host string
    port int32
    rack string ? 1+ =null ~
  }
  clusterId string ? 2+ =null ~
  controllerId int32 1+ =-1 ~
  topics [] {
    errorCode int16
    name string ?12+
    topicId uuid 10+ ~
    isInternal bool 1+ ~
    partitions [] {
      errorCode int16
      partitionIndex int32
      leaderId int32
      leaderEpoch int32 7+ =-1 ~
      replicaNodes []int32
      isrNodes []int32
      offlineReplicas []int32 5+ ~
    }
    topicAuthorizedOperations int32 8+ =-2147483648
  }
  clusterAuthorizedOperations int32 8-10 =-2147483648
  errorCode int16 13+ ~
`)
