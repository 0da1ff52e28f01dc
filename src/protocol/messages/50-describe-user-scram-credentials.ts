// DescribeUserScramCredentials, API 50: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface UserName {
  name: string
}

export interface DescribeUserScramCredentialsRequest {
  users: UserName[] | null
}

export interface CredentialInfo {
  mechanism: number
  iterations: number
}

export interface DescribeUserScramCredentialsResult {
  user: string
  errorCode: number
  errorMessage: string | null
  credentialInfos: CredentialInfo[]
}

export interface DescribeUserScramCredentialsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  results: DescribeUserScramCredentialsResult[]
}

export const DESCRIBE_USER_SCRAM_CREDENTIALS_REQUEST = new MessageSchema<DescribeUserScramCredentialsRequest>(`
DescribeUserScramCredentialsRequest 0 0+
  users [] ? {
    name string
  }
`)

export const DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE = new MessageSchema<DescribeUserScramCredentialsResponse>(`
DescribeUserScramCredentialsResponse 0 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ?
  results [] {
    user string
    errorCode int16
    errorMessage string ?
    credentialInfos [] {
      mechanism int8
      iterations int32
    }
  }
`)
