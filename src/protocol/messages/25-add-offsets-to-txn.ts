// AddOffsetsToTxn, API 25: its request and response, versions 0 to 4.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface AddOffsetsToTxnRequest {
  transactionalId: string
  producerId: number
  producerEpoch: number
  groupId: string
}

export interface AddOffsetsToTxnResponse {
  throttleTimeMs: number
  errorCode: number
}

export const ADD_OFFSETS_TO_TXN_REQUEST = new MessageSchema<AddOffsetsToTxnRequest>(`
AddOffsetsToTxnRequest 0-4 3+
  transactionalId string
  producerId int64
  producerEpoch int16
  groupId string
`)

export const ADD_OFFSETS_TO_TXN_RESPONSE = new MessageSchema<AddOffsetsToTxnResponse>(`
AddOffsetsToTxnResponse 0-4 3+
  throttleTimeMs int32
  errorCode int16
`)
