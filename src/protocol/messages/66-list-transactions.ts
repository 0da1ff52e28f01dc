// ListTransactions, API 66: its request and response, versions 0 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ListTransactionsRequest {
  stateFilters: string[]
  producerIdFilters: number[]
  durationFilter: number
  transactionalIdPattern: string | null
}

export interface TransactionState {
  transactionalId: string
  producerId: number
  transactionState: string
}

export interface ListTransactionsResponse {
  throttleTimeMs: number
  errorCode: number
  unknownStateFilters: string[]
  transactionStates: TransactionState[]
}

export const LIST_TRANSACTIONS_REQUEST = new MessageSchema<ListTransactionsRequest>(`
ListTransactionsRequest 0-2 0+
  stateFilters []string
  producerIdFilters []int64
  durationFilter int64 1+ =-1
  transactionalIdPattern string ? 2+ =null
`)

export const LIST_TRANSACTIONS_RESPONSE = new MessageSchema<ListTransactionsResponse>(`
ListTransactionsResponse 0-2 0+
  throttleTimeMs int32
  errorCode int16
  unknownStateFilters []string
  transactionStates [] {
    transactionalId string
    producerId int64
    transactionState string
  }
`)
