// The source: records of a topic as an Observable, under the hold contract.
// Runs on the subscriber's thread.
// Holds: it pulls no more while `maxInFlight` records or `maxInFlightBytes` bytes are
// held; it gives the event loop its turn at least every 5 ms; unsubscribing leaves
// nothing behind.

import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import type { Clock } from '../clock.ts'
import type { ConsumerBatch } from '../client/consumer/consumer-batch.ts'
import type { Consumer } from '../client/consumer/consumer.ts'
import type { Overtaken } from '../client/consumer/partition-fetcher.ts'
import { TurnYield } from '../client/event-loop.ts'
import { AttachedMillrace } from '../client/millrace.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { fillFromTopicOptions } from './from-topic-config.ts'
import type { FilledFromTopicOptions, FromTopicOptions } from './from-topic-config.ts'
import { Origin, UNTRACKED, emitWith, noteTrackedSource } from './hold.ts'
import { MillraceRecord } from './millrace-record.ts'

/** The event loop is looked at once in so many records. */
const RECORDS_A_LOOK = 16

/**
 * Records of a bound topic, in order within each partition (Kafka: a consumer with
 * assigned partitions). A record is held while `next` runs and as long as a millrace
 * operator or `record.hold()` keeps it; RxJS's own operators hold nothing. While
 * `maxInFlight` records or `maxInFlightBytes` bytes are held, no more are pulled. With
 * `until: 'end'` it completes when the end is reached and all is settled. Each
 * subscription reads on its own. Throws INVALID_CONFIG and INVALID_REQUEST; errors of
 * reading (UNKNOWN_TOPIC_OR_PARTITION, CLOSED) end the Observable. A record that cannot
 * be decoded throws DESERIALIZATION where its `key` or `value` is touched.
 */
export function fromTopic<K, V>(topic: Topic<K, V, never, never>, options?: FromTopicOptions): Observable<MillraceRecord<K, V>> {
  const bound = asBoundTopic(topic)
  const filled = fillFromTopicOptions(options)
  return new Observable<MillraceRecord<K, V>>((subscriber) => {
    if (filled.lossless) noteTrackedSource()
    const { owner } = bound
    if (!(owner instanceof AttachedMillrace))
      throw new MillraceError('INVALID_REQUEST', `topic ${bound.name} is not bound by an open millrace`)
    const { autoOffsetReset, isolationLevel, fetchMinBytes, fetchMaxWaitMs } = filled
    const consumer = owner.consumer({ autoOffsetReset, isolationLevel, fetchMinBytes, fetchMaxWaitMs })
    consumer.on('overtaken', filled.onOvertaken ?? warnOnce())
    const reading = new Reading<K, V>(subscriber, filled, bound.engine.clock)
    void reading.run(consumer, topic)
    return () => {
      reading.stop()
      void consumer.close()
    }
  })
}

/** What retention took is said, if nobody listens: the first time, for it may go on for long. */
function warnOnce(): (event: Overtaken) => void {
  let warned = false
  return ({ topic, partition, missed }) => {
    if (warned) return
    warned = true
    const message = `fromTopic: ${missed} record(s) of ${topic}-${partition} went by retention before they were read, and more may: `
    process.emitWarning(
      `${message}read faster, keep more (logMemoryBytes, retention.bytes), or count them by onOvertaken`,
      'MillraceWarning',
    )
  }
}

/** One subscription. */
class Reading<K, V> {
  readonly #subscriber: Subscriber<MillraceRecord<K, V>>
  readonly #options: FilledFromTopicOptions
  readonly #turnYield: TurnYield
  #untilLook = RECORDS_A_LOOK
  #inFlight = 0
  #inFlightBytes = 0
  #wake: (() => void) | undefined

  constructor(subscriber: Subscriber<MillraceRecord<K, V>>, options: FilledFromTopicOptions, clock: Clock) {
    this.#subscriber = subscriber
    this.#options = options
    this.#turnYield = new TurnYield(clock)
  }

  async run(consumer: Consumer, topic: Topic<K, V, never, never>): Promise<void> {
    const { lossless, partitions, until } = this.#options
    try {
      if (partitions !== undefined) consumer.assign([...partitions].map((partition) => ({ topic, partition })))
      for await (const batch of consumer.batches(topic, until === undefined ? {} : { until })) {
        await (lossless ? this.#emit(batch) : this.#emitUntracked(batch))
        if (this.#subscriber.closed) return
      }
      // What is still held may yet emit downstream: complete when it is done.
      while (this.#inFlight > 0 && !this.#subscriber.closed) await this.#change()
      this.#subscriber.complete()
    } catch (error) {
      this.#subscriber.error(error)
    }
  }

  stop(): void {
    this.#wake?.()
  }

  async #emit(batch: ConsumerBatch<K, V>): Promise<void> {
    const share = new BatchShare(batch.sizeInBytes, (bytes) => {
      this.#inFlightBytes -= bytes
      this.#wake?.()
    })
    const { maxInFlight, maxInFlightBytes } = this.#options
    for (const record of batch) {
      while (this.#inFlight >= maxInFlight || this.#inFlightBytes >= maxInFlightBytes) {
        await this.#change()
        if (this.#subscriber.closed) return
      }
      if (this.#isTurnDue()) {
        await this.#turnYield.turn()
        if (this.#subscriber.closed) return
      }
      const origin = new Origin(() => {
        this.#inFlight--
        share.settled()
        this.#wake?.()
      })
      this.#inFlight++
      if (share.held()) this.#inFlightBytes += batch.sizeInBytes
      // The source's own hold: for as long as this call of next runs.
      const hold = origin.hold()
      emitWith(hold.origins, () => this.#subscriber.next(new MillraceRecord(record, origin)))
      // Found closed: this record is not settled, it was perhaps never looked at.
      if (this.#subscriber.closed) return
      hold.release()
    }
  }

  async #emitUntracked(batch: ConsumerBatch<K, V>): Promise<void> {
    for (const record of batch) {
      if (this.#isTurnDue()) await this.#turnYield.turn()
      if (this.#subscriber.closed) return
      emitWith(UNTRACKED, () => this.#subscriber.next(new MillraceRecord(record, undefined)))
    }
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

/** The bytes of a batch count once, as long as any of its records is held. */
class BatchShare {
  readonly #bytes: number
  readonly #onFree: (bytes: number) => void
  #records = 0

  constructor(bytes: number, onFree: (bytes: number) => void) {
    this.#bytes = bytes
    this.#onFree = onFree
  }

  /** True for the first record that is held. */
  held(): boolean {
    return ++this.#records === 1
  }

  settled(): void {
    if (--this.#records === 0) this.#onFree(this.#bytes)
  }
}
