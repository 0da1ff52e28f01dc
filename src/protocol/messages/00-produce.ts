// Produce, API 0: its request and response, versions 3 to 13.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface PartitionProduceData {
  index: number
  records: Uint8Array | null
}

export interface TopicProduceData {
  name: string
  topicId: Uuid
  partitionData: PartitionProduceData[]
}

export interface ProduceRequest {
  transactionalId: string | null
  acks: number
  timeoutMs: number
  topicData: TopicProduceData[]
}

export interface BatchIndexAndErrorMessage {
  batchIndex: number
  batchIndexErrorMessage: string | null
}

export interface LeaderIdAndEpoch {
  leaderId: number
  leaderEpoch: number
}

export interface PartitionProduceResponse {
  index: number
  errorCode: number
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  recordErrors: BatchIndexAndErrorMessage[]
  errorMessage: string | null
  currentLeader: LeaderIdAndEpoch
}

export interface TopicProduceResponse {
  name: string
  topicId: Uuid
  partitionResponses: PartitionProduceResponse[]
}

export interface NodeEndpoint {
  nodeId: number
  host: string
  port: number
  rack: string | null
}

export interface ProduceResponse {
  responses: TopicProduceResponse[]
  throttleTimeMs: number
  nodeEndpoints: NodeEndpoint[]
}

export const PRODUCE_REQUEST = new MessageSchema<ProduceRequest>(`
ProduceRequest 3-13 9+
  transactionalId string ? =null
  acks int16
  timeoutMs int32
  topicData [] {
    name string -12 ~
    topicId uuid 13+ ~
    partitionData [] {
      index int32
      records records ?
    }
  }
`)

export const PRODUCE_RESPONSE = new MessageSchema<ProduceResponse>(`
ProduceResponse 3-13 9+
  responses [] {
    name string -12 ~
    topicId uuid 13+ ~
    partitionResponses [] {
      index int32
      errorCode int16
      baseOffset int64
      logAppendTimeMs int64 =-1
      logStartOffset int64 5+ =-1 ~
      recordErrors [] 8+ ~ {
        batchIndex int32
        batchIndexErrorMessage string ? =null
      }
      errorMessage string ? 8+ =null ~
      currentLeader {} 10+ #0 {
        leaderId int32 =-1
        leaderEpoch int32 =-1
      }
    }
  }
  throttleTimeMs int32
  nodeEndpoints [] 10+ #0 {
    nodeId int32
    host string
    port int32
    rack string ? =null
  }
`)
