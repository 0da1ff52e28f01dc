// A topic as it is at this moment (Kafka: DescribeTopicPartitions): the image of the cluster
// says what it is, the control blocks of its partitions who leads them and where they stand.
// Runs on the user's thread; no broker hears of it.
// Holds: what is given belongs to one topic id, though its rows may go to another topic
// while they are read.

import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { equalTopicIds, formatTopicId } from '../../ids.ts'
import { GRANULE_BYTES } from '../../log/log-memory-layout.ts'
import type { TopicImage } from '../../metadata/metadata-image.ts'

/** A partition as it is at this moment. */
export interface DescribedPartition {
  /** From 0. */
  readonly partition: number
  /** Broker id of its leader now; -1 while there is none. */
  readonly leader: number
  /** Goes up each time the partition gets a new leader. */
  readonly leaderEpoch: number
  /** Broker ids of its replicas; one so far. While nobody leads, those that it had last. */
  readonly replicas: readonly number[]
  /** Broker ids of the replicas that are in sync. */
  readonly isr: readonly number[]
  /** First offset that can be read. */
  readonly startOffset: number
  /** One past the last offset that can be read: the high watermark. */
  readonly endOffset: number
  /** Log memory that it holds: whole extents of 16 KiB to 8 MiB, whatever is in them. */
  readonly heldBytes: number
  /** Records that went because log memory was full. */
  readonly trimmedRecords: number
  /** Records that went by `retention.ms` and `retention.bytes`. */
  readonly expiredRecords: number
}

/** A topic and its partitions as they are at this moment. */
export interface DescribedTopic {
  readonly name: string
  /** 22 characters of base64url (KIP-516). */
  readonly topicId: string
  /** One of millrace's own: its name begins with two underscores. */
  readonly isInternal: boolean
  /** The configs that were set, in Kafka's names. `describeConfigs` gives all. */
  readonly config: Readonly<Record<string, string>>
  readonly partitions: readonly DescribedPartition[]
}

/** Internal topics, as Kafka names them. */
export function isInternalTopic(name: string): boolean {
  return name.startsWith('__')
}

/** From the image; throws UNKNOWN_TOPIC_OR_PARTITION. */
export function existingTopic(engine: Pick<EmbeddedEngine, 'metadata'>, name: string): TopicImage {
  const topic = engine.metadata.topic(name)
  if (topic !== undefined) return topic
  throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}": make it with millrace.topic("${name}")`, {
    retriable: false,
  })
}

/** Throws UNKNOWN_TOPIC_OR_PARTITION. */
export function describedTopic(engine: EmbeddedEngine, name: string): DescribedTopic {
  for (;;) {
    const topic = existingTopic(engine, name)
    const partitions = describedPartitions(engine, topic)
    // Deleted meanwhile: the image says so now, or has another one of its name.
    if (partitions === undefined) continue
    const config = { ...engine.metadata.topicConfig(name) }
    return { name, topicId: formatTopicId(topic.topicId), isInternal: isInternalTopic(name), config, partitions }
  }
}

/** Undefined when a row is another topic's by now. */
function describedPartitions(engine: EmbeddedEngine, { topicId, partitions }: TopicImage): DescribedPartition[] | undefined {
  const described: DescribedPartition[] = []
  for (const { partitionId: partition, slot, replicas, isr } of partitions) {
    const control = engine.controlBlock(slot)
    const { leaderBroker: leader, leaderEpoch, logStartOffset: startOffset, highWatermark: endOffset } = control
    const { trimmedRecords, expiredRecords } = control
    const heldBytes = control.heldGranules * GRANULE_BYTES
    const offsets = { startOffset, endOffset, heldBytes, trimmedRecords, expiredRecords }
    described.push({ partition, leader, leaderEpoch, replicas, isr, ...offsets })
    if (!control.isInUse || !equalTopicIds(control.topicId, topicId)) return undefined
  }
  return described
}
