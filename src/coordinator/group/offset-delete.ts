// OffsetDelete (KIP-496): offsets of topics that nobody of the group reads are taken away.
// And offsets of topics that were deleted, which go by themselves.
// Pure.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { KafkaErrorName } from '../../errors.ts'
import type { MetadataDelta } from '../../metadata/metadata-delta.ts'
import type { OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import type { CoordinatorReply, CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import type { Group, GroupRecord } from './group.ts'
import { offsetTombstone } from './offsets.ts'
import type { Offsets, OffsetsOptions } from './offsets.ts'

/** So that a batch of tombstones stays far below the largest that a log takes. */
export const TOMBSTONES_A_BATCH = 1_000

export class OffsetDeletes {
  readonly #options: OffsetsOptions
  readonly #offsets: Offsets

  constructor(options: OffsetsOptions, offsets: Offsets) {
    this.#options = options
    this.#offsets = offsets
  }

  /** A partition of which nothing is committed is no error. */
  delete(requestId: RequestId, { groupId, topics }: OffsetDeleteRequest): CoordinatorStep<GroupRecord> {
    const answer = (error: KafkaErrorName, answered: OffsetDeleteResponse['topics']): CoordinatorReply[] => [
      { requestId, response: { errorCode: KAFKA_ERRORS[error], throttleTimeMs: 0, topics: answered } satisfies OffsetDeleteResponse },
    ]
    const group = this.#options.groups.get(groupId)
    const refused = check(groupId, group)
    if (group === undefined || refused !== 'NONE') return { replies: answer(refused, []) }
    const records: GroupRecord[] = []
    const answered = topics.map((topic) => {
      const error = this.#checkTopic(group, topic)
      for (const { partitionIndex } of error === 'NONE' ? topic.partitions : []) {
        const isThere = this.#offsets.recorded(groupId, topic.name, partitionIndex) !== undefined
        if (isThere) records.push(offsetTombstone(groupId, topic.name, partitionIndex))
      }
      const errorCode = KAFKA_ERRORS[error]
      return { name: topic.name, partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
    })
    return { records, replies: answer('NONE', answered) }
  }

  /** Steps of bounded size; nothing follows for a group that has committed nothing of a deleted topic. */
  topicsDeleted(delta: MetadataDelta): CoordinatorStep<GroupRecord>[] {
    const records: GroupRecord[] = []
    for (const { name } of delta.deletedTopics()) records.push(...this.#offsets.tombstonesOfDeleted(name, delta.image))
    return inBatches(records)
  }

  #checkTopic(group: Group, { name }: OffsetDeleteRequestTopic): KafkaErrorName {
    if (this.#options.image().topic(name) === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
    return group.isSubscribedTo(name) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
  }
}

function check(groupId: string, group: Group | undefined): KafkaErrorName {
  if (groupId === '') return 'INVALID_GROUP_ID'
  if (group === undefined || group.state() === 'Dead') return 'GROUP_ID_NOT_FOUND'
  // What members of a protocol other than Kafka's consumers read is not known.
  return group.memberCount() > 0 && group.protocolType() !== 'consumer' ? 'NON_EMPTY_GROUP' : 'NONE'
}

function inBatches(records: readonly GroupRecord[]): CoordinatorStep<GroupRecord>[] {
  const steps: CoordinatorStep<GroupRecord>[] = []
  for (let i = 0; i < records.length; i += TOMBSTONES_A_BATCH) steps.push({ records: records.slice(i, i + TOMBSTONES_A_BATCH) })
  return steps
}
