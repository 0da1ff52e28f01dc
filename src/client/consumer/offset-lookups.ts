// Looks offsets up for a consumer (Kafka: OffsetFetcher): the ends in shared memory, by time
// from the partition's leader. Runs on the consumer's thread.
// Holds: when it is closed, every look-up that is under way ends, with CLOSED.

import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import type { OffsetQuery } from '../../engine/partition-calls.ts'
import { MillraceError } from '../../errors.ts'
import type { FetchBound, ListedOffset, OffsetSpec } from '../../partition/list-offsets.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'

/** A record that was found by time (Kafka: OffsetAndTimestamp). */
export interface OffsetAndTimestamp {
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** The leader's epoch under which it was appended. */
  readonly leaderEpoch: number
}

export class OffsetLookups {
  readonly #engine: EmbeddedEngine
  readonly #bound: FetchBound
  readonly #closing = new AbortController()

  constructor(engine: EmbeddedEngine, bound: FetchBound) {
    this.#engine = engine
    this.#bound = bound
  }

  async ends(fetchers: readonly PartitionFetcher[], spec: 'earliest' | 'latest', signal?: AbortSignal): Promise<number[]> {
    const ends = await this.#list(
      fetchers.map((fetcher) => offsetQuery(fetcher, spec)),
      signal,
    )
    return ends.map((end) => end!.offset)
  }

  /** Throws INVALID_TIMESTAMP. */
  async forTimes(
    queries: readonly { readonly fetcher: PartitionFetcher; readonly timestamp: number }[],
    signal?: AbortSignal,
  ): Promise<(OffsetAndTimestamp | null)[]> {
    const found = await this.#list(
      queries.map(({ fetcher, timestamp }) => {
        if (Number.isSafeInteger(timestamp) && timestamp >= 0) return offsetQuery(fetcher, { timestampMs: timestamp })
        throw new MillraceError('INVALID_TIMESTAMP', `a time is a whole number of ms since the epoch from 0 on, not ${String(timestamp)}`)
      }),
      signal,
    )
    return found.map((each) => each && { offset: each.offset, timestamp: each.timestampMs, leaderEpoch: each.leaderEpoch })
  }

  /** The offset of the first record of the last so much time; undefined when there is none. */
  async byDuration(fetcher: PartitionFetcher, durationMs: number): Promise<number | undefined> {
    const timestampMs = Math.max(0, this.#engine.clock.nowMs() - durationMs)
    const [found] = await this.#list([offsetQuery(fetcher, { timestampMs })], undefined)
    return found?.offset
  }

  close(): void {
    this.#closing.abort()
  }

  async #list(queries: readonly OffsetQuery[], signal: AbortSignal | undefined): Promise<(ListedOffset | null)[]> {
    const closing = this.#closing.signal
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing])
    try {
      return await this.#engine.listOffsets(queries, this.#bound, either)
    } catch (error) {
      throw closing.aborted && signal?.aborted !== true ? closedError() : error
    }
  }
}

export function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'this consumer is closed: take another one from millrace.consumer()')
}

function offsetQuery({ topic, partition, control }: PartitionFetcher, spec: OffsetSpec): OffsetQuery {
  return { topic: topic.name, topicId: topic.topicIdWords, partition, slot: control.slot, spec }
}
