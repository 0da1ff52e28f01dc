// Partitions and offsets as a consumer's user names them, and the check of what is to be
// committed. Runs on the user's thread.

import { show } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import type { BoundTopic } from '../topic.ts'
import type { Topic } from '../topic-definition.ts'
import type { OffsetToCommit as CheckedOffset } from './shared-commit.ts'

/** A bound topic of whatever key and value. */
export type AnyTopic = Topic<unknown, unknown, never, never>

/** A partition, by number from 0. */
export interface TopicPartition {
  /** A bound topic, or the name of one that the consumer reads, or was assigned or asked about. */
  readonly topic: AnyTopic | string
  readonly partition: number
}

/** What `offsetsForTimes` looks for: the first record of a partition at or after a time, in milliseconds since the epoch. */
export interface TimestampQuery extends TopicPartition {
  readonly timestamp: number
}

/** What `commitOffsets` commits of a partition (Kafka: OffsetAndMetadata). */
export interface OffsetToCommit extends TopicPartition {
  /** Of the next record to be read. */
  readonly offset: number
  /** A note that comes back with the offset; at most offset.metadata.max.bytes. Default: ''. */
  readonly metadata?: string
  /** The leader's epoch of the record before. Default: -1, not said. */
  readonly leaderEpoch?: number
}

/** Throws OFFSET_OUT_OF_RANGE, INVALID_REQUEST, and what `bound` does. */
export function offsetsToCommit(offsets: Iterable<OffsetToCommit>, bound: (topic: AnyTopic | string) => BoundTopic): CheckedOffset[] {
  return [...offsets].map(({ topic, partition, offset, metadata = '', leaderEpoch = -1 }) => {
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `an offset is a whole number from 0 to 2^53 - 1, not ${String(offset)}`)
    if (typeof metadata !== 'string') throw new MillraceError('INVALID_REQUEST', `metadata of an offset is a string, not ${show(metadata)}`)
    if (!Number.isInteger(leaderEpoch))
      throw new MillraceError('INVALID_REQUEST', `a leader's epoch is a whole number, not ${show(leaderEpoch)}`)
    return { topic: bound(topic), partition, offset, metadata, leaderEpoch }
  })
}
