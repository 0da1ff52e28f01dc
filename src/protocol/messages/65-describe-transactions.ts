// DescribeTransactions, API 65: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DescribeTransactionsRequest {
  transactionalIds: string[]
}

export interface TopicData {
  topic: string
  partitions: number[]
}

export interface TransactionState {
  errorCode: number
  transactionalId: string
  transactionState: string
  transactionTimeoutMs: number
  transactionStartTimeMs: number
  producerId: number
  producerEpoch: number
  topics: TopicData[]
}

export interface DescribeTransactionsResponse {
  throttleTimeMs: number
  transactionStates: TransactionState[]
}

export const DESCRIBE_TRANSACTIONS_REQUEST = new MessageSchema<DescribeTransactionsRequest>(`
DescribeTransactionsRequest 0 0+
  transactionalIds []string
`)

export const DESCRIBE_TRANSACTIONS_RESPONSE = new MessageSchema<DescribeTransactionsResponse>(`
DescribeTransactionsResponse 0 0+
  throttleTimeMs int32
  transactionStates [] {
    errorCode int16
    transactionalId string
    transactionState string
    transactionTimeoutMs int32
    transactionStartTimeMs int64
    producerId int64
    producerEpoch int16
    topics [] {
      topic string
      partitions []int32
    }
  }
`)
