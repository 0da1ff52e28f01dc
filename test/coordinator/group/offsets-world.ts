// What a group coordinator has of committed offsets, over a log without memory or threads:
// records go through their bytes, are replayed, and are committed when the test says so.

import { OffsetCommits } from '../../../src/coordinator/group/offset-commit.ts'
import { OffsetDeletes } from '../../../src/coordinator/group/offset-delete.ts'
import { OffsetExpiry } from '../../../src/coordinator/group/offset-expiry.ts'
import { OffsetFetches } from '../../../src/coordinator/group/offset-fetch.ts'
import { GroupAdmin } from '../../../src/coordinator/group/group-admin.ts'
import type { CheckedBy, Group, GroupProtocol, GroupRecord, GroupState, OffsetsUnusedSince } from '../../../src/coordinator/group/group.ts'
import { Offsets } from '../../../src/coordinator/group/offsets.ts'
import type { OffsetCommitRecord } from '../../../src/coordinator/group/offsets.ts'
import type { CoordinatorStep } from '../../../src/coordinator/coordinator-shard.ts'
import { SnapshotRegistry, TimelineMap } from '../../../src/coordinator/timeline.ts'
import { TOPIC_ID_ZERO } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import { decodeCoordinatorRecord, encodeCoordinatorKey, encodeCoordinatorValue } from '../../../src/protocol/coordinator-record.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../../src/protocol/messages/08-offset-commit.ts'
import type { OffsetFetchRequestGroup, OffsetFetchResponseGroup } from '../../../src/protocol/messages/09-offset-fetch.ts'
import { GROUP_RECORDS } from '../../../src/protocol/records/group-records.ts'
import { MetadataWorld } from '../../metadata/metadata-world.ts'

export const DAY_MS = 86_400_000
export const RETENTION_MS = 7 * DAY_MS
export const CHECK_INTERVAL_MS = 600_000

/** A group that is what the test says. */
export class StagedGroup implements Group {
  readonly groupId: string
  readonly protocol: GroupProtocol
  isEmpty = false
  readonly topics = new Set<string>()
  unusedSince: OffsetsUnusedSince = { kind: 'in use' }
  commitCheck: CheckedBy = 'NONE'
  fetchCheck: CheckedBy = 'NONE'
  type = 'consumer'

  constructor(groupId: string, protocol: GroupProtocol = 'consumer') {
    this.groupId = groupId
    this.protocol = protocol
  }

  protocolType(): string {
    return this.type
  }
  state(): GroupState {
    return this.isEmpty ? 'Empty' : 'Stable'
  }
  memberCount(): number {
    return this.isEmpty ? 0 : 1
  }
  checkCommit(): CheckedBy {
    return this.commitCheck
  }
  checkFetch(): CheckedBy {
    return this.fetchCheck
  }
  checkDelete(): CheckedBy {
    return this.isEmpty ? 'NONE' : 'NON_EMPTY_GROUP'
  }
  isSubscribedTo(topic: string): boolean {
    return this.topics.has(topic)
  }
  offsetsUnusedSince(): OffsetsUnusedSince {
    return this.unusedSince
  }
  tombstones(): GroupRecord[] {
    return [{ type: 'ConsumerGroupMetadata', key: { groupId: this.groupId }, version: -1, value: null }]
  }
}

export class OffsetsWorld {
  readonly metadata = new MetadataWorld(1)
  readonly registry = new SnapshotRegistry()
  readonly groups = new TimelineMap<string, Group>(this.registry)
  readonly log: GroupRecord[] = []
  /** Of the snapshot that is committed. */
  committed = 0
  wallMs = 1_000_000_000_000
  nowMs = 0
  /** By name. */
  readonly timers = new Map<string, number | undefined>()
  readonly offsets: Offsets
  readonly commits: OffsetCommits
  readonly fetches: OffsetFetches
  readonly deletes: OffsetDeletes
  readonly expiry: OffsetExpiry
  readonly admin: GroupAdmin
  #requests = 0

  /** `groups`: those that stand there before the log begins. */
  constructor(groups: readonly Group[] = []) {
    const config = {
      offsetMetadataMaxBytes: 10,
      offsetsRetentionMs: RETENTION_MS,
      offsetsRetentionCheckIntervalMs: CHECK_INTERVAL_MS,
    }
    const options = { registry: this.registry, groups: this.groups, config, image: () => this.metadata.image }
    this.offsets = new Offsets(options)
    this.commits = new OffsetCommits(options)
    this.fetches = new OffsetFetches(options, this.offsets)
    this.deletes = new OffsetDeletes(options, this.offsets)
    this.expiry = new OffsetExpiry(options, this.offsets)
    this.admin = new GroupAdmin(options, this.offsets)
    for (const group of groups) this.groups.set(group.groupId, group)
    this.registry.snapshot(0)
  }

