// DescribeShareGroupOffsets, API 90: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface DescribeShareGroupOffsetsRequestTopic {
  topicName: string
  partitions: number[]
}

export interface DescribeShareGroupOffsetsRequestGroup {
  groupId: string
  topics: DescribeShareGroupOffsetsRequestTopic[] | null
}

export interface DescribeShareGroupOffsetsRequest {
  groups: DescribeShareGroupOffsetsRequestGroup[]
}

export interface DescribeShareGroupOffsetsResponsePartition {
  partitionIndex: number
  startOffset: number
  leaderEpoch: number
  lag: number
  errorCode: number
  errorMessage: string | null
}

export interface DescribeShareGroupOffsetsResponseTopic {
  topicName: string
  topicId: Uuid
  partitions: DescribeShareGroupOffsetsResponsePartition[]
}

export interface DescribeShareGroupOffsetsResponseGroup {
  groupId: string
  topics: DescribeShareGroupOffsetsResponseTopic[]
  errorCode: number
  errorMessage: string | null
}

export interface DescribeShareGroupOffsetsResponse {
  throttleTimeMs: number
  groups: DescribeShareGroupOffsetsResponseGroup[]
}

export const DESCRIBE_SHARE_GROUP_OFFSETS_REQUEST = new MessageSchema<DescribeShareGroupOffsetsRequest>(`
DescribeShareGroupOffsetsRequest 0-1 0+
  groups [] {
    groupId string
    topics [] ? {
      topicName string
      partitions []int32
    }
  }
`)

export const DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE = new MessageSchema<DescribeShareGroupOffsetsResponse>(`
DescribeShareGroupOffsetsResponse 0-1 0+
  throttleTimeMs int32
  groups [] {
    groupId string
    topics [] {
      topicName string
      topicId uuid
      partitions [] {
        partitionIndex int32
        startOffset int64
        leaderEpoch int32
        lag int64 1+ =-1 ~
        errorCode int16
        errorMessage string ? =null
      }
    }
    errorCode int16
    errorMessage string ? =null
  }
`)
