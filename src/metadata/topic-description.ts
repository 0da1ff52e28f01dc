// A topic, and the cluster, as clients see them in their image (Kafka: the responses to
// Metadata and DescribeCluster). Data only.

import type { TopicId } from '../ids.ts'
import type { BrokerImage, MetadataImage } from './metadata-image.ts'

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

export interface ClusterDescription {
  /** 22 characters of base64url, made when the millrace was opened. */
  readonly clusterId: string
  /** The broker that is the active controller; -1 while there is none. */
  readonly controllerId: number
  /** One past the last record of the metadata log that this is of. */
  readonly metadataOffset: number
  /** All that ever registered, by id; fenced: its thread is dead. */
  readonly brokers: readonly BrokerImage[]
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
