// Offsets that groups have committed: read, set and deleted from outside (Kafka:
// listConsumerGroupOffsets, alterConsumerGroupOffsets, deleteConsumerGroupOffsets). Runs on
// the user's thread.
// Holds: what is set or deleted is of the topic that the caller sees, not of one that was made
// again under its name meanwhile.

import { show } from '../../config-def.ts'
import type { PartitionRow } from '../../engine/partition-calls.ts'
import { KAFKA_ERRORS, MillraceError } from '../../errors.ts'
import { doEach } from './each-item.ts'
import { checkAnswer, groupError } from './group-engine.ts'
import type { GroupEngine } from './group-engine.ts'
import { byName } from './group-partitions.ts'
import { partitionRow, topicRows } from './partition-offsets.ts'
import { checkTopicName } from '../topic-definition.ts'

/** What a group has committed of a partition (Kafka: OffsetAndMetadata). */
export interface GroupOffset {
  readonly topic: string
  readonly partition: number
  /** The next record that the group reads. */
  readonly offset: number
  /** Of the record before it; null where whoever committed did not say. */
  readonly leaderEpoch: number | null
  /** What was committed with it; '' for nothing. */
  readonly metadata: string
}

/** An offset to be set, with what goes with it (Kafka: OffsetAndMetadata). */
export interface OffsetAndMetadata {
  readonly offset: number
  readonly leaderEpoch?: number | undefined
  readonly metadata?: string | undefined
}

/** By topic, then partition. */
export type OffsetsByTopic = Readonly<Record<string, Readonly<Record<number, number | OffsetAndMetadata>>>>

/** An offset of a partition, checked. */
export interface NewOffset {
  readonly row: PartitionRow
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
}

/** All of a group, by topic and partition; none of a group that is not there. */
export async function listGroupOffsets({ groups }: GroupEngine, groupId: string, signal: AbortSignal | undefined): Promise<GroupOffset[]> {
  if (groups.partitions.length === 0) return []
  const asked = { groupId, memberId: null, memberEpoch: -1, topics: null }
  const request = { groupId: '', topics: null, groups: [asked], requireStable: true }
  const answer = await groups.ask('offsetFetch', groupId, request, { signal })
  const { errorCode, topics } = answer.groups[0]!
  checkAnswer(errorCode, groupId)
  const offsets = topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode: error }) => {
      checkAnswer(error, groupId, title(topic, partitionIndex))
      const leaderEpoch = committedLeaderEpoch < 0 ? null : committedLeaderEpoch
      return { topic, partition: partitionIndex, offset: committedOffset, leaderEpoch, metadata: metadata ?? '' }
    }),
  )
  return offsets.sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** Throws INVALID_REQUEST, OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION. */
export function newOffsets(engine: GroupEngine, offsets: OffsetsByTopic): NewOffset[] {
  return byName(offsets, 'alterGroupOffsets').flatMap(([topic, byPartition]) => {
    const rows = topicRows(engine, checkTopicName(topic))
    return byName(byPartition, 'alterGroupOffsets').map(([partition, given]) => {
      const row = partitionRow(rows, topic, /^\d+$/.test(partition) ? Number(partition) : partition)
      return { row, ...newOffset(given) }
    })
  })
}

/** In one batch. Rejects with NON_EMPTY_GROUP, and of partitions with UNKNOWN_TOPIC_ID, OFFSET_METADATA_TOO_LARGE. */
export async function alterGroupOffsets(
  { groups }: GroupEngine,
  groupId: string,
  offsets: readonly NewOffset[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (offsets.length === 0) return
  const topics = inTopics(offsets).map((ofTopic) => {
    const { topic: name, topicId } = ofTopic[0]!.row
    const partitions = ofTopic.map(({ row, offset, leaderEpoch, metadata }) => ({
      partitionIndex: row.partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    }))
    return { name, topicId, partitions }
  })
  const nobody = { memberId: '', groupInstanceId: null, generationIdOrMemberEpoch: -1, retentionTimeMs: -1 }
  const answer = await groups.ask('offsetCommit', groupId, { groupId, ...nobody, topics }, { signal })
  await eachAnswered(groupId, answer.topics)
}

/** Rejects with GROUP_ID_NOT_FOUND, and of partitions with GROUP_SUBSCRIBED_TO_TOPIC. */
export async function deleteGroupOffsets(
  { groups }: GroupEngine,
  groupId: string,
  rows: readonly PartitionRow[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (groups.partitions.length === 0) throw groupError('GROUP_ID_NOT_FOUND', groupId)
  const topics = inTopics(rows.map((row) => ({ row }))).map((ofTopic) => ({
    name: ofTopic[0]!.row.topic,
    partitions: ofTopic.map(({ row }) => ({ partitionIndex: row.partition })),
  }))
  const answer = await groups.ask('offsetDelete', groupId, { groupId, topics }, { signal })
  checkAnswer(answer.errorCode, groupId)
  await eachAnswered(groupId, answer.topics)
}

interface AnsweredTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

async function eachAnswered(groupId: string, topics: readonly AnsweredTopic[]): Promise<void> {
  const answers = topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, ...partition })))
  // Whoever is no member may set offsets of a group only while it has none, and then no partition is set.
  if (answers.some(({ errorCode }) => MEMBERS_ONLY.has(errorCode))) throw groupError('NON_EMPTY_GROUP', groupId)
  await doEach(
    answers.map(({ topic, partitionIndex, errorCode }) => ({
      name: `${topic}-${partitionIndex}`,
      run: async () => checkAnswer(errorCode, groupId, title(topic, partitionIndex)),
    })),
  )
}

const MEMBERS_ONLY: ReadonlySet<number> = new Set([
  KAFKA_ERRORS.UNKNOWN_MEMBER_ID,
  KAFKA_ERRORS.ILLEGAL_GENERATION,
  KAFKA_ERRORS.STALE_MEMBER_EPOCH,
])

function newOffset(given: unknown): Omit<NewOffset, 'row'> {
  const {
    offset,
    leaderEpoch = -1,
    metadata = '',
  }: Partial<Record<keyof OffsetAndMetadata, unknown>> = typeof given === 'object' && given !== null ? given : { offset: given }
  if (!isOffset(offset)) throw wrongOffset(offset)
  if (leaderEpoch !== -1 && !isOffset(leaderEpoch)) {
    throw new MillraceError('INVALID_REQUEST', `leaderEpoch is a whole number from 0 on; ${show(leaderEpoch)} was given`)
  }
  if (typeof metadata === 'string') return { offset, leaderEpoch, metadata }
  throw new MillraceError('INVALID_REQUEST', `metadata of an offset is a text; ${show(metadata)} was given`)
}

export function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export function wrongOffset(given: unknown): MillraceError {
  return new MillraceError('OFFSET_OUT_OF_RANGE', `an offset is a whole number from 0 on; ${show(given)} was given`)
}

function inTopics<Each extends { readonly row: PartitionRow }>(all: readonly Each[]): Each[][] {
  return [...Map.groupBy(all, ({ row }) => row.topic).values()]
}

function title(topic: string, partition: number): string {
  return `topic ${show(topic)}, partition ${partition}`
}
