// Records of `__cluster_metadata-0` about topics.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface TopicRecord {
  name: string
  topicId: Uuid
}

export interface PartitionRecord {
  partitionId: number
  topicId: Uuid
  replicas: number[]
  isr: number[]
  removingReplicas: number[]
  addingReplicas: number[]
  leader: number
  leaderRecoveryState: number
  leaderEpoch: number
  partitionEpoch: number
  directories: Uuid[]
  eligibleLeaderReplicas: number[] | null
  lastKnownElr: number[] | null
}

export interface PartitionChangeRecord {
  partitionId: number
  topicId: Uuid
  isr: number[] | null
  leader: number
  replicas: number[] | null
  removingReplicas: number[] | null
  addingReplicas: number[] | null
  leaderRecoveryState: number
  directories: Uuid[] | null
  eligibleLeaderReplicas: number[] | null
  lastKnownElr: number[] | null
}

export interface RemoveTopicRecord {
  topicId: Uuid
}

export interface ClearElrRecord {
  topicName: string
}

export interface ConfigRecord {
  resourceType: number
  resourceName: string
  name: string
  value: string | null
}

export const TOPIC_RECORD = new MessageSchema<TopicRecord>(`
TopicRecord 0 0+
  name string
  topicId uuid
`)

export const PARTITION_RECORD = new MessageSchema<PartitionRecord>(`
PartitionRecord 0-2 0+
  partitionId int32 =-1
  topicId uuid
  replicas []int32
  isr []int32
  removingReplicas []int32
  addingReplicas []int32
  leader int32 =-1
  leaderRecoveryState int8 #0
  leaderEpoch int32 =-1
  partitionEpoch int32 =-1
  directories []uuid 1+
  eligibleLeaderReplicas []int32 ? 2+ #1 =null
  lastKnownElr []int32 ? 2+ #2 =null
`)

export const PARTITION_CHANGE_RECORD = new MessageSchema<PartitionChangeRecord>(`
PartitionChangeRecord 0-2 0+
  partitionId int32 =-1
  topicId uuid
  isr []int32 ? #0 =null
  leader int32 #1 =-2
  replicas []int32 ? #2 =null
  removingReplicas []int32 ? #3 =null
  addingReplicas []int32 ? #4 =null
  leaderRecoveryState int8 #5 =-1
  directories []uuid ? 1+ #8 =null
  eligibleLeaderReplicas []int32 ? 2+ #6 =null
  lastKnownElr []int32 ? 2+ #7 =null
`)

export const REMOVE_TOPIC_RECORD = new MessageSchema<RemoveTopicRecord>(`
RemoveTopicRecord 0 0+
  topicId uuid
`)

export const CLEAR_ELR_RECORD = new MessageSchema<ClearElrRecord>(`
ClearElrRecord 0 0+
  topicName string
`)

export const CONFIG_RECORD = new MessageSchema<ConfigRecord>(`
ConfigRecord 0 0+
  resourceType int8
  resourceName string
  name string
  value string ?
`)
