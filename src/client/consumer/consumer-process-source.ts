// A consumer as the source of `process`: one loop of it whose batches settle nothing by
// themselves, over what its group assigns, or what was assigned by hand, or all. Runs on the
// consumer's thread.

import type { Clock } from '../../clock.ts'
import type { WakeLoop, Waiter } from '../../engine/wake-loop.ts'
import type { ThreadId } from '../../ids.ts'
import type { TurnYield } from '../event-loop.ts'
import { withinTime } from '../within-time.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'
import type { ProcessSource, SourceBatch } from './process-source.ts'

/** A partition that the loop reads, or is about to. */
export interface ReadPartition {
  readonly fetcher: PartitionFetcher
  /** False: where it begins is being asked. */
  readonly isRead: boolean
}

export interface ConsumerProcessSourceOptions {
  /** The loop; `onRevoked` is told before it gives a partition away. */
  readonly openLoop: (onRevoked: (partition: number) => void) => AsyncIterator<ConsumerBatch, undefined, void>
  /** Of all partitions of the topic. */
  readonly fetchers: () => readonly PartitionFetcher[]
  /** What the loop reads at this moment; undefined: that is not known yet. */
  readonly reads: () => readonly ReadPartition[] | undefined
  /** All below is settled, of a partition that it reads. */
  readonly settleBelow: (partition: number, position: number) => void
  /** Who reads on after this begins with what is not settled; undefined: the group sees to that. */
  readonly goBackTo: ((partition: number, position: number) => void) | undefined
  readonly clock: Clock
  readonly threadId: ThreadId
  readonly wakeLoop: WakeLoop
  readonly turnYield: TurnYield
}

export class ConsumerProcessSource<K, V> implements ProcessSource<K, V>, Waiter {
  readonly keepsAlive = true
  readonly #options: ConsumerProcessSourceOptions
  readonly #loop: AsyncIterator<ConsumerBatch, undefined, void>
  readonly #waits: { readonly ends: ReadonlyMap<number, number>; readonly resolve: () => void }[] = []
  readonly #held = new Set<PartitionFetcher>()
  /** Below is settled, where nobody else knows. */
  readonly #positions = new Map<number, number>()
  #onRevoked: (partitions: readonly number[]) => void = () => undefined
  #isLooking = false

  constructor(options: ConsumerProcessSourceOptions) {
    this.#options = options
    this.#loop = options.openLoop((partition) => this.#revoked(partition))
  }

  async next(): Promise<SourceBatch<K, V> | undefined> {
    const { done, value } = await this.#loop.next()
    // Whoever was asked for may have passed over what holds no records.
    this.#look()
    if (done === true) return undefined
    const { partition, firstOffset } = value
    // The first one, or its user has moved back.
    if (this.#options.goBackTo !== undefined && firstOffset < (this.#positions.get(partition) ?? Number.POSITIVE_INFINITY))
      this.#positions.set(partition, firstOffset)
    return value as ConsumerBatch<K, V>
  }

  hold(partition: number): void {
    const fetcher = this.#fetcher(partition)
    if (fetcher === undefined) return
    this.#held.add(fetcher)
    fetcher.isHeld = true
  }

  release(partition: number): void {
    const fetcher = this.#fetcher(partition)
    if (fetcher === undefined || !this.#held.delete(fetcher)) return
    fetcher.isHeld = false
    this.#options.wakeLoop.wake()
  }

  settled(partition: number, position: number): void {
    if (this.#options.goBackTo === undefined) this.#options.settleBelow(partition, position)
    else this.#positions.set(partition, position)
  }

  caughtUp(): Promise<void> {
    const ends = new Map(this.#options.fetchers().map(({ partition, endOffset }) => [partition, endOffset]))
    return new Promise((resolve) => {
      this.#waits.push({ ends, resolve })
      this.#options.wakeLoop.wait(this)
    })
  }

  onRevoked(listener: (partitions: readonly number[]) => void): void {
    this.#onRevoked = listener
  }

  async close(timeoutMs: number): Promise<void> {
    const { clock, wakeLoop, goBackTo } = this.#options
    wakeLoop.cancel(this)
    for (const fetcher of this.#held) fetcher.isHeld = false
    await withinTime(clock, this.#loop.return?.() ?? Promise.resolve(), timeoutMs)
    for (const [partition, position] of this.#positions) goBackTo?.(partition, position)
  }

  // While somebody waits for the ends

  prepareWait(): void {
    for (const { fetcher } of this.#options.reads() ?? []) fetcher.control.addWaiter(this.#options.threadId)
  }

  poll(): boolean {
    this.#look()
    if (this.#waits.length === 0) return true
    // The loop may look after this, and pass over what holds no records.
    if (this.#isLooking) return false
    this.#isLooking = true
    void this.#options.turnYield.turn().then(() => {
      this.#isLooking = false
      this.#look()
    })
    return false
  }

  #look(): void {
    if (this.#waits.length === 0) return
    const reads = this.#options.reads()
    if (reads === undefined) return
    for (const wait of this.#waits.splice(0)) {
      const isReached = reads.every(({ fetcher, isRead }) => isRead && fetcher.hasReached(wait.ends.get(fetcher.partition) ?? 0))
      if (isReached) wait.resolve()
      else this.#waits.push(wait)
    }
    if (this.#waits.length === 0) this.#options.wakeLoop.cancel(this)
  }

  #revoked(partition: number): void {
    const fetcher = this.#fetcher(partition)
    if (fetcher !== undefined && this.#held.delete(fetcher)) fetcher.isHeld = false
    this.#onRevoked([partition])
    this.#look()
  }

  #fetcher(partition: number): PartitionFetcher | undefined {
    return this.#options.fetchers()[partition]
  }
}
