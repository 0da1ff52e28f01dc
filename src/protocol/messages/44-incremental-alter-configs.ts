// IncrementalAlterConfigs, API 44: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface AlterableConfig {
  name: string
  configOperation: number
  value: string | null
}

export interface AlterConfigsResource {
  resourceType: number
  resourceName: string
  configs: AlterableConfig[]
}

export interface IncrementalAlterConfigsRequest {
  resources: AlterConfigsResource[]
  validateOnly: boolean
}

export interface AlterConfigsResourceResponse {
  errorCode: number
  errorMessage: string | null
  resourceType: number
  resourceName: string
}

export interface IncrementalAlterConfigsResponse {
  throttleTimeMs: number
  responses: AlterConfigsResourceResponse[]
}

export const INCREMENTAL_ALTER_CONFIGS_REQUEST = new MessageSchema<IncrementalAlterConfigsRequest>(`
IncrementalAlterConfigsRequest 0-1 1+
  resources [] {
    resourceType int8
    resourceName string
    configs [] {
      name string
      configOperation int8
      value string ?
    }
  }
  validateOnly bool
`)

export const INCREMENTAL_ALTER_CONFIGS_RESPONSE = new MessageSchema<IncrementalAlterConfigsResponse>(`
IncrementalAlterConfigsResponse 0-1 1+
  throttleTimeMs int32
  responses [] {
    errorCode int16
    errorMessage string ?
    resourceType int8
    resourceName string
  }
`)
