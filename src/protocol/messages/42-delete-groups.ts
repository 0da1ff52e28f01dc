// DeleteGroups, API 42: its request and response, versions 0 to 3.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DeleteGroupsRequest {
  groupsNames: string[]
}

export interface DeletableGroupResult {
  groupId: string
  errorCode: number
  errorMessage: string | null
}

export interface DeleteGroupsResponse {
  throttleTimeMs: number
  results: DeletableGroupResult[]
}

export const DELETE_GROUPS_REQUEST = new MessageSchema<DeleteGroupsRequest>(`
DeleteGroupsRequest 0-3 2+
  groupsNames []string
`)

export const DELETE_GROUPS_RESPONSE = new MessageSchema<DeleteGroupsResponse>(`
DeleteGroupsResponse 0-3 2+
  throttleTimeMs int32
  results [] {
    groupId string
    errorCode int16
    errorMessage string ? 3+ =null ~
  }
`)
