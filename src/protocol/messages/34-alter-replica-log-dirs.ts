// AlterReplicaLogDirs, API 34: its request and response, versions 1 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface AlterReplicaLogDirTopic {
  name: string
  partitions: number[]
}

export interface AlterReplicaLogDir {
  path: string
  topics: AlterReplicaLogDirTopic[]
}

export interface AlterReplicaLogDirsRequest {
  dirs: AlterReplicaLogDir[]
}

export interface AlterReplicaLogDirPartitionResult {
  partitionIndex: number
  errorCode: number
}

export interface AlterReplicaLogDirTopicResult {
  topicName: string
  partitions: AlterReplicaLogDirPartitionResult[]
}

export interface AlterReplicaLogDirsResponse {
  throttleTimeMs: number
  results: AlterReplicaLogDirTopicResult[]
}

export const ALTER_REPLICA_LOG_DIRS_REQUEST = new MessageSchema<AlterReplicaLogDirsRequest>(`
AlterReplicaLogDirsRequest 1-2 2+
  dirs [] {
    path string
    topics [] {
      name string
      partitions []int32
    }
  }
`)

export const ALTER_REPLICA_LOG_DIRS_RESPONSE = new MessageSchema<AlterReplicaLogDirsResponse>(`
AlterReplicaLogDirsResponse 1-2 2+
  throttleTimeMs int32
  results [] {
    topicName string
    partitions [] {
      partitionIndex int32
      errorCode int16
    }
  }
`)
