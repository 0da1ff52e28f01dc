// One lane of a producer and the batches on it that are not acknowledged yet.
// Private to the producer's thread, but for the lane's memory.
// Holds: never more unacknowledged batches than the lane has ack slots; a batch's id
// is its place in the table of those in flight, so an ack finds it without a search.

import type { LaneWriter } from '../../lane/lane-writer.ts'
import { OFFERED } from '../../lane/lane-writer.ts'
import { FRAME_NO_CRC } from '../../lane/lane-layout.ts'
import type { DeferredBell } from './deferred-bell.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { unansweredError } from './producer-errors.ts'

const ACKS_A_POLL_MAX = 4_096

/** Told what became of the batches on a lane. */
export interface BatchSink {
  completed(batch: ProducerBatch, baseOffset: number, appendTimeMs: number): void
  failed(batch: ProducerBatch, error: Error): void
  /** The broker has not written it, and says why by an error code of Kafka's. */
  refused(batch: ProducerBatch, errorCode: number): void
  /** The broker died before it answered. */
  lost(batch: ProducerBatch, brokerId: number): void
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

  /** There was no room for a batch; cleared before the lane is tried again. */
  isFull = false

  /** Larger batches are allowed than this lane takes: it is to be replaced once it is idle. */
  outgrown = false

  /** Whether one more may be in flight; if not, there may be room after `pollAcks`. */
  get hasSlot(): boolean {
    return this.#inFlight[this.#nextId & (this.#inFlight.length - 1)] === undefined
  }

  /** Puts a sealed batch on the lane, which has a slot for it; OFFERED, or why not (see LaneWriter.offer). */
  offer(batch: ProducerBatch, leaderEpoch: number, acks: number): number {
    const { frame } = this.writer
    const id = this.#nextId & (this.#inFlight.length - 1)
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
    const result = this.writer.offer(batch.bytes, 0, batch.sizeInBytes)
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
    else this.#sink.refused(batch, errorCode)
  }

  /** Offers no more; what is on the lane is still taken. */
  close(): void {
    this.writer.close()
    this.#bell.now()
  }

  /** The broker is gone: what it acknowledged counts, the rest is in doubt. */
  lost(): void {
    this.#takeUnacked((batch) => this.#sink.lost(batch, this.brokerId))
  }

  /** This producer closes before the broker has answered. */
  giveUp(reason: (batch: ProducerBatch) => Error): void {
    this.#takeUnacked((batch) => this.#sink.failed(batch, reason(batch)))
  }

  /** Fails what the broker has had longer than the delivery timeout. */
  expire(nowMs: number): void {
    this.pollAcks()
    for (const batch of this.inFlight()) {
      if (batch.deadlineMs <= nowMs) this.#sink.expired(batch, unansweredError(batch, this.brokerId))
    }
  }

  /** Batches that somebody still waits for. */
  *inFlight(): Generator<ProducerBatch> {
    for (const batch of this.#inFlight) if (batch !== undefined && !batch.expired) yield batch
  }

  #takeUnacked(take: (batch: ProducerBatch) => void): void {
    this.pollAcks()
    for (let id = 0; id < this.#inFlight.length; id++) {
      const batch = this.#inFlight[id]
      if (batch === undefined) continue
      this.#inFlight[id] = undefined
      this.#unacked--
      take(batch)
    }
  }
}
