// The partitions that a consumer knows, each with its one position, and what they share.
// Runs on the consumer's thread.

import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import type { FetchBound } from '../../partition/list-offsets.ts'
import { checkAttached } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import { ColdReads } from './cold-reads.ts'
import type { FilledConsumerOptions } from './consumer-config.ts'
import type { TopicsByName } from './known-topics.ts'
import type { OffsetLookups } from './offset-lookups.ts'
import { resetDurationMs } from './offset-reset.ts'
import { PartitionFetcher } from './partition-fetcher.ts'
import type { Overtaken } from './partition-fetcher.ts'

/** Bytes copied at a time: a few batches of the usual size, which stay in the core's cache. */
const FETCH_BYTES = 256 * 1024

export interface PartitionFetchersOptions {
  readonly engine: EmbeddedEngine
  readonly consumer: FilledConsumerOptions
  readonly bound: FetchBound
  readonly lookups: OffsetLookups
  readonly onOvertaken: (event: Overtaken) => void
}

export class PartitionFetchers implements TopicsByName {
  readonly #options: PartitionFetchersOptions
  // Both by topic id: however often a topic is bound, it has one position.
  readonly #fetchers = new Map<string, PartitionFetcher[]>()
  readonly #coldReads = new Map<string, ColdReads>()
  /** Of those of one name, the one that was met last. */
  readonly #topics = new Map<string, BoundTopic>()

  constructor(options: PartitionFetchersOptions) {
    this.#options = options
  }

  /** Batches are of one partition, so the lesser of the two bounds holds. */
  get maxBytes(): number {
    const { maxPartitionFetchBytes, fetchMaxBytes } = this.#options.consumer
    return Math.min(maxPartitionFetchBytes, fetchMaxBytes)
  }

  get fetchBytes(): number {
    return Math.max(1, Math.min(FETCH_BYTES, this.maxBytes))
  }

  /** All that were read or asked about. */
  all(): PartitionFetcher[] {
    return [...this.#fetchers.values()].flatMap((fetchers) => Object.values(fetchers))
  }

  topicNamed(name: string): BoundTopic | undefined {
    return this.#topics.get(name)
  }

  isKnown(topic: BoundTopic, partition: number): boolean {
    return this.#fetchers.get(topic.topicId)?.[partition] !== undefined
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST. */
  of(topic: BoundTopic, partition: number): PartitionFetcher {
    const { engine, consumer, bound, lookups, onOvertaken } = this.#options
    checkAttached(topic, engine)
    let fetchers = this.#fetchers.get(topic.topicId)
    if (fetchers === undefined) {
      fetchers = []
      this.#fetchers.set(topic.topicId, fetchers)
      this.#topics.set(topic.name, topic)
    }
    const slotNumber = typeof partition === 'number' ? topic.slots[partition] : undefined
    if (slotNumber === undefined) {
      const range = `it has partitions 0 to ${topic.partitions - 1}`
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic.name} has no partition ${partition}: ${range}`, {
        retriable: false,
      })
    }
    fetchers[partition] ??= new PartitionFetcher(topic, partition, engine.controlBlock(slotNumber), engine.memory, {
      autoOffsetReset: consumer.autoOffsetReset,
      bound,
      maxBytes: this.maxBytes,
      lookUp: (fetcher) => lookups.byDuration(fetcher, resetDurationMs(consumer.autoOffsetReset) ?? 0),
      onLookedUp: () => engine.wakeLoop.wake(),
      onOvertaken,
      coldReads: this.#coldReadsOf(topic),
    })
    return fetchers[partition]
  }

  clear(): void {
    this.#fetchers.clear()
    this.#topics.clear()
  }

  /** One loop reads a topic, and takes all its partitions in turn: so they can share. */
  #coldReadsOf({ topicId }: BoundTopic): ColdReads {
    let reads = this.#coldReads.get(topicId)
    if (reads === undefined) {
      const { clock, partitionFiles, wakeLoop } = this.#options.engine
      reads = new ColdReads({ ...partitionFiles, clock, chunkBytes: this.fetchBytes, onRead: () => wakeLoop.wake() })
      this.#coldReads.set(topicId, reads)
    }
    return reads
  }
}
