// A topic as clients see it in their image (Kafka: Metadata response). Data only.

import type { TopicId } from '../ids.ts'
import type { MetadataImage } from './metadata-image.ts'

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

/** undefined when there is no such topic. */
export function describeTopic(image: MetadataImage, name: string): TopicDescription | undefined {
  const topic = image.topic(name)
  if (topic === undefined) return undefined
  const partitions = topic.partitions.map(({ partitionId, slot, leader, leaderEpoch }) => ({
    partition: partitionId,
    slot,
    leader,
    leaderEpoch,
  }))
  return { name, topicId: topic.topicId, config: image.topicConfig(name), partitions }
}
