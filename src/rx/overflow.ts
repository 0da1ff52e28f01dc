// What becomes of records that come while there is no room for them, under `lossless: false`:
// they wait, or are dropped and counted. Runs on the subscriber's thread.
//
//   room ──▶ emitted        no room ──▶ waiting (at most `limit`) ──room──▶ emitted
//                                          └── over the limit: the oldest is dropped
//
// Holds: the source never waits; records are emitted in order, with gaps; each that is not is
// counted, and told at the end of its batch.

import { detachedRecord } from '../client/consumer/consumer-record.ts'
import type { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import { Fifo } from '../client/consumer/fifo.ts'
import type { Dropped, FilledFromTopicOptions } from './from-topic-config.ts'
import type { SettlingPartition } from './settling-partition.ts'
import type { BatchShare } from './source-partition.ts'

interface Waiting<K, V> {
  readonly record: ConsumerRecord<K, V>
  readonly partition: SettlingPartition
  readonly bytes: number
}

export interface OverflowOptions<K, V> {
  readonly filled: FilledFromTopicOptions
  readonly hasRoom: () => boolean
  readonly emit: (record: ConsumerRecord<K, V>, partition: SettlingPartition, share: BatchShare) => void
  /** All that waited was emitted, or there is no room for more. */
  readonly onDrained: () => void
}

export class Overflow<K, V> {
  readonly #options: OverflowOptions<K, V>
  readonly #limit: number
  readonly #waiting = new Fifo<Waiting<K, V>>()
  readonly #dropped = new Map<SettlingPartition, number>()
  #isDraining = false
  #warned = false

  constructor(options: OverflowOptions<K, V>) {
    const { overflow, maxInFlight } = options.filled
    this.#options = options
    this.#limit = overflow === 'drop-newest' ? 0 : overflow === 'latest' ? 1 : maxInFlight
  }

  /** Whether none waits. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  offer(record: ConsumerRecord<K, V>, partition: SettlingPartition, share: BatchShare): void {
    if (this.isEmpty && this.#options.hasRoom()) return this.#options.emit(record, partition, share)
    if (this.#limit === 0) return this.#drop(partition)
    // What waits must not keep its batch.
    this.#waiting.push({ ...detachedRecord(record), partition })
    if (this.#waiting.size > this.#limit) this.#drop(this.#waiting.shift()!.partition)
  }

  /** There is room: what waits is emitted when whoever made it has ended his turn. */
  onFree(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    queueMicrotask(() => {
      this.#isDraining = false
      this.#drain()
    })
  }

  /** Once a batch. Throws what `onDropped` does. */
  tell(): void {
    if (this.#dropped.size === 0) return
    const told: Dropped[] = [...this.#dropped].map(([{ topic, partition }, dropped]) => ({ topic, partition, dropped }))
    this.#dropped.clear()
    for (const event of told) this.#options.filled.onDropped?.(event)
    if (this.#options.filled.onDropped === undefined) this.#warn(told[0]!)
  }

  #drain(): void {
    while (!this.isEmpty && this.#options.hasRoom()) {
      const { record, partition, bytes } = this.#waiting.shift()!
      this.#options.emit(record, partition, { bytes, held: 0 })
    }
    this.#options.onDrained()
  }

  #drop(partition: SettlingPartition): void {
    this.#dropped.set(partition, (this.#dropped.get(partition) ?? 0) + 1)
  }

  /** The first time only: it may go on for long. */
  #warn({ topic, partition, dropped }: Dropped): void {
    if (this.#warned) return
    this.#warned = true
    const message =
      `fromTopic: ${dropped} record(s) of ${topic}-${partition} were dropped, since maxInFlight records or maxInFlightBytes bytes were held, ` +
      'and more may be: raise those, or count what is dropped by onDropped'
    process.emitWarning(message, 'MillraceWarning')
  }
}
