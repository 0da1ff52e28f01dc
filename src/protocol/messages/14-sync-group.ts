// SyncGroup, API 14: its request and response, versions 0 to 5.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface SyncGroupRequestAssignment {
  memberId: string
  assignment: Uint8Array
}

export interface SyncGroupRequest {
  groupId: string
  generationId: number
  memberId: string
  groupInstanceId: string | null
  protocolType: string | null
  protocolName: string | null
  assignments: SyncGroupRequestAssignment[]
}

export interface SyncGroupResponse {
  throttleTimeMs: number
  errorCode: number
  protocolType: string | null
  protocolName: string | null
  assignment: Uint8Array
}

export const SYNC_GROUP_REQUEST = new MessageSchema<SyncGroupRequest>(`
SyncGroupRequest 0-5 4+
  groupId string
  generationId int32
  memberId string
  groupInstanceId string ? 3+ =null
  protocolType string ? 5+ =null ~
  protocolName string ? 5+ =null ~
  assignments [] {
    memberId string
    assignment bytes
  }
`)

export const SYNC_GROUP_RESPONSE = new MessageSchema<SyncGroupResponse>(`
SyncGroupResponse 0-5 4+
  throttleTimeMs int32 1+ ~
  errorCode int16
  protocolType string ? 5+ =null ~
  protocolName string ? 5+ =null ~
  assignment bytes
`)
