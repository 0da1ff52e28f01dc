// DescribeLogDirs, API 35: its request and response, versions 1 to 5.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DescribableLogDirTopic {
  topic: string
  partitions: number[]
}

export interface DescribeLogDirsRequest {
  topics: DescribableLogDirTopic[] | null
}

export interface DescribeLogDirsPartition {
  partitionIndex: number
  partitionSize: number
  offsetLag: number
  isFutureKey: boolean
}

export interface DescribeLogDirsTopic {
  name: string
  partitions: DescribeLogDirsPartition[]
}

export interface DescribeLogDirsResult {
  errorCode: number
  logDir: string
  topics: DescribeLogDirsTopic[]
  totalBytes: number
  usableBytes: number
  isCordoned: boolean
}

export interface DescribeLogDirsResponse {
  throttleTimeMs: number
  errorCode: number
  results: DescribeLogDirsResult[]
}

export const DESCRIBE_LOG_DIRS_REQUEST = new MessageSchema<DescribeLogDirsRequest>(`
DescribeLogDirsRequest 1-5 2+
  topics [] ? {
    topic string
    partitions []int32
  }
`)

export const DESCRIBE_LOG_DIRS_RESPONSE = new MessageSchema<DescribeLogDirsResponse>(`
DescribeLogDirsResponse 1-5 2+
  throttleTimeMs int32
  errorCode int16 3+ ~
  results [] {
    errorCode int16
    logDir string
    topics [] {
      name string
      partitions [] {
        partitionIndex int32
        partitionSize int64
        offsetLag int64
        isFutureKey bool
      }
    }
    totalBytes int64 4+ =-1 ~
    usableBytes int64 4+ =-1 ~
    isCordoned bool 5+ ~
  }
`)
