// What members of a classic group send each other through the coordinator, with its version in front.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface TopicPartition {
  topic: string
  partitions: number[]
}

export interface ConsumerProtocolSubscription {
  topics: string[]
  userData: Uint8Array | null
  ownedPartitions: TopicPartition[]
  generationId: number
  rackId: string | null
}

export interface ConsumerProtocolAssignment {
  assignedPartitions: TopicPartition[]
  userData: Uint8Array | null
}

export const CONSUMER_PROTOCOL_SUBSCRIPTION = new MessageSchema<ConsumerProtocolSubscription>(`
ConsumerProtocolSubscription 0-3 none
  topics []string
  userData bytes ? =null
  ownedPartitions [] 1+ ~ {
    topic string
    partitions []int32
  }
  generationId int32 2+ =-1 ~
  rackId string ? 3+ =null ~
`)

export const CONSUMER_PROTOCOL_ASSIGNMENT = new MessageSchema<ConsumerProtocolAssignment>(`
ConsumerProtocolAssignment 0-3 none
  assignedPartitions [] {
    topic string
    partitions []int32
  }
  userData bytes ? =null
`)
