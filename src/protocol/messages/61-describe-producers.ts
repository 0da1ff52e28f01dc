// DescribeProducers, API 61: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface TopicRequest {
  name: string
  partitionIndexes: number[]
}

export interface DescribeProducersRequest {
  topics: TopicRequest[]
}

export interface ProducerState {
  producerId: number
  producerEpoch: number
  lastSequence: number
  lastTimestamp: number
  coordinatorEpoch: number
  currentTxnStartOffset: number
}

export interface PartitionResponse {
  partitionIndex: number
  errorCode: number
  errorMessage: string | null
  activeProducers: ProducerState[]
}

export interface TopicResponse {
  name: string
  partitions: PartitionResponse[]
}

export interface DescribeProducersResponse {
  throttleTimeMs: number
  topics: TopicResponse[]
}

export const DESCRIBE_PRODUCERS_REQUEST = new MessageSchema<DescribeProducersRequest>(`
DescribeProducersRequest 0 0+
  topics [] {
    name string
    partitionIndexes []int32
  }
`)

export const DESCRIBE_PRODUCERS_RESPONSE = new MessageSchema<DescribeProducersResponse>(`
DescribeProducersResponse 0 0+
  throttleTimeMs int32
  topics [] {
    name string
    partitions [] {
      partitionIndex int32
      errorCode int16
      errorMessage string ? =null
      activeProducers [] {
        producerId int64
        producerEpoch int32
        lastSequence int32 =-1
        lastTimestamp int64 =-1
        coordinatorEpoch int32
        currentTxnStartOffset int64 =-1
      }
    }
  }
`)
