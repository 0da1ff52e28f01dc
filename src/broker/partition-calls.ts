// Control calls about one partition, which only its leader can answer. Runs on its broker's thread.

import { MillraceError } from '../errors.ts'
import { equalTopicIds } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import { findOffset } from '../partition/list-offsets.ts'
import type { ListedOffset } from '../partition/list-offsets.ts'
import type { PartitionActor } from '../partition/partition-actor.ts'
import type { DeleteRecordsRequest, ListOffsetsRequest } from './broker-control.ts'
import type { BrokerPartitions } from './broker-partitions.ts'

export class PartitionCalls {
  readonly #brokerId: number
  readonly #partitions: BrokerPartitions

  constructor(brokerId: number, partitions: BrokerPartitions) {
    this.#brokerId = brokerId
    this.#partitions = partitions
  }

  /** Throws NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_ID. */
  listOffsets({ slot, topicId, spec, bound }: ListOffsetsRequest): ListedOffset | null {
    return findOffset(this.#ledBy(slot, topicId).log, this.#partitions.memory, spec, bound)
  }

  /** Throws NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_ID, OFFSET_OUT_OF_RANGE, POLICY_VIOLATION. */
  deleteRecords({ slot, topicId, beforeOffset }: DeleteRecordsRequest): number {
    const start = this.#ledBy(slot, topicId).log.deleteRecordsBefore(beforeOffset)
    this.#partitions.writeWanted(slot)
    return start
  }

  #ledBy(slot: number, topicId: TopicId): PartitionActor {
    const actor = this.#partitions.actorOf(slot)
    if (actor === undefined)
      throw new MillraceError('NOT_LEADER_OR_FOLLOWER', `broker ${this.#brokerId} does not lead the partition of slot ${slot}`)
    if (equalTopicIds(actor.identity.topicId, topicId)) return actor
    throw new MillraceError(
      'UNKNOWN_TOPIC_ID',
      `slot ${slot} belongs to topic ${actor.identity.topic}, not to the one that was asked about`,
    )
  }
}
