// DeleteTopics, API 20: its request and response, versions 1 to 6.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface DeleteTopicState {
  name: string | null
  topicId: Uuid
}

export interface DeleteTopicsRequest {
  topics: DeleteTopicState[]
  topicNames: string[]
  timeoutMs: number
}

export interface DeletableTopicResult {
  name: string | null
  topicId: Uuid
  errorCode: number
  errorMessage: string | null
}

export interface DeleteTopicsResponse {
  throttleTimeMs: number
  responses: DeletableTopicResult[]
}

export const DELETE_TOPICS_REQUEST = new MessageSchema<DeleteTopicsRequest>(`
DeleteTopicsRequest 1-6 4+
  topics [] 6+ {
    name string ? =null
    topicId uuid
  }
  topicNames []string -5 ~
  timeoutMs int32
`)

export const DELETE_TOPICS_RESPONSE = new MessageSchema<DeleteTopicsResponse>(`
DeleteTopicsResponse 1-6 4+
  throttleTimeMs int32
  responses [] {
    name string ?6+
    topicId uuid 6+ ~
    errorCode int16
    errorMessage string ? 5+ =null ~
  }
`)
