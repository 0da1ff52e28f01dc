// AlterUserScramCredentials, API 51: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ScramCredentialDeletion {
  name: string
  mechanism: number
}

export interface ScramCredentialUpsertion {
  name: string
  mechanism: number
  iterations: number
  salt: Uint8Array
  saltedPassword: Uint8Array
}

export interface AlterUserScramCredentialsRequest {
  deletions: ScramCredentialDeletion[]
  upsertions: ScramCredentialUpsertion[]
}

export interface AlterUserScramCredentialsResult {
  user: string
  errorCode: number
  errorMessage: string | null
}

export interface AlterUserScramCredentialsResponse {
  throttleTimeMs: number
  results: AlterUserScramCredentialsResult[]
}

export const ALTER_USER_SCRAM_CREDENTIALS_REQUEST = new MessageSchema<AlterUserScramCredentialsRequest>(`
AlterUserScramCredentialsRequest 0 0+
  deletions [] {
    name string
    mechanism int8
  }
  upsertions [] {
    name string
    mechanism int8
    iterations int32
    salt bytes
    saltedPassword bytes
  }
`)

export const ALTER_USER_SCRAM_CREDENTIALS_RESPONSE = new MessageSchema<AlterUserScramCredentialsResponse>(`
AlterUserScramCredentialsResponse 0 0+
  throttleTimeMs int32
  results [] {
    user string
    errorCode int16
    errorMessage string ?
  }
`)
