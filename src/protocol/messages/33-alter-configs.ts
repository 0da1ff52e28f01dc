// AlterConfigs, API 33: its request and response, versions 0 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface AlterableConfig {
  name: string
  value: string | null
}

export interface AlterConfigsResource {
  resourceType: number
  resourceName: string
  configs: AlterableConfig[]
}

export interface AlterConfigsRequest {
  resources: AlterConfigsResource[]
  validateOnly: boolean
}

export interface AlterConfigsResourceResponse {
  errorCode: number
  errorMessage: string | null
  resourceType: number
  resourceName: string
}

export interface AlterConfigsResponse {
  throttleTimeMs: number
  responses: AlterConfigsResourceResponse[]
}

export const ALTER_CONFIGS_REQUEST = new MessageSchema<AlterConfigsRequest>(`
AlterConfigsRequest 0-2 2+
  resources [] {
    resourceType int8
    resourceName string
    configs [] {
      name string
      value string ?
    }
  }
  validateOnly bool
`)

export const ALTER_CONFIGS_RESPONSE = new MessageSchema<AlterConfigsResponse>(`
AlterConfigsResponse 0-2 2+
  throttleTimeMs int32
  responses [] {
    errorCode int16
    errorMessage string ?
    resourceType int8
    resourceName string
  }
`)
