// One loop of a group's consumer: batches of the partitions that are assigned to it, and what
// is settled by asking for the next. Runs on its user's thread.
//
//   next ──▶ what is in hand is settled ──▶ a batch, in hand ──▶ next …
//   break, throw, abort, close ──▶ what is in hand is not settled
//
// Holds: a batch that its user has in hand is not given to another member under it, unless the
// coordinator has given it away: its partition goes when the next one is asked for, or the loop
// ends. Of records that are handed out one by one, those asked past are settled when somebody
// wants to know, and before each the fence is looked at.

import { BatchIterator } from './batch-iterator.ts'
import type { BatchIteratorOptions, HandingOut } from './batch-iterator.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { OwnedPartition, PartitionReader } from './owned-partition.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'
import type { GroupEnds } from './group-ends.ts'
import type { MemberFence } from './member-fence.ts'
import type { RecordBatches } from './record-iterator.ts'

/** What a loop needs of its consumer. */
export interface ReadingGroup {
  /** undefined: nobody puts this one out. */
  readonly fence: MemberFence | undefined
  /** Asked for the first time: joins, or takes what is assigned by hand. Rejects with what keeps it from that. */
  begin(reading: GroupReading): Promise<void>
  /** Its user is there. Once a batch. */
  asked(): void
  mayHandOut(): boolean
  /** A batch is in its user's hands; `now` is what is kept of that. */
  handedOut(): number
  noteSettled(): void
  /** Resolves when it is settled, committed, and read no more. */
  ended(reading: GroupReading): Promise<void>
}

export interface GroupReadingOptions {
  readonly group: ReadingGroup
  readonly iterator: Omit<BatchIteratorOptions, 'fetchers' | 'untilEnd' | 'onEnd' | 'handingOut'>
  /** undefined: reading does not end by itself. */
  readonly ends: GroupEnds | undefined
  /** 'manual': whoever works on the records settles each; what was handed out is in nobody's hands. */
  readonly settling?: 'asked' | 'manual'
  /** Under 'manual': the partition is read from now on. */
  readonly onReading?: (partition: OwnedPartition) => void
  /** Under 'manual': work on this partition ends now; resolves when it has. */
  readonly onGoing?: (partition: OwnedPartition) => Promise<void>
  /** Under 'manual': the partition is another's, and nothing of it can be committed. */
  readonly onGone?: (partition: OwnedPartition) => void
  /** Under 'manual': all up to the ends was handed out. The loop goes on until it is closed, for what is settled later. */
  readonly onAtEnd?: () => void
}

interface InHand {
  readonly batch: ConsumerBatch
  readonly partition: OwnedPartition
}

type Result = IteratorResult<ConsumerBatch, undefined>

export class GroupReading implements RecordBatches<unknown, unknown>, HandingOut, PartitionReader {
  /** Of records handed out one by one: the one that its user has, or the next, where that was just asked for. */
  recordInHand: (() => number | undefined) | undefined
  /** When the batch in hand was handed out, on the monotonic clock. */
  handedOutAtMs = 0
  readonly #options: GroupReadingOptions
  readonly #iterator: BatchIterator
  readonly #isManual: boolean
  readonly #fence: MemberFence | undefined
  #beginning: Promise<void> | undefined
  #isBegun = false
  #recordSeen = -1
  #inHand: InHand | undefined
  /** Something happened to the loop, or to what is in hand: one look a record is cheap. */
  #mayEndBatch = false
  /** What was in hand went to another member. */
  #isLost = false
  /** Of each partition that is to go, what waits for that. */
  readonly #going = new Map<OwnedPartition, () => void>()
  #over: Promise<void> | undefined

