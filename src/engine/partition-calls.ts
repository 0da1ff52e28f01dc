// Calls about one partition: what shared memory says is read there, the rest is asked of its
// leader, through changes of leader. Runs on the attached thread.

import type { Clock } from '../clock.ts'
import { equalTopicIds } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { ControlBlock } from '../log/control-block.ts'
import type { FetchBound, ListedOffset, OffsetSpec } from '../partition/list-offsets.ts'
import type { PartitionFiles } from '../storage/segment-files.ts'
import { deletedError, leaderOf } from './leader-calls.ts'
import type { LeaderCalls } from './leader-calls.ts'
import { findOffsetInFiles } from './offsets-in-files.ts'

/** A partition: what it is called, and the row of its control block. */
export interface PartitionRow {
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: number
  readonly slot: number
}

/** One partition, and what is wanted of it. */
export interface OffsetQuery extends PartitionRow {
  readonly spec: OffsetSpec
}

/** What these calls need of their thread's engine. */
export interface PartitionsEngine {
  readonly clock: Clock
  readonly partitionFiles: PartitionFiles
  controlBlock(slot: number): ControlBlock
}

export class PartitionCalls {
  readonly #engine: PartitionsEngine
  readonly #leaders: LeaderCalls

  constructor(engine: PartitionsEngine, leaders: LeaderCalls) {
    this.#engine = engine
    this.#leaders = leaders
  }

  async listOffset(query: OffsetQuery, bound: FetchBound, signal: AbortSignal | undefined): Promise<ListedOffset | null> {
    const { topicId, slot, spec } = query
    const control = this.#controlOf(query)
    if (spec !== 'earliest' && spec !== 'latest') {
      const inMemory = (): Promise<ListedOffset | null> =>
        this.#leaders.ask(control, leaderOf(query), (leader) => leader.listOffsets({ slot, topicId, spec, bound }), signal)
      return control.hasFiles ? findOffsetInFiles({ ...query, control, spec, bound, engine: this.#engine, inMemory }) : inMemory()
    }
    const offset = spec === 'earliest' ? control.logStartOffset : control[bound]
    return { offset, timestampMs: -1, leaderEpoch: control.leaderEpoch }
  }

  async deleteRecords(partition: PartitionRow, offset: number, signal: AbortSignal | undefined): Promise<number> {
    const { slot, topicId } = partition
    const control = this.#controlOf(partition)
    // Said as a number, the end is the same one for the next leader, if this one dies over it.
    const beforeOffset = offset === -1 ? control.highWatermark : offset
    return this.#leaders.ask(control, leaderOf(partition), (leader) => leader.deleteRecords({ slot, topicId, beforeOffset }), signal)
  }

  /** Throws UNKNOWN_TOPIC_ID when the row is not the topic's any more. */
  #controlOf(partition: PartitionRow): ControlBlock {
    const control = this.#engine.controlBlock(partition.slot)
    if (!control.isInUse || control.isDeleting || !equalTopicIds(control.topicId, partition.topicId))
      throw deletedError(leaderOf(partition))
    return control
  }
}
