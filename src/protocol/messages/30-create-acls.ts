// CreateAcls, API 30: its request and response, versions 1 to 3.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface AclCreation {
  resourceType: number
  resourceName: string
  resourcePatternType: number
  principal: string
  host: string
  operation: number
  permissionType: number
}

export interface CreateAclsRequest {
  creations: AclCreation[]
}

export interface AclCreationResult {
  errorCode: number
  errorMessage: string | null
}

export interface CreateAclsResponse {
  throttleTimeMs: number
  results: AclCreationResult[]
}

export const CREATE_ACLS_REQUEST = new MessageSchema<CreateAclsRequest>(`
CreateAclsRequest 1-3 2+
  creations [] {
    resourceType int8
    resourceName string
    resourcePatternType int8 =3
    principal string
    host string
    operation int8
    permissionType int8
  }
`)

export const CREATE_ACLS_RESPONSE = new MessageSchema<CreateAclsResponse>(`
CreateAclsResponse 1-3 2+
  throttleTimeMs int32
  results [] {
    errorCode int16
    errorMessage string ?
  }
`)
