// Heartbeat, API 12: its request and response, versions 0 to 4.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface HeartbeatRequest {
  groupId: string
  generationId: number
  memberId: string
  groupInstanceId: string | null
}

export interface HeartbeatResponse {
  throttleTimeMs: number
  errorCode: number
}

export const HEARTBEAT_REQUEST = new MessageSchema<HeartbeatRequest>(`
HeartbeatRequest 0-4 4+
  groupId string
  generationId int32
  memberId string
  groupInstanceId string ? 3+ =null
`)

export const HEARTBEAT_RESPONSE = new MessageSchema<HeartbeatResponse>(`
HeartbeatResponse 0-4 4+
  throttleTimeMs int32 1+ ~
  errorCode int16
`)
