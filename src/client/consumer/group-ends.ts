// Where a loop of a group with `until: 'end'` ends: when each partition of its topics, whoever
// of the group reads it, has come to where it ended at the start, by this member's position or
// by a committed offset. Runs on the consumer's thread.
// Holds: others are asked about, by what they have committed, only while this loop has nothing
// left to read itself; then what it has settled is committed too, for they wait for that.

import type { Clock, Timer } from '../../clock.ts'
import { groupPartitionKey } from './membership-requests.ts'
import type { CommittedOffset } from './offset-commits.ts'
import type { OwnedPartition } from './owned-partition.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'

/** Between two looks at what others have committed. */
const LOOK_MS = 50

export interface GroupEndsOptions {
  /** All partitions of the topics, as they are now. */
  readonly fetchers: readonly PartitionFetcher[]
  /** undefined: it is not this consumer's. */
  readonly owned: (key: string) => OwnedPartition | undefined
  readonly committed: (fetchers: readonly PartitionFetcher[]) => Promise<(CommittedOffset | null)[]>
  readonly commitOwn: () => Promise<void>
  readonly clock: Clock
  /** Something has changed: ask `areReached` again. */
  readonly wake: () => void
}

export class GroupEnds {
  readonly #options: GroupEndsOptions
  readonly #limits = new Map<string, number>()
  /** Those that were not reached yet. */
  readonly #pending = new Map<string, PartitionFetcher>()
  #timer: Timer | undefined
  #isLooking = false
  #isClosed = false

  constructor(options: GroupEndsOptions) {
    this.#options = options
    for (const fetcher of options.fetchers) {
      const key = keyOf(fetcher)
      const { endOffset } = fetcher
      this.#limits.set(key, endOffset)
      if (endOffset > fetcher.control.logStartOffset) this.#pending.set(key, fetcher)
    }
  }

  /** Up to where it is read; 0: it was not there at the start. */
  of({ fetcher }: OwnedPartition): number {
    return this.#limits.get(keyOf(fetcher)) ?? 0
  }

  areReached(): boolean {
    let isReading = false
    for (const [key, fetcher] of this.#pending) {
      if (this.#options.owned(key)?.state !== 'reading') continue
      if (fetcher.hasReached(this.#limits.get(key)!)) this.#pending.delete(key)
      else isReading = true
    }
    if (this.#pending.size === 0) return true
    if (!isReading) this.#lookSoon(0)
    return false
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #lookSoon(afterMs: number): void {
    if (this.#timer !== undefined || this.#isLooking || this.#isClosed) return
    this.#timer = this.#options.clock.setTimer(afterMs, () => {
      this.#timer = undefined
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    try {
      await this.#options.commitOwn()
      const others = [...this.#pending]
      const committed = await this.#options.committed(others.map(([, fetcher]) => fetcher))
      for (const [i, [key]] of others.entries()) if ((committed[i]?.offset ?? 0) >= this.#limits.get(key)!) this.#pending.delete(key)
    } catch {
      // Who was asked may be moving: the next look tells.
    }
    this.#isLooking = false
    if (this.#pending.size > 0) this.#lookSoon(LOOK_MS)
    else this.#options.wake()
  }
}

function keyOf({ topic, partition }: PartitionFetcher): string {
  return groupPartitionKey({ topicId: topic.topicIdWords, partition })
}
