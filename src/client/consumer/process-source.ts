// What `process` takes records from: a consumer, as far as that matters. Types only.

import type { ConsumerRecord } from './consumer-record.ts'

/** Records of one partition, in order: a ConsumerBatch is one. */
export interface SourceBatch<K, V> extends Iterable<ConsumerRecord<K, V>> {
  readonly partition: number
  readonly firstOffset: number
  /** One past the last. */
  readonly nextOffset: number
  readonly sizeInBytes: number
}

/** All of it is called on the consumer's thread. */
export interface ProcessSource<K, V> {
  /**
   * The next batch, in order within its partition; undefined: nothing comes any more. Asking
   * settles nothing. Asked again only when the one before was answered.
   */
  next(): Promise<SourceBatch<K, V> | undefined>
  /** No batch of this partition is given until it is released. */
  hold(partition: number): void
  release(partition: number): void
  /** Everything of the partition below this position is settled, and may be committed. */
  settled(partition: number, position: number): void
  /** Resolves when all that was there at the call was given by `next`. */
  caughtUp(): Promise<void>
  /** Tells of partitions that are taken away: what was settled of them by then counts, nothing after. */
  onRevoked(listener: (partitions: readonly number[]) => void): void
  /** Ends `next`, and commits what is settled; ends within `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}
