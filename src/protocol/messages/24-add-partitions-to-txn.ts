// AddPartitionsToTxn, API 24: its request and response, versions 0 to 5.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface AddPartitionsToTxnTopic {
  name: string
  partitions: number[]
}

export interface AddPartitionsToTxnTransaction {
  transactionalId: string
  producerId: number
  producerEpoch: number
  verifyOnly: boolean
  topics: AddPartitionsToTxnTopic[]
}

export interface AddPartitionsToTxnRequest {
  transactions: AddPartitionsToTxnTransaction[]
  v3AndBelowTransactionalId: string
  v3AndBelowProducerId: number
  v3AndBelowProducerEpoch: number
  v3AndBelowTopics: AddPartitionsToTxnTopic[]
}

export interface AddPartitionsToTxnPartitionResult {
  partitionIndex: number
  partitionErrorCode: number
}

export interface AddPartitionsToTxnTopicResult {
  name: string
  resultsByPartition: AddPartitionsToTxnPartitionResult[]
}

export interface AddPartitionsToTxnResult {
  transactionalId: string
  topicResults: AddPartitionsToTxnTopicResult[]
}

export interface AddPartitionsToTxnResponse {
  throttleTimeMs: number
  errorCode: number
  resultsByTransaction: AddPartitionsToTxnResult[]
  resultsByTopicV3AndBelow: AddPartitionsToTxnTopicResult[]
}

export const ADD_PARTITIONS_TO_TXN_REQUEST = new MessageSchema<AddPartitionsToTxnRequest>(`
AddPartitionsToTxnRequest 0-5 3+
  transactions [] 4+ {
    transactionalId string
    producerId int64
    producerEpoch int16
    verifyOnly bool
    topics [] {
      name string
      partitions []int32
    }
  }
  v3AndBelowTransactionalId string -3
  v3AndBelowProducerId int64 -3
  v3AndBelowProducerEpoch int16 -3
  v3AndBelowTopics [] -3 {
    name string
    partitions []int32
  }
`)

export const ADD_PARTITIONS_TO_TXN_RESPONSE = new MessageSchema<AddPartitionsToTxnResponse>(`
AddPartitionsToTxnResponse 0-5 3+
  throttleTimeMs int32
  errorCode int16 4+ ~
  resultsByTransaction [] 4+ {
    transactionalId string
    topicResults [] {
      name string
      resultsByPartition [] {
        partitionIndex int32
        partitionErrorCode int16
      }
    }
  }
  resultsByTopicV3AndBelow [] -3 {
    name string
    resultsByPartition [] {
      partitionIndex int32
      partitionErrorCode int16
    }
  }
`)
