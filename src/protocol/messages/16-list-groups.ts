// ListGroups, API 16: its request and response, versions 0 to 5.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ListGroupsRequest {
  statesFilter: string[]
  typesFilter: string[]
}

export interface ListedGroup {
  groupId: string
  protocolType: string
  groupState: string
  groupType: string
}

export interface ListGroupsResponse {
  throttleTimeMs: number
  errorCode: number
  groups: ListedGroup[]
}

export const LIST_GROUPS_REQUEST = new MessageSchema<ListGroupsRequest>(`
ListGroupsRequest 0-5 3+
  statesFilter []string 4+
  typesFilter []string 5+
`)

export const LIST_GROUPS_RESPONSE = new MessageSchema<ListGroupsResponse>(`
ListGroupsResponse 0-5 3+
  throttleTimeMs int32 1+ ~
  errorCode int16
  groups [] {
    groupId string
    protocolType string
    groupState string 4+ ~
    groupType string 5+ ~
  }
`)
