// DeleteShareGroupOffsets, API 92: its request and response, version 0.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface DeleteShareGroupOffsetsRequestTopic {
  topicName: string
}

export interface DeleteShareGroupOffsetsRequest {
  groupId: string
  topics: DeleteShareGroupOffsetsRequestTopic[]
}

export interface DeleteShareGroupOffsetsResponseTopic {
  topicName: string
  topicId: Uuid
  errorCode: number
  errorMessage: string | null
}

export interface DeleteShareGroupOffsetsResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  responses: DeleteShareGroupOffsetsResponseTopic[]
}

export const DELETE_SHARE_GROUP_OFFSETS_REQUEST = new MessageSchema<DeleteShareGroupOffsetsRequest>(`
DeleteShareGroupOffsetsRequest 0 0+
  groupId string
  topics [] {
    topicName string
  }
`)

export const DELETE_SHARE_GROUP_OFFSETS_RESPONSE = new MessageSchema<DeleteShareGroupOffsetsResponse>(`
DeleteShareGroupOffsetsResponse 0 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ? =null
  responses [] {
    topicName string
    topicId uuid
    errorCode int16
    errorMessage string ? =null
  }
`)
