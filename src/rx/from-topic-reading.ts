// One subscription of `fromTopic`: emits what its consumer reads, under the hold contract.
// Runs on the subscriber's thread.
// Holds: nothing is made for a record but itself and its origin; no more are pulled while
// `maxInFlight` records or `maxInFlightBytes` bytes are held; the event loop has its turn at
// least every 5 ms; what has ended leaves nothing behind.

import type { Subscriber } from 'rxjs'
import type { Clock } from '../clock.ts'
import type { ConsumerBatch } from '../client/consumer/consumer-batch.ts'
import type { Consumer } from '../client/consumer/consumer.ts'
import { TurnYield } from '../client/event-loop.ts'
import type { AttachedMillrace } from '../client/millrace.ts'
import type { BoundTopic } from '../client/topic.ts'
import type { ChainSource } from './chain.ts'
import type { FilledFromTopicOptions } from './from-topic-config.ts'
import { Origin, UNTRACKED, makeCurrent, restoreCurrent } from './hold.ts'
import { MillraceRecord } from './millrace-record.ts'
import { SettlingPartition } from './settling-partition.ts'
import type { Room } from './settling-partition.ts'
import type { SourcePartition } from './source-partition.ts'

/** The event loop is looked at once in so many records. */
const RECORDS_A_LOOK = 16

export interface ReadingOptions<K, V> {
  readonly subscriber: Subscriber<MillraceRecord<K, V>>
  readonly options: FilledFromTopicOptions
  readonly owner: AttachedMillrace
  readonly topic: BoundTopic
  readonly consumer: Consumer
  readonly clock: Clock
}

export class Reading<K, V> implements ChainSource {
  readonly owner: AttachedMillrace
  readonly topics: readonly BoundTopic[]
  readonly groupId = undefined
  readonly options: FilledFromTopicOptions
  readonly #subscriber: Subscriber<MillraceRecord<K, V>>
  readonly #consumer: Consumer
  readonly #turnYield: TurnYield
  readonly #room: Room
  readonly #partitions = new Map<number, SettlingPartition>()
  readonly #caughtUp = new Set<() => void>()
  #untilLook = RECORDS_A_LOOK
  #wake: (() => void) | undefined
  #state: 'reading' | 'completed' | 'over' = 'reading'

  constructor({ subscriber, options, owner, topic, consumer, clock }: ReadingOptions<K, V>) {
    this.#subscriber = subscriber
    this.options = options
    this.owner = owner
    this.topics = [topic]
    this.#consumer = consumer
    this.#turnYield = new TurnYield(clock)
    this.#room = { records: 0, bytes: 0, onFree: () => this.#wake?.() }
  }

  // As a source of its chain

  partitions(): readonly SourcePartition[] {
    const numbers = this.options.partitions ?? this.topics[0]!.slots.keys()
    return [...numbers].map((partition) => this.#partition(partition))
  }

  onCaughtUp(listener: () => void): () => void {
    this.#caughtUp.add(listener)
    return () => this.#caughtUp.delete(listener)
  }

  abandon(): void {
    if (this.#state === 'completed') this.#over()
  }

  // Its life

  async run(): Promise<void> {
    const { lossless, partitions, until } = this.options
    const [topic] = this.topics
    const consumer = this.#consumer
    try {
      if (partitions !== undefined) consumer.assign([...partitions].map((partition) => ({ topic: topic as never, partition })))
      for await (const batch of consumer.batches<K, V>(topic as never, until === undefined ? {} : { until })) {
        await (lossless ? this.#emit(batch) : this.#emitUntracked(batch))
        if (this.#subscriber.closed) return
        this.#tellCaughtUp()
      }
      // What is still held may yet emit downstream: complete when it is done.
      while (this.#room.records > 0 && !this.#subscriber.closed) await this.#change()
      if (this.#subscriber.closed) return
      this.#state = 'completed'
      this.#subscriber.complete()
      // Open windows are emitted now, under their pins.
      while (this.#isOpen && this.#isKeeping) await this.#change()
      this.#over()
    } catch (error) {
      this.#subscriber.error(error)
    }
  }

  /** Torn down. When it has completed, what is pinned may still be worked on. */
  stop(): void {
    if (this.#state === 'reading') this.#over()
  }

  #over(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    for (const partition of this.#partitions.values()) partition.gone()
    this.#wake?.()
    void this.#consumer.close()
  }

  get #isOpen(): boolean {
    return this.#state !== 'over'
  }

  get #isKeeping(): boolean {
    for (const partition of this.#partitions.values()) if (partition.isKeeping) return true
    return false
  }

  async #emit(batch: ConsumerBatch<K, V>): Promise<void> {
    const subscriber = this.#subscriber
    const room = this.#room
    const { maxInFlight, maxInFlightBytes } = this.options
    const partition = this.#partition(batch.partition)
    const share = { bytes: batch.sizeInBytes, held: 0 }
    partition.begin(batch.firstOffset)
    for (const record of batch) {
      while (room.records >= maxInFlight || room.bytes >= maxInFlightBytes) {
        await this.#change()
        if (subscriber.closed) return
      }
      if (this.#isTurnDue()) {
        await this.#turnYield.turn()
        if (subscriber.closed) return
      }
      const origin = new Origin(partition, record.offset, share)
      const before = makeCurrent(origin)
      try {
        subscriber.next(new MillraceRecord(record, origin))
      } finally {
        restoreCurrent(before)
      }
      // Found closed: this record is not settled, it was perhaps never looked at.
      if (subscriber.closed) return
      origin.passed()
    }
    partition.end(batch.nextOffset)
  }

  async #emitUntracked(batch: ConsumerBatch<K, V>): Promise<void> {
    const subscriber = this.#subscriber
    for (const record of batch) {
      if (this.#isTurnDue()) await this.#turnYield.turn()
      if (subscriber.closed) return
      const before = makeCurrent(UNTRACKED)
      try {
        subscriber.next(new MillraceRecord(record, undefined))
      } finally {
        restoreCurrent(before)
      }
    }
  }

  #partition(number: number): SettlingPartition {
    let partition = this.#partitions.get(number)
    if (partition === undefined) {
      const { name } = this.topics[0]!
      partition = new SettlingPartition({
        topic: name,
        partition: number,
        committedMetadata: '',
        room: this.#room,
        onSettled: () => this.#settled(),
        isRead: () => this.#isRead(number),
      })
      this.#partitions.set(number, partition)
    }
    return partition
  }

  #isRead(partition: number): boolean {
    try {
      return this.#consumer.lag(this.topics[0] as never, partition) === 0
    } catch {
      // Where it begins is being looked up.
      return false
    }
  }

  #settled(): void {
    if (this.#state === 'completed') this.#wake?.()
  }

  #tellCaughtUp(): void {
    if (this.#caughtUp.size === 0) return
    for (const partition of this.#partitions.values()) if (!partition.isCaughtUp) return
    for (const listener of [...this.#caughtUp]) listener()
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
