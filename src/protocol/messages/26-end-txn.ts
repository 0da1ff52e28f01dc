// EndTxn, API 26: its request and response, versions 0 to 5.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface EndTxnRequest {
  transactionalId: string
  producerId: number
  producerEpoch: number
  committed: boolean
}

export interface EndTxnResponse {
  throttleTimeMs: number
  errorCode: number
  producerId: number
  producerEpoch: number
}

export const END_TXN_REQUEST = new MessageSchema<EndTxnRequest>(`
EndTxnRequest 0-5 3+
  transactionalId string
  producerId int64
  producerEpoch int16
  committed bool
`)

export const END_TXN_RESPONSE = new MessageSchema<EndTxnResponse>(`
EndTxnResponse 0-5 3+
  throttleTimeMs int32
  errorCode int16
  producerId int64 5+ =-1 ~
  producerEpoch int16 5+ =-1 ~
`)
