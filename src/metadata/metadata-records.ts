// The records of `__cluster_metadata-0` (KIP-631): what the controller decides becomes
// true by standing in this log, and every view of the cluster is a replay of it. Kafka's
// own records in Kafka's own bytes; protocol/metadata-record-frame.ts has what is ours.
// Pure.

import type { TopicId } from '../ids.ts'
import { encodeMetadataRecord } from '../protocol/metadata-record-frame.ts'
import type { FramedMetadataRecord, MetadataRecordFields, MetadataRecordName } from '../protocol/metadata-record-frame.ts'
import type { MessageInput } from '../protocol/schema.ts'

/** A record to be written; fields that are left out have Kafka's default. */
export type MetadataRecord = {
  readonly [Name in MetadataRecordName]: { readonly type: Name; readonly record: MessageInput<MetadataRecordFields<Name>> }
}[MetadataRecordName]

/** A record as it was read. */
export type ReplayedRecord = FramedMetadataRecord

export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'
/** Kafka's fixed id of the metadata topic. */
export const CLUSTER_METADATA_TOPIC_ID: TopicId = [0, 0, 0, 1]
/** The metadata log has the first row of the partition table in every process. */
export const CLUSTER_METADATA_SLOT = 0
/** Its snapshots have the second; in memory they are a log too. */
export const METADATA_SNAPSHOT_SLOT = 1
/** The rows from here on are topics'. */
export const FIRST_TOPIC_SLOT = 2

/** The feature that says which records a log may hold; the level is Kafka 4.3's. */
export const METADATA_VERSION = 'metadata.version'
export const METADATA_VERSION_LEVEL = 30

/** Nobody leads the partition. */
export const NO_LEADER = -1
/** In a change of a partition: its leader stays. */
export const NO_LEADER_CHANGE = -2

// Config resources (KIP-133).
export const TOPIC_RESOURCE = 2
export const BROKER_RESOURCE = 4

// What `fenced` of a change of registration says.
export const FENCE = 1
export const UNFENCE = -1

export function encodeRecord({ type, record }: MetadataRecord): Uint8Array {
  return encodeMetadataRecord(type, record as MessageInput<MetadataRecordFields<typeof type>>)
}
