// One batch on its way: the bytes, and who waits for it (Kafka: ProducerBatch).
// Private to the producer's thread. The bytes are kept until the batch is acked.
// Holds: a batch is completed or failed exactly once.

import type { TopicId } from '../../ids.ts'
import type { ControlBlock } from '../../log/control-block.ts'
import type { RecordBatchBuilder } from '../../record/record-batch-builder.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE } from '../../record/record-batch-layout.ts'
import { stampProducer, writeCrc } from '../../record/record-batch.ts'

/** What a batch knows of the partition that it goes to. */
export interface BatchDestination {
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: number
  readonly control: ControlBlock
  readonly withCrc: boolean
}

/** What a producer learns of a record that was acknowledged. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** The record's offset; -1 where nobody says it: with `acks: 0`, and of a record that retention took while its leader was dead. */
  readonly offset: number
  /** Milliseconds since the epoch, as it stands in the log. */
  readonly timestamp: number
}

/** A record of a batch whose sender waits for it. */
export interface PendingRecord {
  acknowledged(metadata: RecordMetadata): void
  failed(error: Error): void
}

/** Waits for a set of batches: `flush` and `close`. */
export interface BatchWaiter {
  batchDone(error: Error | undefined): void
}

export class ProducerBatch {
  readonly builder: RecordBatchBuilder
  destination: BatchDestination | undefined = undefined
  /** Bytes after sealing. */
  sizeInBytes = 0
  createdMs = 0
  deadlineMs = 0
  /** Records that were offered, without a promise: their failure is told by the next offer or flush. */
  offered = 0
  /** Its linger is over: it leaves as soon as it can. */
  due = false
  /** What compresses it, on another thread: until that is done it does not leave (see batch-compressions.ts). */
  compressing: object | undefined = undefined
  /** Its place among the sealed batches of its partition. */
  place = 0
  /** Epoch of the leader that it is on its way to, -1 while it is on its way to none. */
  sentEpoch = -1
  /** Its failure was told, although its broker may still answer. */
  expired = false
  /** It has left under the sequence number in its bytes, and keeps it. */
  hasSequence = false
  /** How often it came back. */
  attempts = 0
  /** What a broker last said to it, an error code of Kafka's; 0: nothing. */
  refusal = 0
  /** It was on the lane of a broker that died: it may be in the log. */
  inDoubt = false
  /** Of the first batch of an epoch: where the log ended, at least, before it left; -1: it has not left. */
  logEndBefore = -1
  /** The batch compressed, where its builder's memory has no room for that. */
  #image: Uint8Array | undefined
  #isStamped = false
  #producerId = NO_PRODUCER_ID
  #producerEpoch = NO_PRODUCER_EPOCH
  #baseSequence = NO_SEQUENCE
  #pending: { record: PendingRecord; index: number; timestampMs: number }[] = []
  #waiters: BatchWaiter[] = []

  constructor(builder: RecordBatchBuilder) {
    this.builder = builder
  }

  open(destination: BatchDestination, nowMs: number, deadlineMs: number): void {
    this.destination = destination
    this.createdMs = nowMs
    this.deadlineMs = deadlineMs
    this.offered = 0
    this.due = false
    this.expired = false
    this.hasSequence = false
    this.attempts = 0
    this.refusal = 0
    this.inDoubt = false
    this.logEndBefore = -1
    this.#isStamped = false
    this.sizeInBytes = 0
    this.builder.reset()
  }

  /** The batch, sealed, is in [0, sizeInBytes). */
  get bytes(): Uint8Array {
    return this.#image ?? this.builder.bytes
  }

  /** What its records came to, compressed: a whole batch in memory of its own. It takes the place of what it was made of. */
  takeCompressed(image: Uint8Array): void {
    this.sizeInBytes = image.length
    if (image.length <= this.builder.bytes.length) this.builder.bytes.set(image)
    else this.#image = image
  }

  /** Nobody waits for it any more, and nobody sends it. */
  letGo(): void {
    this.destination = undefined
    this.compressing = undefined
    this.#image = undefined
  }

  /** Writes who sends it, and the CRC where the topic has one: both are known only when it leaves. Again, it costs nothing. */
  stamp(producerId: number, producerEpoch: number, baseSequence: number): void {
    const isSame = producerId === this.#producerId && producerEpoch === this.#producerEpoch && baseSequence === this.#baseSequence
    if (this.#isStamped && isSame) return
    this.#isStamped = true
    this.#producerId = producerId
    this.#producerEpoch = producerEpoch
    this.#baseSequence = baseSequence
    stampProducer(this.bytes, 0, producerId, producerEpoch, baseSequence)
    if (this.destination!.withCrc) writeCrc(this.bytes, 0, this.sizeInBytes)
  }

  /** It is to leave under another one, as if it had never left. */
  forgetSequence(): void {
    this.hasSequence = false
    this.refusal = 0
    this.inDoubt = false
    this.logEndBefore = -1
  }

  /** As it was stamped; NO_SEQUENCE without idempotence. */
  get baseSequence(): number {
    return this.#baseSequence
  }

  /** The record appended last has somebody waiting for it. */
  expect(record: PendingRecord, timestampMs: number): void {
    this.#pending.push({ record, index: this.builder.recordCount - 1, timestampMs })
  }

  addWaiter(waiter: BatchWaiter): void {
    this.#waiters.push(waiter)
  }

  complete(baseOffset: number, appendTimeMs: number): void {
    if (this.#pending.length > 0) {
      const { topic, partition } = this.destination!
      for (const { record, index, timestampMs } of this.#takePending()) {
        const offset = baseOffset < 0 ? -1 : baseOffset + index
        record.acknowledged({ topic, partition, offset, timestamp: appendTimeMs >= 0 ? appendTimeMs : timestampMs })
      }
    }
    this.#tellWaiters(undefined)
  }

  fail(error: Error): void {
    for (const { record } of this.#takePending()) record.failed(error)
    this.#tellWaiters(error)
  }

  #takePending(): { record: PendingRecord; index: number; timestampMs: number }[] {
    const pending = this.#pending
    if (pending.length > 0) this.#pending = []
    return pending
  }

  #tellWaiters(error: Error | undefined): void {
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.batchDone(error)
  }
}
