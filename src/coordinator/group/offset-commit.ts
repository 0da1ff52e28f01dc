// OffsetCommit: who may commit, and which partitions. What may not is told partition by
// partition, and the rest is committed all the same.
// Pure. Holds: every offset that is written has the id of its topic, and the time at which it was committed.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { ErrorName, KafkaErrorName } from '../../errors.ts'
import type { TopicImage } from '../../metadata/metadata-image.ts'
import type {
  OffsetCommitRequest,
  OffsetCommitRequestPartition,
  OffsetCommitRequestTopic,
  OffsetCommitResponse,
} from '../../protocol/messages/08-offset-commit.ts'
import type { CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import type { CheckedBy, GroupRecord } from './group.ts'
import { kafkaError } from './group-errors.ts'
import { isZero, offsetCommitRecord } from './offsets.ts'
import type { OffsetsOptions } from './offsets.ts'

/** Longest text that a record's key holds, in bytes. */
const GROUP_ID_BYTES_MAX = 0x7fff

export class OffsetCommits {
  readonly #options: OffsetsOptions

  constructor(options: OffsetsOptions) {
    this.#options = options
  }

  /**
   * A group that is not known is made, when it is not a member who commits. `wallMs`: now. Of older versions a listener says
   * ILLEGAL_GENERATION for GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH. Retention times of old clients count for nothing: the
   * record that has one has no topic id.
   */
  commit(requestId: RequestId, request: OffsetCommitRequest, wallMs: number): CoordinatorStep<GroupRecord> {
    const checked = this.#check(request)
    if (checked !== 'NONE') return { replies: [{ requestId, response: allRefused(request, checked) }] }
    const records: GroupRecord[] = []
    const topics = request.topics.map((asked) => {
      const topic = this.#topicOf(asked)
      const partitions = asked.partitions.map((partition) => {
        const error = typeof topic === 'string' ? topic : this.#checkPartition(topic, partition)
        if (error === 'NONE') records.push(this.#record(request.groupId, topic as TopicImage, partition, wallMs))
        return { partitionIndex: partition.partitionIndex, errorCode: KAFKA_ERRORS[error] }
      })
      const { name, topicId } = typeof topic === 'string' ? asked : topic
      return { name, topicId, partitions }
    })
    const response: OffsetCommitResponse = { throttleTimeMs: 0, topics }
    return {
      records,
      replies: [{ requestId, response }],
      failed: (error) =>
        isTooLarge(error) ? { replies: [{ requestId, response: allRefused(request, 'INVALID_COMMIT_OFFSET_SIZE') }] } : {},
    }
  }

  #check({ groupId, memberId, groupInstanceId, generationIdOrMemberEpoch }: OffsetCommitRequest): CheckedBy {
    if (typeof groupId !== 'string' || Buffer.byteLength(groupId) > GROUP_ID_BYTES_MAX) return 'INVALID_GROUP_ID'
    const group = this.#options.groups.get(groupId)
    const isMember = generationIdOrMemberEpoch >= 0
    if (group === undefined) return isMember ? 'GROUP_ID_NOT_FOUND' : 'NONE'
    // Whoever is no member may commit while there are none.
    if (!isMember && group.state() === 'Empty') return 'NONE'
    return group.checkCommit(memberId, groupInstanceId, generationIdOrMemberEpoch)
  }

  /** By its id, where it is said (v10); then a name beside it must be that of the id. */
  #topicOf({ name, topicId }: OffsetCommitRequestTopic): TopicImage | KafkaErrorName {
    const image = this.#options.image()
    if (isZero(topicId)) return image.topic(name) ?? 'UNKNOWN_TOPIC_OR_PARTITION'
    const topic = image.topicById(topicId)
    return topic !== undefined && (name === '' || name === topic.name) ? topic : 'UNKNOWN_TOPIC_ID'
  }

  #checkPartition(topic: TopicImage, { partitionIndex, committedMetadata }: OffsetCommitRequestPartition): KafkaErrorName {
    if (topic.partitions[partitionIndex] === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
    // UTF-16 units, whatever the name of the config says: what Kafka takes is taken here.
    const isTooLong = (committedMetadata?.length ?? 0) > this.#options.config.offsetMetadataMaxBytes
    return isTooLong ? 'OFFSET_METADATA_TOO_LARGE' : 'NONE'
  }

  #record(groupId: string, { name, topicId }: TopicImage, partition: OffsetCommitRequestPartition, wallMs: number): GroupRecord {
    return offsetCommitRecord(groupId, name, partition.partitionIndex, {
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? '',
      commitTimeMs: wallMs,
      expireTimeMs: -1,
      topicId,
    })
  }
}

/** Why a log refuses a batch whatever room it has. */
function isTooLarge(error: ErrorName): boolean {
  return error === 'MESSAGE_TOO_LARGE' || error === 'RECORD_LIST_TOO_LARGE'
}

/** Every partition of the request refused for one reason. */
export function allRefused(request: OffsetCommitRequest, error: ErrorName): OffsetCommitResponse {
  const errorCode = kafkaError(error)
  const topics = request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }))
  return { throttleTimeMs: 0, topics }
}
