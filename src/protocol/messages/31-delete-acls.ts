// DeleteAcls, API 31: its request and response, versions 1 to 3.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DeleteAclsFilter {
  resourceTypeFilter: number
  resourceNameFilter: string | null
  patternTypeFilter: number
  principalFilter: string | null
  hostFilter: string | null
  operation: number
  permissionType: number
}

export interface DeleteAclsRequest {
  filters: DeleteAclsFilter[]
}

export interface DeleteAclsMatchingAcl {
  errorCode: number
  errorMessage: string | null
  resourceType: number
  resourceName: string
  patternType: number
  principal: string
  host: string
  operation: number
  permissionType: number
}

export interface DeleteAclsFilterResult {
  errorCode: number
  errorMessage: string | null
  matchingAcls: DeleteAclsMatchingAcl[]
}

export interface DeleteAclsResponse {
  throttleTimeMs: number
  filterResults: DeleteAclsFilterResult[]
}

export const DELETE_ACLS_REQUEST = new MessageSchema<DeleteAclsRequest>(`
DeleteAclsRequest 1-3 2+
  filters [] {
    resourceTypeFilter int8
    resourceNameFilter string ?
    patternTypeFilter int8 =3
    principalFilter string ?
    hostFilter string ?
    operation int8
    permissionType int8
  }
`)

export const DELETE_ACLS_RESPONSE = new MessageSchema<DeleteAclsResponse>(`
DeleteAclsResponse 1-3 2+
  throttleTimeMs int32
  filterResults [] {
    errorCode int16
    errorMessage string ?
    matchingAcls [] {
      errorCode int16
      errorMessage string ?
      resourceType int8
      resourceName string
      patternType int8 =3
      principal string
      host string
      operation int8
      permissionType int8
    }
  }
`)
