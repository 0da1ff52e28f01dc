// One subscription of `fromTopic`: emits what its consumer reads, under the hold contract.
// Runs on the subscriber's thread.
//
//   reading ──end, nothing in flight──▶ complete() ──nothing kept──▶ over: what is settled is committed
//      └──────────── error, unsubscribe: what is not settled comes again ─────▲
//
// Holds: nothing is made for a record but itself and its origin; no more are pulled while
// `maxInFlight` records or `maxInFlightBytes` bytes are held; the event loop has its turn at
// least every 5 ms; what has ended leaves nothing behind.

import type { Subscriber } from 'rxjs'
import type { Clock } from '../clock.ts'
import { ownedBy } from '../client/consumer/consumer-chain.ts'
import type { ConsumerChain } from '../client/consumer/consumer-chain.ts'
import type { ConsumerBatch } from '../client/consumer/consumer-batch.ts'
import type { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import type { Consumer } from '../client/consumer/consumer.ts'
import { openChain } from '../client/consumer/open-chain.ts'
import type { AnyTopic } from '../client/consumer/offsets-to-commit.ts'
import type { OwnedPartition } from '../client/consumer/owned-partition.ts'
import type { PartitionFetcher } from '../client/consumer/partition-fetcher.ts'
import { TurnYield } from '../client/event-loop.ts'
import type { AttachedMillrace } from '../client/millrace.ts'
import type { BoundTopic } from '../client/topic.ts'
import type { ChainSource } from './chain.ts'
import type { FilledFromTopicOptions } from './from-topic-config.ts'
import { Overflow } from './overflow.ts'
import { Origin, UNTRACKED, makeCurrent, restoreCurrent } from './hold.ts'
import { MillraceRecord } from './millrace-record.ts'
import { SettlingPartition } from './settling-partition.ts'
import type { Room } from './settling-partition.ts'
import { SettlingTurns } from './settling-turns.ts'
import type { BatchShare, SourcePartition } from './source-partition.ts'

/** The event loop is looked at once in so many records. */
const RECORDS_A_LOOK = 16

export interface ReadingOptions<K, V> {
  readonly subscriber: Subscriber<MillraceRecord<K, V>>
  readonly options: FilledFromTopicOptions
  readonly owner: AttachedMillrace
  readonly topics: readonly BoundTopic[]
  readonly consumer: Consumer
  readonly clock: Clock
}

export class Reading<K, V> implements ChainSource {
  readonly owner: AttachedMillrace
  readonly topics: readonly BoundTopic[]
  readonly groupId: string | undefined
  readonly options: FilledFromTopicOptions
  readonly #subscriber: Subscriber<MillraceRecord<K, V>>
  readonly #consumer: Consumer
  readonly #turnYield: TurnYield
  readonly #turns: SettlingTurns
  readonly #room: Room
  readonly #partitions = new Map<PartitionFetcher, SettlingPartition>()
  readonly #overflow: Overflow<K, V> | undefined
  #chain: ConsumerChain<K, V> | undefined
  #untilLook = RECORDS_A_LOOK
  #wake: (() => void) | undefined
  #state: 'reading' | 'completed' | 'over' = 'reading'

  constructor({ subscriber, options, owner, topics, consumer, clock }: ReadingOptions<K, V>) {
    this.#subscriber = subscriber
    this.options = options
    this.owner = owner
    this.topics = topics
    this.groupId = options.groupId
    this.#consumer = consumer
    this.#turnYield = new TurnYield(clock)
    this.#turns = new SettlingTurns(clock)
    this.#room = { records: 0, bytes: 0, onFree: () => this.#roomFreed() }
    if (options.overflow === undefined) return
    this.#overflow = new Overflow<K, V>({
      filled: options,
      hasRoom: () => this.#hasRoom,
      emit: (record, partition, share) => this.#emitRecord(record, partition, share),
      onDrained: () => this.#wake?.(),
    })
  }

  // As a source of its chain

  partitions(): readonly SourcePartition[] | undefined {
    return this.#chain?.reads()?.flatMap(({ fetcher, isRead }) => (isRead ? [this.#partition(fetcher)] : []))
  }

  onCaughtUp(listener: () => void): () => void {
    const tell = (): void => {
      for (const partition of this.#partitions.values()) if (!partition.isCaughtUp) return
      listener()
    }
    return this.#chain?.onRead(tell) ?? (() => undefined)
  }

  abandon(): void {
    if (this.#state === 'completed') this.#over()
  }

  // Its life

  /** Reading begins; nothing is emitted in this call. */
  start(): void {
    const { partitions, until } = this.options
    try {
      if (partitions !== undefined) {
        const named = [...partitions]
        this.#consumer.assign(
          this.topics.flatMap((topic) => named.map((partition) => ({ topic: topic as unknown as AnyTopic, partition }))),
        )
      }
      this.#chain = openChain<K, V>(this.#consumer, this.topics, {
        untilEnd: until === 'end',
        // So that what was committed beside its offset is kept until somebody says otherwise.
        onReading: ({ fetcher }) => void this.#partition(fetcher),
        onGoing: (owned) => this.#going(owned),
        onGone: ({ fetcher }) => this.#gone(fetcher),
      })
    } catch (error) {
      this.#subscriber.error(error)
      return
    }
    void this.#run(this.#chain)
  }

  /** Torn down. When it has completed, what is pinned may still be worked on. */
  stop(): void {
    if (this.#state === 'reading') this.#over()
  }

  async #run(chain: ConsumerChain<K, V>): Promise<void> {
    const subscriber = this.#subscriber
    try {
      for (let batch = await chain.next(); batch !== undefined && !subscriber.closed; batch = await chain.next()) {
        // It went, or is going, between the batch and this.
        if (chain.isGone(batch)) continue
        const partition = this.#partition(chain.fetcherOf(batch))
        if (partition.isGoing) continue
        await this.#emitBatch(batch, partition)
        if (subscriber.closed) return
      }
      // What is still held may yet emit downstream: complete when it is done.
      while ((this.#room.records > 0 || this.#overflow?.isEmpty === false) && !subscriber.closed) await this.#change()
      if (subscriber.closed) return
      this.#state = 'completed'
      subscriber.complete()
      // Open windows are emitted now, under their pins.
      while (this.#isWorkedOn) await this.#change()
      this.#over()
    } catch (error) {
      subscriber.error(error)
    }
  }

  /** Nothing is settled from now on; what was is committed, and the group left. */
  #over(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    const partitions = [...this.#partitions.values()]
    for (const partition of partitions) partition.gone()
    this.#wake?.()
    if (this.groupId === undefined) void this.#consumer.close()
    else void Promise.all(partitions.map((partition) => this.#turns.passed(partition))).then(() => this.#consumer.close())
  }

  /** After it has completed: whether somebody still has records of it, and has not been torn down. */
  get #isWorkedOn(): boolean {
    if (this.#state === 'over') return false
    for (const partition of this.#partitions.values()) if (partition.isKeeping) return true
    return false
  }

  #emitBatch(batch: ConsumerBatch<K, V>, partition: SettlingPartition): Promise<void> {
    if (this.#overflow !== undefined) return this.#emitLossy(batch, partition, this.#overflow)
    return this.options.lossless ? this.#emit(batch, partition) : this.#emitUntracked(batch, partition)
  }

  async #emit(batch: ConsumerBatch<K, V>, partition: SettlingPartition): Promise<void> {
    const subscriber = this.#subscriber
    const share = { bytes: batch.sizeInBytes, held: 0 }
    partition.begin(batch.firstOffset)
    for (const record of batch) {
      while (!this.#hasRoom && !partition.isGoing) {
        partition.noteSettled()
        await this.#change()
        if (subscriber.closed) return
      }
      if (this.#isTurnDue()) {
        partition.noteSettled()
        await this.#turnYield.turn()
        if (subscriber.closed) return
      }
      // The rest is another's.
      if (partition.isGoing) return
      this.#emitRecord(record, partition, share)
      if (subscriber.closed) return
    }
    partition.end(batch.nextOffset)
  }

  #emitRecord(record: ConsumerRecord<K, V>, partition: SettlingPartition, share: BatchShare): void {
    const subscriber = this.#subscriber
    const origin = new Origin(partition, record.offset, share)
    const before = makeCurrent(origin)
    try {
      subscriber.next(new MillraceRecord(record, origin))
    } finally {
      restoreCurrent(before)
    }
    // Found closed: this record is not settled, it was perhaps never looked at.
    if (!subscriber.closed) origin.passed()
  }

  async #emitLossy(batch: ConsumerBatch<K, V>, partition: SettlingPartition, overflow: Overflow<K, V>): Promise<void> {
    const subscriber = this.#subscriber
    const share = { bytes: batch.sizeInBytes, held: 0 }
    partition.begin(batch.firstOffset)
    for (const record of batch) {
      if (this.#isTurnDue()) await this.#turnYield.turn()
      if (subscriber.closed || partition.isGoing) return
      overflow.offer(record, partition, share)
      if (subscriber.closed) return
    }
    partition.end(batch.nextOffset)
    overflow.tell()
  }

  async #emitUntracked(batch: ConsumerBatch<K, V>, partition: SettlingPartition): Promise<void> {
    const subscriber = this.#subscriber
    partition.begin(batch.firstOffset)
    for (const record of batch) {
      if (this.#isTurnDue()) await this.#turnYield.turn()
      if (subscriber.closed || partition.isGoing) return
      const before = makeCurrent(UNTRACKED)
      try {
        subscriber.next(new MillraceRecord(record, undefined))
      } finally {
        restoreCurrent(before)
      }
      partition.passed(record.offset)
    }
    partition.end(batch.nextOffset)
  }

  get #hasRoom(): boolean {
    const { maxInFlight, maxInFlightBytes } = this.options
    const { records, bytes } = this.#room
    return records < maxInFlight && bytes < maxInFlightBytes
  }

  #roomFreed(): void {
    if (this.#overflow === undefined) this.#wake?.()
    else this.#overflow.onFree()
  }

  // Of its partitions

  #partition(fetcher: PartitionFetcher): SettlingPartition {
    let partition = this.#partitions.get(fetcher)
    if (partition === undefined) {
      const owned = ownedBy(fetcher)
      partition = new SettlingPartition({
        topic: fetcher.topic.name,
        partition: fetcher.partition,
        committedMetadata: owned?.committedMetadata ?? '',
        owned,
        isLossy: !this.options.lossless,
        room: this.#room,
        onSettled: (each) => this.#settled(each),
        onCommittable: () => this.#chain!.noteSettled(),
        isRead: () => this.#chain!.hasRead(fetcher),
      })
      this.#partitions.set(fetcher, partition)
    }
    return partition
  }

  #settled(partition: SettlingPartition): void {
    if (this.groupId !== undefined) this.#turns.note(partition)
    if (this.#state === 'completed') this.#wake?.()
  }

  /** What is settled by now is committed when this resolves. */
  async #going({ fetcher }: OwnedPartition): Promise<void> {
    const partition = this.#partitions.get(fetcher)
    if (partition === undefined) return
    partition.isGoing = true
    this.#wake?.()
    await this.#turns.passed(partition)
  }

  #gone(fetcher: PartitionFetcher): void {
    this.#partitions.get(fetcher)?.gone()
    this.#partitions.delete(fetcher)
    this.#wake?.()
  }

  #isTurnDue(): boolean {
    if (--this.#untilLook > 0) return false
    this.#untilLook = RECORDS_A_LOOK
    return this.#turnYield.due
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }
}
