// SaslHandshake, API 17: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface SaslHandshakeRequest {
  mechanism: string
}

export interface SaslHandshakeResponse {
  errorCode: number
  mechanisms: string[]
}

export const SASL_HANDSHAKE_REQUEST = new MessageSchema<SaslHandshakeRequest>(`
SaslHandshakeRequest 0-1 none
  mechanism string
`)

export const SASL_HANDSHAKE_RESPONSE = new MessageSchema<SaslHandshakeResponse>(`
SaslHandshakeResponse 0-1 none
  errorCode int16
  mechanisms []string
`)