  get requestId(): number {
    return ++this.#requests
  }

  /** Appends and replays; the response of the step's only reply. */
  take<Response>(step: CoordinatorStep<GroupRecord>): Response | undefined {
    for (const record of step.records ?? []) {
      const { key, value } = encoded(record)
      const read = decodeCoordinatorRecord(GROUP_RECORDS, key, value)
      this.log.push(read)
      this.replay(read)
    }
    this.registry.snapshot(this.log.length)
    step.applied?.()
    for (const { timer, atMs } of step.timers ?? []) this.timers.set(timer, atMs)
    return step.replies?.[0]?.response as Response | undefined
  }

  replay(record: GroupRecord): void {
    if (record.type === 'OffsetCommit' || record.type === 'LegacyOffsetCommit') this.offsets.replay(record as OffsetCommitRecord)
    else if (record.value === null) this.groups.delete('group' in record.key ? record.key.group : record.key.groupId)
  }

  /** The watermark has come to the end of the log. */
  commitLog(): void {
    this.committed = this.log.length
    this.registry.deleteBelow(this.committed)
  }

  commit(groupId: string, offsets: Readonly<Record<string, number>>, also: Partial<OffsetCommitRequest> = {}): OffsetCommitResponse {
    const request = commitRequest(groupId, offsets, also)
    return this.take<OffsetCommitResponse>(this.commits.commit(this.requestId, request, this.wallMs))!
  }

  fetch(groupId: string, partitions: readonly string[] | null, also: Partial<OffsetFetchRequestGroup> = {}): OffsetFetchResponseGroup {
    const topics = partitions && byTopic(partitions).map(([name, partitionIndexes]) => ({ name, topicId: TOPIC_ID_ZERO, partitionIndexes }))
    const asked = { groupId, memberId: null, memberEpoch: -1, topics, ...also }
    const request = { groupId: '', topics: null, groups: [asked], requireStable: true }
    return this.fetches.fetch(request, this.committed).groups[0]!
  }

  /** `topic-partition` to offset, of all that is committed. */
  all(groupId: string): Record<string, number> {
    const { topics } = this.fetch(groupId, null)
    return Object.fromEntries(
      topics.flatMap(({ name, partitions }) => partitions.map((p) => [`${name}-${p.partitionIndex}`, p.committedOffset])),
    )
  }

  /** Fires the timer until it is set for later; the records of each batch. */
  expire(): number[] {
    const batches: number[] = []
    do {
      const before = this.log.length
      this.take(this.expiry.expire(this.nowMs, this.wallMs))
      batches.push(this.log.length - before)
    } while (this.timers.get('expire') === this.nowMs)
    return batches
  }

  topicId(name: string): TopicId {
    return this.metadata.image.topic(name)!.topicId
  }

  deleteTopic(name: string): void {
    const delta = this.metadata.apply(this.metadata.controller.deleteTopic({ name }))
    for (const step of this.deletes.topicsDeleted(delta)) this.take(step)
  }
}

function encoded(record: GroupRecord): { key: Uint8Array; value: Uint8Array | null } {
  const kind = GROUP_RECORDS[record.type] as (typeof GROUP_RECORDS)['OffsetCommit']
  const key = encodeCoordinatorKey(kind, record.key as never)
  return { key, value: record.value === null ? null : encodeCoordinatorValue(kind, record.version, record.value as never) }
}

/** Of `topic-partition` to offset. */
export function commitRequest(
  groupId: string,
  offsets: Readonly<Record<string, number>>,
  also: Partial<OffsetCommitRequest> = {},
): OffsetCommitRequest {
  const topics = byTopic(Object.keys(offsets)).map(([name, partitions]) => ({
    name,
    topicId: TOPIC_ID_ZERO,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: offsets[`${name}-${partitionIndex}`]!,
      committedLeaderEpoch: 3,
      committedMetadata: null,
    })),
  }))
  return { groupId, memberId: '', generationIdOrMemberEpoch: -1, groupInstanceId: null, retentionTimeMs: -1, topics, ...also }
}

export function byTopic(partitions: readonly string[]): [topic: string, partitions: number[]][] {
  const topics = new Map<string, number[]>()
  for (const partition of partitions) {
    const at = partition.lastIndexOf('-')
    const topic = partition.slice(0, at)
    topics.set(topic, [...(topics.get(topic) ?? []), Number(partition.slice(at + 1))])
  }
  return [...topics]
}

/** The errors of a response's partitions, by `topic-partition`. */
export function errorsOf({ topics }: Pick<OffsetCommitResponse, 'topics'>): Record<string, number> {
  return Object.fromEntries(topics.flatMap(({ name, partitions }) => partitions.map((p) => [`${name}-${p.partitionIndex}`, p.errorCode])))
}
