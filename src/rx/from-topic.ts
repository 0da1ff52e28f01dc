// The source: records of a topic as an Observable, under the hold contract.
// Runs on the subscriber's thread.
// Holds: it pulls no more while `maxInFlight` records or `maxInFlightBytes` bytes are
// held; it gives the event loop its turn at least every 5 ms; unsubscribing leaves
// nothing behind.

import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { systemClock } from '../clock.ts'
import type { ConsumerBatch } from '../client/consumer/consumer-batch.ts'
import type { Consumer } from '../client/consumer/consumer.ts'
import { TurnYield } from '../client/event-loop.ts'
import { AttachedMillrace } from '../client/millrace.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { Origin, emitWith, noteTrackedSource } from './hold.ts'
import { MillraceRecord } from './millrace-record.ts'

export interface FromTopicOptions {
  /** Partitions to read; all of them unless given. */
  readonly partitions?: Iterable<number>
  /** 'end': complete at the end offsets as they are when the subscription starts. */
  readonly until?: 'end'
  /** Where to start. Default: 'earliest'. */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none'
  /** Records that may be held at a time; the source pulls no more meanwhile. Default: 1000. */
  readonly maxInFlight?: number
  /** Bytes of batches whose records are held. Default: 16 MiB. */
  readonly maxInFlightBytes?: number
}

const MAX_IN_FLIGHT = 1_000
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024
const RECORDS_A_LOOK = 64

/**
 * Records of a bound topic, in order within each partition (Kafka: a consumer with
 * assigned partitions). A record is held while `next` runs and as long as a millrace
 * operator or `record.hold()` keeps it; RxJS's own operators hold nothing. Errors of
 * reading end the Observable. Each subscription reads on its own.
 */
export function fromTopic<K, V>(topic: Topic<K, V, never, never>, options: FromTopicOptions = {}): Observable<MillraceRecord<K, V>> {
  const bound = asBoundTopic(topic)
  const maxInFlight = positive(options.maxInFlight ?? MAX_IN_FLIGHT, 'maxInFlight')
  const maxInFlightBytes = positive(options.maxInFlightBytes ?? MAX_IN_FLIGHT_BYTES, 'maxInFlightBytes')
  return new Observable<MillraceRecord<K, V>>((subscriber) => {
    noteTrackedSource()
    const { owner } = bound
    if (!(owner instanceof AttachedMillrace)) throw new MillraceError('INVALID_REQUEST', `topic ${bound.name} is not bound by an open millrace`)
    const consumer = owner.consumer({ autoOffsetReset: options.autoOffsetReset ?? 'earliest' })
    if (options.partitions !== undefined) consumer.assign([...options.partitions].map((partition) => ({ topic: bound, partition })))
    const reading = new Reading<K, V>(subscriber, maxInFlight, maxInFlightBytes)
    void reading.run(consumer, topic, options.until)
    return () => {
      reading.stop()
      void consumer.close()
    }
  })
}

/** One subscription. */
class Reading<K, V> {
  readonly #subscriber: Subscriber<MillraceRecord<K, V>>
  readonly #maxInFlight: number
  readonly #maxInFlightBytes: number
  readonly #turnYield = new TurnYield(systemClock)
  #inFlight = 0
  #inFlightBytes = 0
  #wake: (() => void) | undefined

  constructor(subscriber: Subscriber<MillraceRecord<K, V>>, maxInFlight: number, maxInFlightBytes: number) {
    this.#subscriber = subscriber
    this.#maxInFlight = maxInFlight
    this.#maxInFlightBytes = maxInFlightBytes
  }

  async run(consumer: Consumer, topic: Topic<K, V, never, never>, until: 'end' | undefined): Promise<void> {
    try {
      for await (const batch of consumer.batches(topic, until === undefined ? {} : { until })) {
        await this.#emit(batch)
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
    let untilLook = RECORDS_A_LOOK
    for (const record of batch) {
      while (this.#inFlight >= this.#maxInFlight || this.#inFlightBytes >= this.#maxInFlightBytes) {
        await this.#change()
        if (this.#subscriber.closed) return
      }
      if (--untilLook === 0) {
        untilLook = RECORDS_A_LOOK
        if (this.#turnYield.due) await this.#turnYield.turn()
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

function positive(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new MillraceError('INVALID_CONFIG', `fromTopic option ${name} is a whole number above 0, not ${String(value)}`)
}
