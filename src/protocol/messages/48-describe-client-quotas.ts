// DescribeClientQuotas, API 48: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ComponentData {
  entityType: string
  matchType: number
  match: string | null
}

export interface DescribeClientQuotasRequest {
  components: ComponentData[]
  strict: boolean
}

export interface EntityData {
  entityType: string
  entityName: string | null
}

export interface ValueData {
  key: string
  value: number
}

export interface EntryData {
  entity: EntityData[]
  values: ValueData[]
}

export interface DescribeClientQuotasResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  entries: EntryData[] | null
}

export const DESCRIBE_CLIENT_QUOTAS_REQUEST = new MessageSchema<DescribeClientQuotasRequest>(`
DescribeClientQuotasRequest 0-1 1+
  components [] {
    entityType string
    matchType int8
    match string ?
  }
  strict bool
`)

export const DESCRIBE_CLIENT_QUOTAS_RESPONSE = new MessageSchema<DescribeClientQuotasResponse>(`
DescribeClientQuotasResponse 0-1 1+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ?
  entries [] ? {
    entity [] {
      entityType string
      entityName string ?
    }
    values [] {
      key string
      value float64
    }
  }
`)
