// A topic as the controller describes it to clients (Kafka: Metadata response). Data only.

import type { TopicId } from '../ids.ts'

export interface PartitionDescription {
  readonly partition: number
  readonly slot: number
  readonly leader: number
  readonly leaderEpoch: number
}

export interface TopicDescription {
  readonly name: string
  readonly topicId: TopicId
  readonly config: Readonly<Record<string, string>>
  readonly partitions: readonly PartitionDescription[]
}
