// DescribeConfigs, API 32: its request and response, versions 1 to 4.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DescribeConfigsResource {
  resourceType: number
  resourceName: string
  configurationKeys: string[] | null
}

export interface DescribeConfigsRequest {
  resources: DescribeConfigsResource[]
  includeSynonyms: boolean
  includeDocumentation: boolean
}

export interface DescribeConfigsSynonym {
  name: string
  value: string | null
  source: number
}

export interface DescribeConfigsResourceResult {
  name: string
  value: string | null
  readOnly: boolean
  configSource: number
  isSensitive: boolean
  synonyms: DescribeConfigsSynonym[]
  configType: number
  documentation: string | null
}

export interface DescribeConfigsResult {
  errorCode: number
  errorMessage: string | null
  resourceType: number
  resourceName: string
  configs: DescribeConfigsResourceResult[]
}

export interface DescribeConfigsResponse {
  throttleTimeMs: number
  results: DescribeConfigsResult[]
}

export const DESCRIBE_CONFIGS_REQUEST = new MessageSchema<DescribeConfigsRequest>(`
DescribeConfigsRequest 1-4 4+
  resources [] {
    resourceType int8
    resourceName string
    configurationKeys []string ?
  }
  includeSynonyms bool
  includeDocumentation bool 3+
`)

export const DESCRIBE_CONFIGS_RESPONSE = new MessageSchema<DescribeConfigsResponse>(`
DescribeConfigsResponse 1-4 4+
  throttleTimeMs int32
  results [] {
    errorCode int16
    errorMessage string ?
    resourceType int8
    resourceName string
    configs [] {
      name string
      value string ?
      readOnly bool
      configSource int8 =-1
      isSensitive bool
      synonyms [] {
        name string
        value string ?
        source int8
      }
      configType int8 3+ ~
      documentation string ? 3+ ~
    }
  }
`)
