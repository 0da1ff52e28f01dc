// A consumer as the source of a chain of operators: one loop of it whose batches settle
// nothing by themselves, over what its group assigns, or what was assigned by hand, or all.
// Runs on the consumer's thread.
// Holds: with an end, a member stays one after all was handed out, until it is closed: what
// is settled by then is committed by it.

import type { Waiter, WakeLoop } from '../../engine/wake-loop.ts'
import type { ThreadId } from '../../ids.ts'
import type { TurnYield } from '../event-loop.ts'
import type { BoundTopic } from '../topic.ts'
import { sourceOf } from './consumer-batch.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { ReadPartition } from './consumer-process-source.ts'
import { OwnedPartition } from './owned-partition.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'

export interface ConsumerChainOptions {
  /** Nothing is handed out behind the ends as they are now. */
  readonly untilEnd: boolean
  /** In a group: it is read from now on. */
  readonly onReading: (partition: OwnedPartition) => void
  /** It goes to another: what is settled when this resolves is committed before. */
  readonly onGoing: (partition: OwnedPartition) => Promise<void>
  /** It is another's: nothing of it is committed any more. */
  readonly onGone: (partition: OwnedPartition) => void
}

export interface ConsumerChainParts {
  readonly openLoop: (
    settling: Pick<ConsumerChainOptions, 'onReading' | 'onGoing' | 'onGone'> & { onAtEnd: () => void },
  ) => AsyncIterator<ConsumerBatch, undefined, void>
  /** Of each topic, what is read at this moment; undefined: that is not known yet. */
  readonly reads: () => readonly (ReadPartition[] | undefined)[]
  readonly fetcher: (topic: BoundTopic, partition: number) => PartitionFetcher
  readonly noteSettled: () => void
  readonly threadId: ThreadId
  readonly wakeLoop: WakeLoop
  readonly turnYield: TurnYield
}

export class ConsumerChain<K, V> implements Waiter {
  readonly keepsAlive = false
  readonly #parts: ConsumerChainParts
  readonly #loop: AsyncIterator<ConsumerBatch, undefined, void>
  readonly #listeners = new Set<() => void>()
  #onAtEnd: (() => void) | undefined
  #isAtEnd = false
  /** A batch may have been found that nobody has seen yet. */
  #isFresh = false
  #asked = 0
  #isLooking = false

  constructor(parts: ConsumerChainParts, { onReading, onGoing, onGone }: ConsumerChainOptions) {
    this.#parts = parts
    const onAtEnd = (): void => {
      this.#isAtEnd = true
      this.#onAtEnd?.()
    }
    this.#loop = parts.openLoop({ onReading, onGoing, onGone, onAtEnd })
  }

  /** The next batch, in order within its partition; undefined: nothing comes any more. Asking settles nothing. */
  next(): Promise<ConsumerBatch<K, V> | undefined> {
    const asked = ++this.#asked
    this.#isFresh = true
    void this.#parts.turnYield.turn().then(() => {
      if (this.#asked === asked) this.#isFresh = false
      this.#look()
    })
    return new Promise((resolve, reject) => {
      this.#onAtEnd = () => resolve(undefined)
      if (this.#isAtEnd) return this.#onAtEnd()
      this.#loop.next().then(({ value }) => resolve(value as ConsumerBatch<K, V> | undefined), reject)
    })
  }

  /** Who reads the partition that a batch is of. */
  fetcherOf(batch: ConsumerBatch<K, V>): PartitionFetcher {
    const source = sourceOf(batch as ConsumerBatch)
    return source instanceof OwnedPartition ? source.fetcher : this.#parts.fetcher(source as BoundTopic, batch.partition)
  }

  /** Whether its partition went to another since it was handed out: between that and whoever awaits it there are turns. */
  isGone(batch: ConsumerBatch<K, V>): boolean {
    const source = sourceOf(batch as ConsumerBatch)
    return source instanceof OwnedPartition && source.state === 'gone'
  }

  /** What is read at this moment; undefined: that is not known yet. */
  reads(): ReadPartition[] | undefined {
    const reads = this.#parts.reads()
    return reads.includes(undefined) ? undefined : reads.flatMap((some) => some!)
  }

  /** Whether all that was there was handed out by `next`, and taken from it. */
  hasRead(fetcher: PartitionFetcher): boolean {
    return !this.#isFresh && fetcher.hasReached(fetcher.endOffset)
  }

  /** What is settled of its partitions may be committed. */
  noteSettled(): void {
    this.#parts.noteSettled()
  }

  /** Calls the listener whenever all may have been read that was there. Gives what ends that. */
  onRead(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#parts.wakeLoop.wait(this)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#parts.wakeLoop.cancel(this)
    }
  }

  // While somebody listens: the loop may pass over what holds no records

  prepareWait(): void {
    // The loop waits for the same.
  }

  poll(): boolean {
    if (this.#listeners.size === 0) return true
    if (this.#isLooking) return false
    this.#isLooking = true
    void this.#parts.turnYield.turn().then(() => {
      this.#isLooking = false
      this.#look()
    })
    return false
  }

  #look(): void {
    if (this.#listeners.size === 0 || this.#isFresh) return
    const reads = this.reads()
    if (reads?.every(({ fetcher, isRead }) => isRead && this.hasRead(fetcher)) !== true) return
    for (const listener of [...this.#listeners]) listener()
  }
}

/** The partition of a group that a fetcher reads for; undefined: it reads for none. */
export function ownedBy(fetcher: PartitionFetcher): OwnedPartition | undefined {
  return fetcher.source instanceof OwnedPartition ? fetcher.source : undefined
}
