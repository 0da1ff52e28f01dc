// LeaveGroup, API 13: its request and response, versions 0 to 5.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface MemberIdentity {
  memberId: string
  groupInstanceId: string | null
  reason: string | null
}

export interface LeaveGroupRequest {
  groupId: string
  memberId: string
  members: MemberIdentity[]
}

export interface MemberResponse {
  memberId: string
  groupInstanceId: string | null
  errorCode: number
}

export interface LeaveGroupResponse {
  throttleTimeMs: number
  errorCode: number
  members: MemberResponse[]
}

export const LEAVE_GROUP_REQUEST = new MessageSchema<LeaveGroupRequest>(`
LeaveGroupRequest 0-5 4+
  groupId string
  memberId string -2
  members [] 3+ {
    memberId string
    groupInstanceId string ? =null
    reason string ? 5+ =null ~
  }
`)

export const LEAVE_GROUP_RESPONSE = new MessageSchema<LeaveGroupResponse>(`
LeaveGroupResponse 0-5 4+
  throttleTimeMs int32 1+ ~
  errorCode int16
  members [] 3+ {
    memberId string
    groupInstanceId string ?
    errorCode int16
  }
`)
