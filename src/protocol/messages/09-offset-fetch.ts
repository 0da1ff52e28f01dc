// OffsetFetch, API 9: its request and response, versions 1 to 10.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface OffsetFetchRequestTopic {
  name: string
  partitionIndexes: number[]
}

export interface OffsetFetchRequestTopics {
  name: string
  topicId: Uuid
  partitionIndexes: number[]
}

export interface OffsetFetchRequestGroup {
  groupId: string
  memberId: string | null
  memberEpoch: number
  topics: OffsetFetchRequestTopics[] | null
}

export interface OffsetFetchRequest {
  groupId: string
  topics: OffsetFetchRequestTopic[] | null
  groups: OffsetFetchRequestGroup[]
  requireStable: boolean
}

export interface OffsetFetchResponsePartition {
  partitionIndex: number
  committedOffset: number
  committedLeaderEpoch: number
  metadata: string | null
  errorCode: number
}

export interface OffsetFetchResponseTopic {
  name: string
  partitions: OffsetFetchResponsePartition[]
}

export interface OffsetFetchResponsePartitions {
  partitionIndex: number
  committedOffset: number
  committedLeaderEpoch: number
  metadata: string | null
  errorCode: number
}

export interface OffsetFetchResponseTopics {
  name: string
  topicId: Uuid
  partitions: OffsetFetchResponsePartitions[]
}

export interface OffsetFetchResponseGroup {
  groupId: string
  topics: OffsetFetchResponseTopics[]
  errorCode: number
}

export interface OffsetFetchResponse {
  throttleTimeMs: number
  topics: OffsetFetchResponseTopic[]
  errorCode: number
  groups: OffsetFetchResponseGroup[]
}

export const OFFSET_FETCH_REQUEST = new MessageSchema<OffsetFetchRequest>(`
OffsetFetchRequest 1-10 6+
  groupId string -7
  topics [] ?2+ -7 {
    name string
    partitionIndexes []int32
  }
  groups [] 8+ {
    groupId string
    memberId string ? 9+ =null ~
    memberEpoch int32 9+ =-1 ~
    topics [] ? {
      name string -9 ~
      topicId uuid 10+ ~
      partitionIndexes []int32
    }
  }
  requireStable bool 7+
`)

export const OFFSET_FETCH_RESPONSE = new MessageSchema<OffsetFetchResponse>(`
OffsetFetchResponse 1-10 6+
  throttleTimeMs int32 3+ ~
  topics [] -7 {
    name string
    partitions [] {
      partitionIndex int32
      committedOffset int64
      committedLeaderEpoch int32 5+ =-1 ~
      metadata string ?
      errorCode int16
    }
  }
  errorCode int16 2-7 ~
  groups [] 8+ {
    groupId string
    topics [] {
      name string -9 ~
      topicId uuid 10+ ~
      partitions [] {
        partitionIndex int32
        committedOffset int64
        committedLeaderEpoch int32 =-1
        metadata string ?
        errorCode int16
      }
    }
    errorCode int16
  }
`)
