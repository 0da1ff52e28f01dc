// ListConfigResources, API 74: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ListConfigResourcesRequest {
  resourceTypes: number[]
}

export interface ConfigResource {
  resourceName: string
  resourceType: number
}

export interface ListConfigResourcesResponse {
  throttleTimeMs: number
  errorCode: number
  configResources: ConfigResource[]
}

export const LIST_CONFIG_RESOURCES_REQUEST = new MessageSchema<ListConfigResourcesRequest>(`
ListConfigResourcesRequest 0-1 0+
  resourceTypes []int8 1+
`)

export const LIST_CONFIG_RESOURCES_RESPONSE = new MessageSchema<ListConfigResourcesResponse>(`
ListConfigResourcesResponse 0-1 0+
  throttleTimeMs int32
  errorCode int16
  configResources [] {
    resourceName string
    resourceType int8 1+ =16 ~
  }
`)
