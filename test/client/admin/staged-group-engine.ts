// The engine as calls about groups see it, with coordinators that have no threads: two
// partitions of `__consumer_offsets`, and logs of which there are ends and times alone.

import { CoordinatorFixture } from '../../coordinator/group/coordinator-fixture.ts'
import { coordinatorPartition } from '../../../src/coordinator/group/coordinator-partition.ts'
import type { CallEnd, GroupCoordinators, GroupEngine } from '../../../src/client/admin/group-engine.ts'
import type { GroupApi, GroupRequestOf, GroupResponseOf } from '../../../src/coordinator/group/group-requests.ts'
import type { OffsetQuery } from '../../../src/engine/partition-calls.ts'
import { MillraceError } from '../../../src/errors.ts'
import type { MetadataImage, PartitionImage } from '../../../src/metadata/metadata-image.ts'
import type { ListedOffset } from '../../../src/partition/list-offsets.ts'

const PARTITIONS = 2

interface Ends {
  readonly start: number
  readonly end: number
  /** Offset of the first record at or after any time; none unless given. */
  readonly atTime?: number
}

export class StagedGroupEngine implements GroupEngine, GroupCoordinators {
  readonly coordinators = Array.from({ length: PARTITIONS }, () => new CoordinatorFixture())
  /** By `topic-partition`; 0 and 0 unless given. */
  readonly ends = new Map<string, Ends>()
  /** What was asked, and of which partition. */
  readonly asked: string[] = []
  /** Before there is a first group there is no partition. */
  hasPartitions = true
  readonly groups = this

  get metadata(): MetadataImage {
    return this.coordinators[0]!.metadata.image
  }

  get partitions(): readonly PartitionImage[] {
    if (!this.hasPartitions) return []
    return this.coordinators.map((_, partitionId) => ({
      partitionId,
      slot: 50 + partitionId,
      leader: partitionId,
      leaderEpoch: 0,
      partitionEpoch: 0,
      replicas: [partitionId],
      isr: [partitionId],
    }))
  }

  createTopic(name: string, partitions: number): void {
    for (const coordinator of this.coordinators) coordinator.createTopic(name, partitions)
  }

  /** The coordinator of a group. */
  coordinatorOf(groupId: string): CoordinatorFixture {
    return this.coordinators[coordinatorPartition(groupId, PARTITIONS)]!
  }

  async ask<Api extends GroupApi>(
    api: Api,
    groupId: string,
    request: GroupRequestOf<Api>,
    options: CallEnd,
  ): Promise<GroupResponseOf<Api>> {
    return this.askPartition(api, this.partitions[coordinatorPartition(groupId, PARTITIONS)]!, request, options)
  }

  async askPartition<Api extends GroupApi>(
    api: Api,
    { partitionId }: PartitionImage,
    request: GroupRequestOf<Api>,
    { signal }: CallEnd,
  ): Promise<GroupResponseOf<Api>> {
    await this.mayAnswer(signal)
    this.asked.push(`${api} of ${partitionId}`)
    return this.coordinators[partitionId]!.ask(api, request)
  }

  async mayAnswer(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw new MillraceError('ABORTED', 'the call was aborted by its signal')
  }

  async listOffsets(queries: readonly OffsetQuery[]): Promise<(ListedOffset | null)[]> {
    return queries.map(({ topic, partition, spec }) => {
      const { start, end, atTime }: Ends = this.ends.get(`${topic}-${partition}`) ?? { start: 0, end: 0 }
      const offset = spec === 'earliest' ? start : spec === 'latest' ? end : atTime
      return offset === undefined ? null : { offset, timestampMs: -1, leaderEpoch: 0 }
    })
  }
}
