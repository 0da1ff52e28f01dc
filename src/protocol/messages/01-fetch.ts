// Fetch, API 1: its request and response, versions 4 to 18.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface ReplicaState {
  replicaId: number
  replicaEpoch: number
}

export interface FetchPartition {
  partition: number
  currentLeaderEpoch: number
  fetchOffset: number
  lastFetchedEpoch: number
  logStartOffset: number
  partitionMaxBytes: number
  replicaDirectoryId: Uuid
  highWatermark: number
}

export interface FetchTopic {
  topic: string
  topicId: Uuid
  partitions: FetchPartition[]
}

export interface ForgottenTopic {
  topic: string
  topicId: Uuid
  partitions: number[]
}

export interface FetchRequest {
  clusterId: string | null
  replicaId: number
  replicaState: ReplicaState
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  isolationLevel: number
  sessionId: number
  sessionEpoch: number
  topics: FetchTopic[]
  forgottenTopicsData: ForgottenTopic[]
  rackId: string
}

export interface EpochEndOffset {
  epoch: number
  endOffset: number
}

export interface LeaderIdAndEpoch {
  leaderId: number
  leaderEpoch: number
}

export interface SnapshotId {
  endOffset: number
  epoch: number
}

export interface AbortedTransaction {
  producerId: number
  firstOffset: number
}

export interface PartitionData {
  partitionIndex: number
  errorCode: number
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  divergingEpoch: EpochEndOffset
  currentLeader: LeaderIdAndEpoch
  snapshotId: SnapshotId
  abortedTransactions: AbortedTransaction[] | null
  preferredReadReplica: number
  records: Uint8Array | null
}

export interface FetchableTopicResponse {
  topic: string
  topicId: Uuid
  partitions: PartitionData[]
}

export interface NodeEndpoint {
  nodeId: number
  host: string
  port: number
  rack: string | null
}

export interface FetchResponse {
  throttleTimeMs: number
  errorCode: number
  sessionId: number
  responses: FetchableTopicResponse[]
  nodeEndpoints: NodeEndpoint[]
}

export const FETCH_REQUEST = new MessageSchema<FetchRequest>(`
FetchRequest 4-18 12+
  clusterId string ? 12+ #0 =null ~
  replicaId int32 -14 =-1
  replicaState {} 15+ #1 {
    replicaId int32 =-1
    replicaEpoch int64 =-1
  }
  maxWaitMs int32
  minBytes int32
  maxBytes int32 =2147483647
  isolationLevel int8
  sessionId int32 7+ ~
  sessionEpoch int32 7+ =-1 ~
  topics [] {
    topic string -12 ~
    topicId uuid 13+ ~
    partitions [] {
      partition int32
      currentLeaderEpoch int32 9+ =-1 ~
      fetchOffset int64
      lastFetchedEpoch int32 12+ =-1
      logStartOffset int64 5+ =-1 ~
      partitionMaxBytes int32
      replicaDirectoryId uuid 17+ #0 ~
      highWatermark int64 18+ #1 =Infinity ~
    }
  }
  forgottenTopicsData [] 7+ {
    topic string -12 ~
    topicId uuid 13+ ~
    partitions []int32
  }
  rackId string 11+ ~
`)

export const FETCH_RESPONSE = new MessageSchema<FetchResponse>(`
FetchResponse 4-18 12+
  throttleTimeMs int32
  errorCode int16 7+ ~
  sessionId int32 7+
  responses [] {
    topic string -12 ~
    topicId uuid 13+ ~
    partitions [] {
      partitionIndex int32
      errorCode int16
      highWatermark int64
      lastStableOffset int64 =-1
      logStartOffset int64 5+ =-1 ~
      divergingEpoch {} 12+ #0 {
        epoch int32 =-1
        endOffset int64 =-1
      }
      currentLeader {} 12+ #1 {
        leaderId int32 =-1
        leaderEpoch int32 =-1
      }
      snapshotId {} 12+ #2 {
        endOffset int64 =-1
        epoch int32 =-1
      }
      abortedTransactions [] ? {
        producerId int64
        firstOffset int64
      }
      preferredReadReplica int32 11+ =-1
      records records ?
    }
  }
  nodeEndpoints [] 16+ #0 {
    nodeId int32
    host string
    port int32
    rack string ? =null
  }
`)
