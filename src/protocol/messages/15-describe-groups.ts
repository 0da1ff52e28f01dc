// DescribeGroups, API 15: its request and response, versions 0 to 6.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DescribeGroupsRequest {
  groups: string[]
  includeAuthorizedOperations: boolean
}

export interface DescribedGroupMember {
  memberId: string
  groupInstanceId: string | null
  clientId: string
  clientHost: string
  memberMetadata: Uint8Array
  memberAssignment: Uint8Array
}

export interface DescribedGroup {
  errorCode: number
  errorMessage: string | null
  groupId: string
  groupState: string
  protocolType: string
  protocolData: string
  members: DescribedGroupMember[]
  authorizedOperations: number
}

export interface DescribeGroupsResponse {
  throttleTimeMs: number
  groups: DescribedGroup[]
}

export const DESCRIBE_GROUPS_REQUEST = new MessageSchema<DescribeGroupsRequest>(`
DescribeGroupsRequest 0-6 5+
  groups []string
  includeAuthorizedOperations bool 3+
`)

export const DESCRIBE_GROUPS_RESPONSE = new MessageSchema<DescribeGroupsResponse>(`
DescribeGroupsResponse 0-6 5+
  throttleTimeMs int32 1+ ~
  groups [] {
    errorCode int16
    errorMessage string ? 6+ =null
    groupId string
    groupState string
    protocolType string
    protocolData string
    members [] {
      memberId string
      groupInstanceId string ? 4+ =null ~
      clientId string
      clientHost string
      memberMetadata bytes
      memberAssignment bytes
    }
    authorizedOperations int32 3+ =-2147483648
  }
`)
