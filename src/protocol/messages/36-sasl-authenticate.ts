// SaslAuthenticate, API 36: its request and response, versions 0 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface SaslAuthenticateRequest {
  authBytes: Uint8Array
}

export interface SaslAuthenticateResponse {
  errorCode: number
  errorMessage: string | null
  authBytes: Uint8Array
  sessionLifetimeMs: number
}

export const SASL_AUTHENTICATE_REQUEST = new MessageSchema<SaslAuthenticateRequest>(`
SaslAuthenticateRequest 0-2 2+
  authBytes bytes
`)

export const SASL_AUTHENTICATE_RESPONSE = new MessageSchema<SaslAuthenticateResponse>(`
SaslAuthenticateResponse 0-2 2+
  errorCode int16
  errorMessage string ?
  authBytes bytes
  sessionLifetimeMs int64 1+ ~
`)