  constructor(options: GroupReadingOptions) {
    this.#options = options
    this.#isManual = options.settling === 'manual'
    this.#fence = options.group.fence
    this.#iterator = new BatchIterator({
      ...options.iterator,
      fetchers: [],
      untilEnd: false,
      delay: options.ends === undefined ? options.iterator.delay : undefined,
      handingOut: this,
      onEnd: () => this.#onEnd(),
    })
  }

  /** The batch that its user has, or works through. */
  get inHand(): InHand | undefined {
    return this.#inHand
  }

  /** Until when its user must ask for more; Infinity: nothing is in his hands. */
  dueMs(nowMs: number, maxPollIntervalMs: number): number {
    if (this.#inHand === undefined || this.#isManual) return Number.POSITIVE_INFINITY
    const record = this.recordInHand?.()
    if (record !== undefined && record !== this.#recordSeen) {
      this.#recordSeen = record
      this.handedOutAtMs = nowMs
    }
    return this.handedOutAtMs + maxPollIntervalMs
  }

  get isOver(): boolean {
    return this.#over !== undefined
  }

  next(): Promise<Result> {
    this.#settleInHand()
    const isAborted = this.#iterator.endsBatch() || this.#options.iterator.signal?.aborted === true
    if (!this.#isBegun && !isAborted) return this.#begin().then(() => this.#next())
    return this.#next()
  }

  async return(): Promise<IteratorResult<ConsumerBatch, undefined>> {
    this.close()
    await this.#over
    return { value: undefined, done: true }
  }

  async throw(error: unknown): Promise<Result> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  endsBatch(): boolean {
    if (this.#mayEndBatch && this.#endsBatch()) return true
    return this.#fence?.looksRaised() === true && this.#withholdsRest()
  }

  /** A member of this thread was put out: what is behind the record that was asked past comes once it is known that it was another. */
  #withholdsRest(): boolean {
    if (this.#options.group.mayHandOut()) return false
    const inHand = this.#inHand
    const record = this.recordInHand?.()
    if (inHand === undefined || record === undefined) return false
    const { batch, partition } = inHand
    partition.settleBelow(record + 1)
    // Where its user has moved it meanwhile, it is read on from there.
    if (partition.fetcher.isAt(batch.nextOffset)) partition.fetcher.seek(record + 1)
    this.#putDown()
    return true
  }

  #endsBatch(): boolean {
    if (this.#iterator.endsBatch() || this.#isLost) return true
    const inHand = this.#inHand
    if (inHand === undefined || inHand.partition.state === 'reading') return false
    // The record before is settled by asking; what is behind it is another's.
    const record = this.recordInHand?.()
    if (record !== undefined) inHand.partition.settleBelow(record + 1)
    this.#putDown()
    return true
  }

  /** Ends it; nothing that its user has in hand is settled. */
  close(): void {
    this.#iterator.close()
  }

  fail(error: Error): void {
    this.#iterator.fail(error)
  }

  /** Reads it from now on. */
  add(partition: OwnedPartition): void {
    const { ends } = this.#options
    this.#options.onReading?.(partition)
    this.#iterator.add(partition.fetcher, ends?.of(partition))
  }

  // Of the partitions

  remove(partition: OwnedPartition): void {
    this.#iterator.remove(partition.fetcher)
    if (partition.state !== 'gone') return
    this.#options.onGone?.(partition)
    if (this.#inHand?.partition === partition) {
      this.#isLost = true
      this.#mayEndBatch = true
      this.#putDown()
    }
    this.#going.get(partition)?.()
    this.#going.delete(partition)
  }

  letGo(partition: OwnedPartition): Promise<void> {
    this.#iterator.remove(partition.fetcher)
    if (this.#isManual) return this.#options.onGoing?.(partition) ?? Promise.resolve()
    if (this.#inHand?.partition !== partition) return Promise.resolve()
    this.#mayEndBatch = true
    return new Promise((resolve) => this.#going.set(partition, resolve))
  }

  settleAsked(partition: OwnedPartition): void {
    if (this.#inHand?.partition !== partition) return
    const record = this.recordInHand?.()
    if (record === undefined) return
    partition.settleBelow(record)
    // Its user goes on through the batch: who asked in order to commit will have more to commit.
    this.#options.group.noteSettled()
  }

  // Of the batches

  mayHandOut(): boolean {
    return this.#options.group.mayHandOut()
  }

  handedOut(batch: ConsumerBatch, fetcher: PartitionFetcher): void {
    // Asked for twice before the first was there.
    this.#settleInHand()
    const partition = fetcher.source as OwnedPartition
    partition.handedOut(batch.firstOffset, batch.nextOffset)
    this.#inHand = { batch, partition }
    this.#isLost = false
    this.#mayEndBatch = false
    this.handedOutAtMs = this.#options.group.handedOut()
    // Records of it are settled one by one, and nobody says so.
    if (this.recordInHand !== undefined) this.#options.group.noteSettled()
  }

  isAtEnd(): boolean {
    const { ends, onAtEnd } = this.#options
    if (ends?.areReached() !== true) return false
    if (!this.#isManual) return true
    onAtEnd?.()
    return false
  }

  #next(): Promise<Result> {
    this.#options.group.asked()
    return this.#iterator.next().then(
      (result) => (result.done === true ? this.#over!.then(() => result) : result),
      async (error: unknown) => {
        await this.#over
        throw error
      },
    )
  }

  async #begin(): Promise<void> {
    this.#beginning ??= this.#options.group.begin(this)
    try {
      await this.#beginning
    } catch (error) {
      this.fail(error as Error)
    }
    this.#isBegun = true
  }

  #settleInHand(): void {
    const inHand = this.#inHand
    if (inHand === undefined) return
    if (!this.#isManual && inHand.partition.state !== 'gone') {
      inHand.partition.settleBelow(inHand.batch.nextOffset)
      this.#options.group.noteSettled()
    }
    this.#putDown()
  }

  /** Nothing is in its user's hands: what was to go goes. */
  #putDown(): void {
    const partition = this.#inHand?.partition
    this.#inHand = undefined
    if (partition === undefined || this.#going.size === 0) return
    this.#going.get(partition)?.()
    this.#going.delete(partition)
  }

  #onEnd(): void {
    this.#mayEndBatch = true
    const inHand = this.#inHand
    if (inHand !== undefined) this.settleAsked(inHand.partition)
    this.#putDown()
    this.#options.ends?.close()
    this.#over = this.#options.group.ended(this)
  }
}
