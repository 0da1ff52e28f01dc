// Keys and values of `__consumer_offsets`: committed offsets and classic groups.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface LegacyOffsetCommitKey {
  group: string
  topic: string
  partition: number
}

export interface LegacyOffsetCommitValue {
  offset: number
  metadata: string
  commitTimestamp: number
}

export interface OffsetCommitKey {
  group: string
  topic: string
  partition: number
}

export interface OffsetCommitValue {
  offset: number
  leaderEpoch: number
  metadata: string
  commitTimestamp: number
  expireTimestamp: number
  topicId: Uuid
}

export interface GroupMetadataKey {
  group: string
}

export interface MemberMetadata {
  memberId: string
  groupInstanceId: string | null
  clientId: string
  clientHost: string
  rebalanceTimeout: number
  sessionTimeout: number
  subscription: Uint8Array
  assignment: Uint8Array
}

export interface GroupMetadataValue {
  protocolType: string
  generation: number
  protocol: string | null
  leader: string | null
  currentStateTimestamp: number
  members: MemberMetadata[]
}

export const LEGACY_OFFSET_COMMIT_KEY = new MessageSchema<LegacyOffsetCommitKey>(`
LegacyOffsetCommitKey 0 none
  group string
  topic string
  partition int32
`)

export const LEGACY_OFFSET_COMMIT_VALUE = new MessageSchema<LegacyOffsetCommitValue>(`
LegacyOffsetCommitValue 0 none
  offset int64
  metadata string
  commitTimestamp int64
`)

export const OFFSET_COMMIT_KEY = new MessageSchema<OffsetCommitKey>(`
OffsetCommitKey 0 none
  group string
  topic string
  partition int32
`)

export const OFFSET_COMMIT_VALUE = new MessageSchema<OffsetCommitValue>(`
OffsetCommitValue 0-4 4+
  offset int64
  leaderEpoch int32 3+ =-1 ~
  metadata string
  commitTimestamp int64
  expireTimestamp int64 1 =-1 ~
  topicId uuid 4+ #0 ~
`)

export const GROUP_METADATA_KEY = new MessageSchema<GroupMetadataKey>(`
GroupMetadataKey 0 none
  group string
`)

export const GROUP_METADATA_VALUE = new MessageSchema<GroupMetadataValue>(`
GroupMetadataValue 0-4 4+
  protocolType string
  generation int32
  protocol string ?
  leader string ?
  currentStateTimestamp int64 2+ =-1 ~
  members [] {
    memberId string
    groupInstanceId string ? 3+ =null ~
    clientId string
    clientHost string
    rebalanceTimeout int32 1+ =-1 ~
    sessionTimeout int32
    subscription bytes
    assignment bytes
  }
`)
