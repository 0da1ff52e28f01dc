// Keys and values of `__transaction_state`.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface TransactionLogKey {
  transactionalId: string
}

export interface PartitionsSchema {
  topic: string
  partitionIds: number[]
}

export interface TransactionLogValue {
  producerId: number
  previousProducerId: number
  nextProducerId: number
  producerEpoch: number
  nextProducerEpoch: number
  transactionTimeoutMs: number
  transactionStatus: number
  transactionPartitions: PartitionsSchema[] | null
  transactionLastUpdateTimestampMs: number
  transactionStartTimestampMs: number
  clientTransactionVersion: number
}

export const TRANSACTION_LOG_KEY = new MessageSchema<TransactionLogKey>(`
TransactionLogKey 0 none
  transactionalId string
`)

export const TRANSACTION_LOG_VALUE = new MessageSchema<TransactionLogValue>(`
TransactionLogValue 0-1 1+
  producerId int64
  previousProducerId int64 1+ #0 =-1
  nextProducerId int64 1+ #1 =-1
  producerEpoch int16
  nextProducerEpoch int16 1+ #3 =-1
  transactionTimeoutMs int32
  transactionStatus int8
  transactionPartitions [] ? {
    topic string
    partitionIds []int32
  }
  transactionLastUpdateTimestampMs int64
  transactionStartTimestampMs int64
  clientTransactionVersion int16 1+ #2
`)
