// Loops over partitions that were assigned by hand to a consumer that has a group all the same
// (Kafka: the standalone consumer): nobody else is asked who reads them, offsets are committed
// by no member. Runs on its user's thread.

import type { GroupConsumer } from './group-consumer.ts'
import type { GroupReading, ReadingGroup } from './group-reading.ts'
import type { BoundPartition } from './manual-assignment.ts'
import type { OwnedPartition } from './owned-partition.ts'

export class AssignedPartitions implements ReadingGroup {
  readonly fence = undefined
  readonly #group: GroupConsumer
  readonly #partitions: readonly BoundPartition[]
  #owned: OwnedPartition[] = []

  constructor(group: GroupConsumer, partitions: readonly BoundPartition[]) {
    this.#group = group
    this.#partitions = partitions
  }

  /** Those without a position go on where the group has committed. */
  async begin(reading: GroupReading): Promise<void> {
    this.#owned = this.#partitions.map(({ topic, partition }) => this.#group.partitions.own(topic, partition, reading))
    await this.#group.partitions.position(
      this.#owned.filter(({ fetcher }) => fetcher.isUnset),
      'anybody',
    )
    for (const partition of this.#owned) {
      if (partition.state !== 'coming') continue
      partition.state = 'reading'
      reading.add(partition)
    }
  }

  asked(): void {
    // Nobody waits for this one to come back.
  }

  mayHandOut(): boolean {
    return true
  }

  handedOut(): number {
    return 0
  }

  noteSettled(): void {
    this.#group.commits.noteSettled()
  }

  /** What was not settled comes again, in the loop after this one too. */
  async ended(): Promise<void> {
    const owned = this.#owned
    const { commits } = this.#group
    if (commits.isAutomatic) await commits.commitSettled(owned).catch(() => undefined)
    for (const { fetcher, unsettledFrom } of owned) if (unsettledFrom !== undefined) fetcher.seek(unsettledFrom)
    this.#group.partitions.forget(owned)
  }
}
