// AlterClientQuotas, API 49: its request and response, versions 0 to 1.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface EntityData {
  entityType: string
  entityName: string | null
}

export interface OpData {
  key: string
  value: number
  remove: boolean
}

export interface EntryData {
  entity: EntityData[]
  ops: OpData[]
}

export interface AlterClientQuotasRequest {
  entries: EntryData[]
  validateOnly: boolean
}

export interface AlterClientQuotasResponseEntryData {
  errorCode: number
  errorMessage: string | null
  entity: EntityData[]
}

export interface AlterClientQuotasResponse {
  throttleTimeMs: number
  entries: AlterClientQuotasResponseEntryData[]
}

export const ALTER_CLIENT_QUOTAS_REQUEST = new MessageSchema<AlterClientQuotasRequest>(`
AlterClientQuotasRequest 0-1 1+
  entries [] {
    entity [] {
      entityType string
      entityName string ?
    }
    ops [] {
      key string
      value float64
      remove bool
    }
  }
  validateOnly bool
`)

export const ALTER_CLIENT_QUOTAS_RESPONSE = new MessageSchema<AlterClientQuotasResponse>(`
AlterClientQuotasResponse 0-1 1+
  throttleTimeMs int32
  entries [] {
    errorCode int16
    errorMessage string ?
    entity [] {
      entityType string
      entityName string ?
    }
  }
`)
