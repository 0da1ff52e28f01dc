// Records of `__cluster_metadata-0` about clusters.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface FeatureLevelRecord {
  name: string
  featureLevel: number
}

export interface ProducerIdsRecord {
  brokerId: number
  brokerEpoch: number
  nextProducerId: number
}

export type NoOpRecord = Record<string, never>

export interface BeginTransactionRecord {
  name: string | null
}

export type EndTransactionRecord = Record<string, never>

export interface AbortTransactionRecord {
  reason: string | null
}

export interface ZkMigrationStateRecord {
  zkMigrationState: number
}

export const FEATURE_LEVEL_RECORD = new MessageSchema<FeatureLevelRecord>(`
FeatureLevelRecord 0 0+
  name string
  featureLevel int16
`)

export const PRODUCER_IDS_RECORD = new MessageSchema<ProducerIdsRecord>(`
ProducerIdsRecord 0 0+
  brokerId int32
  brokerEpoch int64 =-1
  nextProducerId int64
`)

export const NO_OP_RECORD = new MessageSchema<NoOpRecord>(`
NoOpRecord 0 0+
`)

export const BEGIN_TRANSACTION_RECORD = new MessageSchema<BeginTransactionRecord>(`
BeginTransactionRecord 0 0+
  name string ? #0 =null
`)

export const END_TRANSACTION_RECORD = new MessageSchema<EndTransactionRecord>(`
EndTransactionRecord 0 0+
`)

export const ABORT_TRANSACTION_RECORD = new MessageSchema<AbortTransactionRecord>(`
AbortTransactionRecord 0 0+
  reason string ? #0 =null
`)

export const ZK_MIGRATION_STATE_RECORD = new MessageSchema<ZkMigrationStateRecord>(`
ZkMigrationStateRecord 0 0+
  zkMigrationState int8
`)
