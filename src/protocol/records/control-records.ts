// Values of control batches, and entries of a transaction index.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface AbortedTxn {
  producerId: number
  firstOffset: number
  lastOffset: number
  lastStableOffset: number
}

export interface EndTxnMarker {
  coordinatorEpoch: number
}

export interface KRaftVersionRecord {
  version: number
  kRaftVersion: number
}

export interface Voter {
  voterId: number
  voterDirectoryId: Uuid
}

export interface LeaderChangeMessage {
  version: number
  leaderId: number
  voters: Voter[]
  grantingVoters: Voter[]
}

export interface SnapshotFooterRecord {
  version: number
}

export interface SnapshotHeaderRecord {
  version: number
  lastContainedLogTimestamp: number
}

export interface Endpoint {
  name: string
  host: string
  port: number
}

export interface KRaftVersionFeature {
  minSupportedVersion: number
  maxSupportedVersion: number
}

export interface VotersRecordVoter {
  voterId: number
  voterDirectoryId: Uuid
  endpoints: Endpoint[]
  kRaftVersionFeature: KRaftVersionFeature
}

export interface VotersRecord {
  version: number
  voters: VotersRecordVoter[]
}

export const ABORTED_TXN = new MessageSchema<AbortedTxn>(`
AbortedTxn 0 none
  producerId int64
  firstOffset int64
  lastOffset int64
  lastStableOffset int64
`)

export const END_TXN_MARKER = new MessageSchema<EndTxnMarker>(`
EndTxnMarker 0 none
  coordinatorEpoch int32
`)

export const KRAFT_VERSION_RECORD = new MessageSchema<KRaftVersionRecord>(`
KRaftVersionRecord 0 0+
  version int16
  kRaftVersion int16
`)

export const LEADER_CHANGE_MESSAGE = new MessageSchema<LeaderChangeMessage>(`
LeaderChangeMessage 0-1 0+
  version int16
  leaderId int32
  voters [] {
    voterId int32
    voterDirectoryId uuid 1+
  }
  grantingVoters [] {
    voterId int32
    voterDirectoryId uuid 1+
  }
`)

export const SNAPSHOT_FOOTER_RECORD = new MessageSchema<SnapshotFooterRecord>(`
SnapshotFooterRecord 0 0+
  version int16
`)

export const SNAPSHOT_HEADER_RECORD = new MessageSchema<SnapshotHeaderRecord>(`
SnapshotHeaderRecord 0 0+
  version int16
  lastContainedLogTimestamp int64
`)

export const VOTERS_RECORD = new MessageSchema<VotersRecord>(`
VotersRecord 0 0+
  version int16
  voters [] {
    voterId int32
    voterDirectoryId uuid
    endpoints [] {
      name string
      host string
      port uint16
    }
    kRaftVersionFeature {} {
      minSupportedVersion int16
      maxSupportedVersion int16
    }
  }
`)
