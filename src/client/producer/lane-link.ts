// One lane of a producer and the batches on it that are not acknowledged yet.
// Private to the producer's thread, but for the lane's memory.
// Holds: never more unacknowledged batches than the lane has ack slots; a batch's id
// is its place in the table of those in flight, so an ack finds it without a search.

import { KAFKA_ERRORS, MillraceError, kafkaErrorName } from '../../errors.ts'
import type { LaneWriter } from '../../lane/lane-writer.ts'
import { OFFERED } from '../../lane/lane-writer.ts'
import { FRAME_NO_CRC } from '../../lane/lane-layout.ts'
import type { DeferredBell } from './deferred-bell.ts'
import type { ProducerBatch } from './producer-batch.ts'

const ACKS_A_POLL_MAX = 4_096
/** What a broker answers that is not, not yet or no longer the leader that the producer took it for. */
const NOT_LED: ReadonlySet<number> = new Set<number>([
  KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER,
  KAFKA_ERRORS.FENCED_LEADER_EPOCH,
  KAFKA_ERRORS.UNKNOWN_LEADER_EPOCH,
])

/** Told of batches that are done, so that their memory goes back. */
export interface BatchSink {
  completed(batch: ProducerBatch, baseOffset: number, appendTimeMs: number): void
  failed(batch: ProducerBatch, error: Error): void
  /** The broker does not lead the partition under the epoch that the batch was sent under; it was not written. */
  notLed(batch: ProducerBatch): void
  /** It is failed, but its memory and its place on the lane are taken until the broker answers. */
  expired(batch: ProducerBatch, error: Error): void
}

export class LaneLink {
  readonly brokerId: number
  readonly writer: LaneWriter
  readonly #bell: DeferredBell
  readonly #sink: BatchSink
  readonly #inFlight: (ProducerBatch | undefined)[]
  #nextId = 0
  #unacked = 0

  constructor(brokerId: number, writer: LaneWriter, bell: DeferredBell, sink: BatchSink) {
    this.brokerId = brokerId
    this.writer = writer
    this.#bell = bell
    this.#sink = sink
    this.#inFlight = new Array<ProducerBatch | undefined>(writer.ackSlots).fill(undefined)
  }

  get unacked(): number {
    return this.#unacked
  }

  /** Whether the broker has taken, and acknowledged where it must, all that was offered. */
  get isIdle(): boolean {
    return this.#unacked === 0 && this.writer.isEmpty()
  }

  /** Larger batches are allowed than this lane takes: it is to be replaced once it is idle. */
  outgrown = false

  /** Puts a sealed batch on the lane; OFFERED, or why not (see LaneWriter.offer). */
  offer(batch: ProducerBatch, leaderEpoch: number, acks: number): number | undefined {
    const { frame } = this.writer
    const id = this.#nextId & (this.#inFlight.length - 1)
    if (acks !== 0 && this.#inFlight[id] !== undefined) {
      this.pollAcks()
      if (this.#inFlight[id] !== undefined) return undefined
    }
    const destination = batch.destination!
    frame.batchId = id
    frame.slot = destination.control.slot
    frame.partition = destination.partition
    frame.topicId0 = destination.topicId[0]
    frame.topicId1 = destination.topicId[1]
    frame.topicId2 = destination.topicId[2]
    frame.topicId3 = destination.topicId[3]
    frame.leaderEpoch = leaderEpoch
    frame.acks = acks
    frame.flags = destination.withCrc ? 0 : FRAME_NO_CRC
    frame.deadlineMs = batch.deadlineMs
    const result = this.writer.offer(batch.builder.bytes, 0, batch.sizeInBytes)
    if (result !== OFFERED) {
      // A full lane wants its broker awake now.
      this.#bell.ring()
      return result
    }
    this.#bell.published(batch.sizeInBytes)
    if (acks === 0) {
      this.#sink.completed(batch, -1, -1)
    } else {
      this.#inFlight[id] = batch
      this.#nextId = (id + 1) | 0
      this.#unacked++
    }
    return OFFERED
  }

  /** Takes what acks there are; the number of them. */
  pollAcks(): number {
    return this.#unacked === 0 ? 0 : this.writer.pollAcks(this, ACKS_A_POLL_MAX)
  }

  onAck(batchId: number, errorCode: number, baseOffset: number, timestampMs: number): void {
    const batch = this.#inFlight[batchId]
    if (batch === undefined) return
    this.#inFlight[batchId] = undefined
    this.#unacked--
    if (errorCode === 0) this.#sink.completed(batch, baseOffset, timestampMs)
    else if (NOT_LED.has(errorCode)) this.#sink.notLed(batch)
    else this.#sink.failed(batch, refusalError(batch, errorCode))
  }

  /** Offers no more; what is on the lane is still taken. */
  close(): void {
    this.writer.close()
    this.#bell.now()
  }

  /** The broker is gone: what it acknowledged counts, the rest failed. */
  lost(): void {
    this.#failUnacked(({ builder, destination }) => {
      const message =
        `broker ${this.brokerId} died before it acknowledged ${builder.recordCount} record(s) of ${destination!.topic}-${destination!.partition}: ` +
        'they may or may not be in the log; another broker leads on, so send them again if a duplicate does no harm'
      return new MillraceError('NETWORK_EXCEPTION', message)
    })
  }

  /** This producer closes before the broker has answered. */
  giveUp(reason: (batch: ProducerBatch) => Error): void {
    this.#failUnacked(reason)
  }

  /** Fails what the broker has had longer than the delivery timeout. */
  expire(nowMs: number): void {
    this.pollAcks()
    for (const batch of this.inFlight()) {
      if (batch.deadlineMs > nowMs) continue
      const what = `${batch.builder.recordCount} record(s) of ${batch.destination!.topic}-${batch.destination!.partition}`
      const message = `broker ${this.brokerId} did not acknowledge ${what} within deliveryTimeoutMs: they may or may not be in the log`
      this.#sink.expired(batch, new MillraceError('REQUEST_TIMED_OUT', message))
    }
  }

  /** Batches that somebody still waits for. */
  *inFlight(): Generator<ProducerBatch> {
    for (const batch of this.#inFlight) if (batch !== undefined && !batch.expired) yield batch
  }

  #failUnacked(reason: (batch: ProducerBatch) => Error): void {
    this.pollAcks()
    for (let id = 0; id < this.#inFlight.length; id++) {
      const batch = this.#inFlight[id]
      if (batch === undefined) continue
      this.#inFlight[id] = undefined
      this.#unacked--
      this.#sink.failed(batch, reason(batch))
    }
  }
}

function refusalError(batch: ProducerBatch, errorCode: number): MillraceError {
  const { topic, partition } = batch.destination!
  const what = `${batch.builder.recordCount} record(s) of ${topic}-${partition}`
  const name = kafkaErrorName(errorCode)
  switch (errorCode) {
    case KAFKA_ERRORS.KAFKA_STORAGE_ERROR:
      return new MillraceError(
        name,
        `log memory is full and nothing in it may go: ${what} were not written; raise logMemoryBytes, ` +
          'give topics a retention.bytes other than -1, or send again later',
      )
    case KAFKA_ERRORS.MESSAGE_TOO_LARGE:
      return new MillraceError(
        name,
        `a batch of ${batch.sizeInBytes} bytes is above max.message.bytes of ${topic}: ${what} were not written`,
      )
    case KAFKA_ERRORS.CORRUPT_MESSAGE:
      return new MillraceError(name, `the broker found ${what} damaged on the way and did not write them: send them again`)
    default:
      return new MillraceError(name, `the broker refused ${what} with ${name}`)
  }
}
