// FindCoordinator, API 10: its request and response, versions 0 to 6.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface FindCoordinatorRequest {
  key: string
  keyType: number
  coordinatorKeys: string[]
}

export interface Coordinator {
  key: string
  nodeId: number
  host: string
  port: number
  errorCode: number
  errorMessage: string | null
}

export interface FindCoordinatorResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  nodeId: number
  host: string
  port: number
  coordinators: Coordinator[]
}

export const FIND_COORDINATOR_REQUEST = new MessageSchema<FindCoordinatorRequest>(`
FindCoordinatorRequest 0-6 3+
  key string -3
  keyType int8 1+
  coordinatorKeys []string 4+
`)

export const FIND_COORDINATOR_RESPONSE = new MessageSchema<FindCoordinatorResponse>(`
FindCoordinatorResponse 0-6 3+
  throttleTimeMs int32 1+ ~
  errorCode int16 -3
  errorMessage string ? 1-3 ~
  nodeId int32 -3
  host string -3
  port int32 -3
  coordinators [] 4+ {
    key string
    nodeId int32
    host string
    port int32
    errorCode int16
    errorMessage string ?
  }
`)
