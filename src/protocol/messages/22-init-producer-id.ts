// InitProducerId, API 22: its request and response, versions 0 to 6.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface InitProducerIdRequest {
  transactionalId: string | null
  transactionTimeoutMs: number
  producerId: number
  producerEpoch: number
  enable2Pc: boolean
  keepPreparedTxn: boolean
}

export interface InitProducerIdResponse {
  throttleTimeMs: number
  errorCode: number
  producerId: number
  producerEpoch: number
  ongoingTxnProducerId: number
  ongoingTxnProducerEpoch: number
}

export const INIT_PRODUCER_ID_REQUEST = new MessageSchema<InitProducerIdRequest>(`
InitProducerIdRequest 0-6 2+
  transactionalId string ?
  transactionTimeoutMs int32
  producerId int64 3+ =-1
  producerEpoch int16 3+ =-1
  enable2Pc bool 6+
  keepPreparedTxn bool 6+
`)

export const INIT_PRODUCER_ID_RESPONSE = new MessageSchema<InitProducerIdResponse>(`
InitProducerIdResponse 0-6 2+
  throttleTimeMs int32
  errorCode int16
  producerId int64 =-1
  producerEpoch int16
  ongoingTxnProducerId int64 6+ =-1
  ongoingTxnProducerEpoch int16 6+ =-1
`)
