// OffsetFetch: what groups have committed, as it stands in the log and cannot be lost.
// Pure. Only reads.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { TopicId } from '../../ids.ts'
import { TOPIC_ID_ZERO } from '../../ids.ts'
import type {
  OffsetFetchRequest,
  OffsetFetchRequestGroup,
  OffsetFetchRequestTopics,
  OffsetFetchResponse,
  OffsetFetchResponseGroup,
  OffsetFetchResponsePartitions,
  OffsetFetchResponseTopics,
} from '../../protocol/messages/09-offset-fetch.ts'
import type { CheckedBy } from './group.ts'
import { kafkaError } from './group-errors.ts'
import { isZero } from './offsets.ts'
import type { CommittedOffset, Offsets, OffsetsOptions } from './offsets.ts'

/** Where nothing is committed. */
const NO_OFFSET = -1

export class OffsetFetches {
  readonly #options: OffsetsOptions
  readonly #offsets: Offsets

  constructor(options: OffsetsOptions, offsets: Offsets) {
    this.#options = options
    this.#offsets = offsets
  }

  /**
   * Of every group named. `committed`: the snapshot to read at, so that what is told is stable, asked for or not. A group that
   * is not known has committed nothing.
   */
  fetch({ groups }: OffsetFetchRequest, committed: number): OffsetFetchResponse {
    return { throttleTimeMs: 0, topics: [], errorCode: 0, groups: groups.map((asked) => this.#group(asked, committed)) }
  }

  #group(asked: OffsetFetchRequestGroup, epoch: number): OffsetFetchResponseGroup {
    const { groupId } = asked
    const error = this.#check(asked, epoch)
    if (error !== 'NONE') return { groupId, topics: [], errorCode: kafkaError(error) }
    const topics = asked.topics === null ? this.#all(groupId, epoch) : asked.topics.map((topic) => this.#named(groupId, topic, epoch))
    return { groupId, topics, errorCode: 0 }
  }

  /** Whoever says nothing of a member is not checked. */
  #check({ groupId, memberId, memberEpoch }: OffsetFetchRequestGroup, epoch: number): CheckedBy {
    if ((memberId === null || memberId === '') && memberEpoch < 0) return 'NONE'
    return this.#options.groups.get(groupId, epoch)?.checkFetch(memberId ?? '', memberEpoch, epoch) ?? 'NONE'
  }

  #named(groupId: string, { name, topicId, partitionIndexes }: OffsetFetchRequestTopics, epoch: number): OffsetFetchResponseTopics {
    const image = this.#options.image()
    const topic = isZero(topicId) ? image.topic(name) : image.topicById(topicId)
    const isUnknownId = !isZero(topicId) && (topic === undefined || (name !== '' && name !== topic.name))
    if (topic === undefined || isUnknownId) {
      const errorCode = isUnknownId ? KAFKA_ERRORS.UNKNOWN_TOPIC_ID : KAFKA_ERRORS.NONE
      return { name, topicId, partitions: partitionIndexes.map((index) => answered(index, undefined, errorCode)) }
    }
    const partitions = partitionIndexes.map((index) => answered(index, this.#offsets.committed(groupId, topic.name, index, epoch)))
    return { name: topic.name, topicId: topic.topicId, partitions }
  }

  #all(groupId: string, epoch: number): OffsetFetchResponseTopics[] {
    const found: OffsetFetchResponseTopics[] = []
    for (const [name, offsets] of this.#offsets.ofGroup(groupId, epoch)?.entries(epoch) ?? []) {
      const partitions: OffsetFetchResponsePartitions[] = []
      for (const [index, committed] of offsets.entries(epoch)) {
        if (this.#offsets.counts(name, committed)) partitions.push(answered(index, committed))
      }
      if (partitions.length > 0) found.push({ name, topicId: this.#topicId(name), partitions })
    }
    return found
  }

  #topicId(name: string): TopicId {
    return this.#options.image().topic(name)?.topicId ?? TOPIC_ID_ZERO
  }
}

function answered(partitionIndex: number, committed: CommittedOffset | undefined, errorCode = 0): OffsetFetchResponsePartitions {
  if (committed === undefined) return { partitionIndex, committedOffset: NO_OFFSET, committedLeaderEpoch: -1, metadata: '', errorCode }
  const { offset, leaderEpoch, metadata } = committed
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode }
}
