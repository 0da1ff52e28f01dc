// JoinGroup, API 11: its request and response, versions 0 to 9.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface JoinGroupRequestProtocol {
  name: string
  metadata: Uint8Array
}

export interface JoinGroupRequest {
  groupId: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  memberId: string
  groupInstanceId: string | null
  protocolType: string
  protocols: JoinGroupRequestProtocol[]
  reason: string | null
}

export interface JoinGroupResponseMember {
  memberId: string
  groupInstanceId: string | null
  metadata: Uint8Array
}

export interface JoinGroupResponse {
  throttleTimeMs: number
  errorCode: number
  generationId: number
  protocolType: string | null
  protocolName: string | null
  leader: string
  skipAssignment: boolean
  memberId: string
  members: JoinGroupResponseMember[]
}

export const JOIN_GROUP_REQUEST = new MessageSchema<JoinGroupRequest>(`
JoinGroupRequest 0-9 6+
  groupId string
  sessionTimeoutMs int32
  rebalanceTimeoutMs int32 1+ =-1 ~
  memberId string
  groupInstanceId string ? 5+ =null
  protocolType string
  protocols [] {
    name string
    metadata bytes
  }
  reason string ? 8+ =null ~
`)

export const JOIN_GROUP_RESPONSE = new MessageSchema<JoinGroupResponse>(`
JoinGroupResponse 0-9 6+
  throttleTimeMs int32 2+ ~
  errorCode int16
  generationId int32 =-1
  protocolType string ? 7+ =null ~
  protocolName string ?7+
  leader string
  skipAssignment bool 9+
  memberId string
  members [] {
    memberId string
    groupInstanceId string ? 5+ =null ~
    metadata bytes
  }
`)
