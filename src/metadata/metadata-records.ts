// The records of `__cluster_metadata-0`: what the controller decides becomes true
// by standing in this log, and every view of the cluster is a replay of it.
// Names and fields follow Kafka's metadata records (KIP-631); `slot`, the row of
// the partition's control block, is ours. They are written as JSON for now.
// Pure.

import type { TopicId } from '../ids.ts'

export type MetadataRecord =
  | { readonly type: 'RegisterBrokerRecord'; readonly brokerId: number; readonly incarnation: number }
  | { readonly type: 'FenceBrokerRecord'; readonly brokerId: number; readonly incarnation: number }
  | { readonly type: 'TopicRecord'; readonly name: string; readonly topicId: TopicId; readonly config: Readonly<Record<string, string>> }
  | {
      readonly type: 'PartitionRecord'
      readonly topicId: TopicId
      readonly partitionId: number
      readonly slot: number
      readonly leader: number
      readonly leaderEpoch: number
    }
  | {
      readonly type: 'PartitionChangeRecord'
      readonly topicId: TopicId
      readonly partitionId: number
      readonly leader: number
      readonly leaderEpoch: number
    }
  /** A block of producer ids was given away: the next begins at `nextProducerId` (KIP-730). */
  | { readonly type: 'ProducerIdsRecord'; readonly nextProducerId: number }

export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'
/** Kafka's fixed id of the metadata topic. */
export const CLUSTER_METADATA_TOPIC_ID: TopicId = [0, 0, 0, 1]
/** The metadata log has the first row of the partition table in every process. */
export const CLUSTER_METADATA_SLOT = 0

export function encodeMetadataRecord(record: MetadataRecord): string {
  return JSON.stringify(record)
}

export function decodeMetadataRecord(text: string): MetadataRecord {
  return JSON.parse(text) as MetadataRecord
}
