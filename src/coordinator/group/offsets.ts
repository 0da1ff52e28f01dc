// The offsets that groups have committed, of one partition of `__consumer_offsets`
// (Kafka: OffsetMetadataManager): by group, topic and partition, as OffsetCommit records
// say. What is read is read as it was committed.
// Pure. Holds: only replay changes an offset. An offset belongs to one topic id: of a topic
// that was deleted and made again, or that lived in the memory of an earlier process, none counts.

import { TOPIC_ID_ZERO, equalTopicIds } from '../../ids.ts'
import type { TopicId } from '../../ids.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import { LATEST, TimelineMap } from '../timeline.ts'
import type { SnapshotRegistry } from '../timeline.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import type { Group, GroupRecord } from './group.ts'
import { SimpleGroup } from './simple-group.ts'

/** What of a coordinator's configs is about offsets. */
export type OffsetsConfig = Pick<
  GroupCoordinatorConfig,
  'offsetMetadataMaxBytes' | 'offsetsRetentionMs' | 'offsetsRetentionCheckIntervalMs'
>

/** What the parts of a coordinator share. */
export interface OffsetsOptions {
  readonly registry: SnapshotRegistry
  readonly groups: TimelineMap<string, Group>
  readonly config: OffsetsConfig
  /** The cluster as this coordinator knows it. */
  readonly image: () => MetadataImage
}

/** What a group has committed of a partition. */
export interface CommittedOffset {
  /** The next record to be read. */
  readonly offset: number
  /** Of the record before it; -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Wall-clock time. */
  readonly commitTimeMs: number
  /** Wall-clock time at which it may go, set by clients before Kafka 2.1; -1: as the group's other offsets. */
  readonly expireTimeMs: number
  /** Zero: written by a Kafka that did not say it. It counts as of the topic that has the name now. */
  readonly topicId: TopicId
}

/** By partition. */
export type TopicOffsets = TimelineMap<number, CommittedOffset>
/** By topic. None is empty. */
export type GroupOffsets = TimelineMap<string, TopicOffsets>

export type OffsetCommitRecord = Extract<GroupRecord, { readonly type: 'OffsetCommit' | 'LegacyOffsetCommit' }>

/** The first of OffsetCommitValue that has a topic id. */
const OFFSET_COMMIT_VERSION = 4

export class Offsets {
  readonly #registry: SnapshotRegistry
  readonly #groups: TimelineMap<string, Group>
  readonly #image: () => MetadataImage
  readonly #offsets: TimelineMap<string, GroupOffsets>

  constructor({ registry, groups, image }: OffsetsOptions) {
    this.#registry = registry
    this.#groups = groups
    this.#image = image
    this.#offsets = new TimelineMap(registry)
  }

  replay({ key, value }: OffsetCommitRecord): void {
    if (value === null) return this.#remove(key.group, key.topic, key.partition)
    // A commit of a group that nobody has made makes it; records of members, where there are any, put theirs in its place.
    if (!this.#groups.has(key.group)) this.#groups.set(key.group, new SimpleGroup(key.group))
    const { offset, metadata, commitTimestamp } = value
    const newer = 'leaderEpoch' in value ? value : undefined
    this.#put(key.group, key.topic, key.partition, {
      offset,
      leaderEpoch: newer?.leaderEpoch ?? -1,
      metadata,
      commitTimeMs: commitTimestamp,
      expireTimeMs: newer?.expireTimestamp ?? -1,
      topicId: newer?.topicId ?? TOPIC_ID_ZERO,
    })
  }

  /** All that a group has committed; undefined: nothing. */
  ofGroup(groupId: string, epoch = LATEST): GroupOffsets | undefined {
    return this.#offsets.get(groupId, epoch)
  }

  /** What is recorded, of whichever topic had the name when it was committed. */
  recorded(groupId: string, topic: string, partition: number, epoch = LATEST): CommittedOffset | undefined {
    return this.ofGroup(groupId, epoch)?.get(topic, epoch)?.get(partition, epoch)
  }

  /** What counts: undefined for an offset of another topic of this name. */
  committed(groupId: string, topic: string, partition: number, epoch = LATEST): CommittedOffset | undefined {
    const found = this.recorded(groupId, topic, partition, epoch)
    return found !== undefined && this.counts(topic, found) ? found : undefined
  }

  /** Whether it is of the topic that has the name now. */
  counts(topic: string, { topicId }: CommittedOffset): boolean {
    const current = this.#image().topic(topic)?.topicId
    return current !== undefined && (isZero(topicId) || equalTopicIds(topicId, current))
  }

  /** The records that take all of a group's offsets away. */
  tombstones(groupId: string): GroupRecord[] {
    const records: GroupRecord[] = []
    for (const [topic, partitions] of this.ofGroup(groupId)?.entries() ?? []) {
      for (const partition of partitions.keys()) records.push(offsetTombstone(groupId, topic, partition))
    }
    return records
  }

  /** The records that take the offsets of a topic that was deleted away, of all groups; `image` may have another one of its name. */
  tombstonesOfDeleted(topic: string, image: MetadataImage): GroupRecord[] {
    const current = image.topic(topic)?.topicId
    const records: GroupRecord[] = []
    for (const [groupId, topics] of this.#offsets.entries()) {
      for (const [partition, { topicId }] of topics.get(topic)?.entries() ?? []) {
        if (current === undefined || !equalTopicIds(topicId, current)) records.push(offsetTombstone(groupId, topic, partition))
      }
    }
    return records
  }

  #put(groupId: string, topic: string, partition: number, committed: CommittedOffset): void {
    let topics = this.#offsets.get(groupId)
    if (topics === undefined) this.#offsets.set(groupId, (topics = new TimelineMap(this.#registry)))
    let partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, (partitions = new TimelineMap(this.#registry)))
    partitions.set(partition, committed)
  }

  #remove(groupId: string, topic: string, partition: number): void {
    const topics = this.#offsets.get(groupId)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined) return
    partitions.delete(partition)
    if (partitions.size() === 0) topics.delete(topic)
    if (topics.size() === 0) this.#offsets.delete(groupId)
  }
}

export function offsetCommitRecord(groupId: string, topic: string, partition: number, committed: CommittedOffset): GroupRecord {
  const { offset, leaderEpoch, metadata, commitTimeMs, expireTimeMs, topicId } = committed
  return {
    type: 'OffsetCommit',
    key: { group: groupId, topic, partition },
    version: OFFSET_COMMIT_VERSION,
    value: { offset, leaderEpoch, metadata, commitTimestamp: commitTimeMs, expireTimestamp: expireTimeMs, topicId },
  }
}

export function offsetTombstone(groupId: string, topic: string, partition: number): GroupRecord {
  return { type: 'OffsetCommit', key: { group: groupId, topic, partition }, version: -1, value: null }
}

export function isZero(topicId: TopicId): boolean {
  return equalTopicIds(topicId, TOPIC_ID_ZERO)
}
