// Records of `__cluster_metadata-0` about access and quotas.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface AccessControlEntryRecord {
  id: Uuid
  resourceType: number
  resourceName: string
  patternType: number
  principal: string
  host: string
  operation: number
  permissionType: number
}

export interface RemoveAccessControlEntryRecord {
  id: Uuid
}

export interface EntityData {
  entityType: string
  entityName: string | null
}

export interface ClientQuotaRecord {
  entity: EntityData[]
  key: string
  value: number
  remove: boolean
}

export interface DelegationTokenRecord {
  owner: string
  requester: string
  renewers: string[]
  issueTimestamp: number
  maxTimestamp: number
  expirationTimestamp: number
  tokenId: string
}

export interface RemoveDelegationTokenRecord {
  tokenId: string
}

export interface UserScramCredentialRecord {
  name: string
  mechanism: number
  salt: Uint8Array
  storedKey: Uint8Array
  serverKey: Uint8Array
  iterations: number
}

export interface RemoveUserScramCredentialRecord {
  name: string
  mechanism: number
}

export const ACCESS_CONTROL_ENTRY_RECORD = new MessageSchema<AccessControlEntryRecord>(`
AccessControlEntryRecord 0 0+
  id uuid
  resourceType int8
  resourceName string
  patternType int8
  principal string
  host string
  operation int8
  permissionType int8
`)

export const REMOVE_ACCESS_CONTROL_ENTRY_RECORD = new MessageSchema<RemoveAccessControlEntryRecord>(`
RemoveAccessControlEntryRecord 0 0+
  id uuid
`)

export const CLIENT_QUOTA_RECORD = new MessageSchema<ClientQuotaRecord>(`
ClientQuotaRecord 0 0+
  entity [] {
    entityType string
    entityName string ?
  }
  key string
  value float64
  remove bool
`)

export const DELEGATION_TOKEN_RECORD = new MessageSchema<DelegationTokenRecord>(`
DelegationTokenRecord 0 0+
  owner string
  requester string
  renewers []string
  issueTimestamp int64
  maxTimestamp int64
  expirationTimestamp int64
  tokenId string
`)

export const REMOVE_DELEGATION_TOKEN_RECORD = new MessageSchema<RemoveDelegationTokenRecord>(`
RemoveDelegationTokenRecord 0 0+
  tokenId string
`)

export const USER_SCRAM_CREDENTIAL_RECORD = new MessageSchema<UserScramCredentialRecord>(`
UserScramCredentialRecord 0 0+
  name string
  mechanism int8
  salt bytes
  storedKey bytes
  serverKey bytes
  iterations int32
`)

export const REMOVE_USER_SCRAM_CREDENTIAL_RECORD = new MessageSchema<RemoveUserScramCredentialRecord>(`
RemoveUserScramCredentialRecord 0 0+
  name string
  mechanism int8
`)
