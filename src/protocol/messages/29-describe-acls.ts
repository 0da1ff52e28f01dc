// DescribeAcls, API 29: its request and response, versions 1 to 3.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DescribeAclsRequest {
  resourceTypeFilter: number
  resourceNameFilter: string | null
  patternTypeFilter: number
  principalFilter: string | null
  hostFilter: string | null
  operation: number
  permissionType: number
}

export interface AclDescription {
  principal: string
  host: string
  operation: number
  permissionType: number
}

export interface DescribeAclsResource {
  resourceType: number
  resourceName: string
  patternType: number
  acls: AclDescription[]
}

export interface DescribeAclsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  resources: DescribeAclsResource[]
}

export const DESCRIBE_ACLS_REQUEST = new MessageSchema<DescribeAclsRequest>(`
DescribeAclsRequest 1-3 2+
  resourceTypeFilter int8
  resourceNameFilter string ?
  patternTypeFilter int8 =3
  principalFilter string ?
  hostFilter string ?
  operation int8
  permissionType int8
`)

export const DESCRIBE_ACLS_RESPONSE = new MessageSchema<DescribeAclsResponse>(`
DescribeAclsResponse 1-3 2+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ?
  resources [] {
    resourceType int8
    resourceName string
    patternType int8 =3
    acls [] {
      principal string
      host string
      operation int8
      permissionType int8
    }
  }
`)
