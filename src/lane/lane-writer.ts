// The producer's side of a lane: Aeron's ExclusivePublication.
//
// hot path 3/8: lane writer. A sealed batch leaves the producer's private memory.
//
// Runs on the producer's thread, the only one that stores the tail, the ack head
// and the bytes of unpublished frames.
//
// Holds: everything between the published tail and the private one is this
// thread's alone, so a producer that dies anywhere leaves a lane that ends with
// its last published frame. An offer never waits: it answers.

import { assert } from '../assert.ts'
import type { ThreadId } from '../ids.ts'
import { killPoint } from '../kill-points.ts'
import { corruptLane, maxBatchBytes, openLane } from './lane.ts'
import type { LaneMemory, RingBell } from './lane.ts'
import { storeFrame } from './lane-frame.ts'
import {
  ACK_BASE_OFFSET,
  ACK_BATCH_ID,
  ACK_DOUBLES,
  ACK_ERROR_CODE,
  ACK_HEAD,
  ACK_RING_BYTES_AT,
  ACK_TAIL,
  ACK_TIMESTAMP,
  ACK_WORDS,
  CLOSED_BY_BROKER,
  CLOSED_BY_PRODUCER,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_PADDING,
  FRAME_TYPE,
  FrameFields,
  HEAD,
  TAIL,
  UNIT_BYTES,
  UNIT_SHIFT,
  WANTED,
} from './lane-layout.ts'

/** The batch is in the lane, copied: keep it only to send it again if its ack says so. */
export const OFFERED = 0
/** No room now: offer it again after the broker has taken something (`wantWake`). Nothing was written. */
export const BACK_PRESSURED = -1
/** This side or the broker has closed the lane. Nothing was written. */
export const LANE_CLOSED = -2
/** The batch never fits: a larger lane is needed. Nothing was written. */
export const BATCH_TOO_LARGE = -3

export interface AckHandler {
  onAck(batchId: number, errorCode: number, baseOffset: number, timestampMs: number): void
}

const ACK_WORDS_AT = ACK_RING_BYTES_AT / 4
const ACK_DOUBLES_AT = ACK_RING_BYTES_AT / 8

// Buffer's copy takes ranges on both sides, so neither needs a view made for it, and
// it is one plain memmove where TypedArray.set on shared memory moves word by word.
type CopyBytes = (this: Uint8Array, target: Uint8Array, targetStart: number, start: number, end: number) => number
const copyBytes = (Buffer.prototype as { copy: CopyBytes }).copy

export class LaneWriter {
  /** Fill this, then `offer`. */
  readonly frame: FrameFields = new FrameFields()
  readonly ackSlots: number
  readonly maxBatchBytes: number
  readonly brokerThread: ThreadId
  readonly #lane: LaneMemory
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #doubles: Float64Array<SharedArrayBuffer>
  readonly #bytes: Uint8Array<SharedArrayBuffer>
  readonly #capacityUnits: number
  readonly #ringAt: number
  readonly #ring: RingBell
  #tail: number
  /** The head as last seen: never ahead of the real one, so it may say "full" too early, never "room". */
  #head: number
  #ackHead: number
  /** The ack tail as last seen. */
  #ackTail: number
  #wants: number
  #closed: boolean

  constructor(buffer: SharedArrayBuffer, ring: RingBell) {
    const lane = openLane(buffer)
    this.#lane = lane
    this.#words = lane.words
    this.#doubles = lane.doubles
    this.#bytes = lane.bytes
    this.#capacityUnits = lane.capacityUnits
    this.#ringAt = lane.ringAt
    this.#ring = ring
    this.ackSlots = lane.ackSlots
    this.brokerThread = lane.brokerThread
    this.maxBatchBytes = maxBatchBytes(lane.capacityUnits * UNIT_BYTES)
    this.#tail = Atomics.load(lane.words, TAIL)
    this.#head = Atomics.load(lane.words, HEAD)
    this.#ackHead = Atomics.load(lane.words, ACK_HEAD)
    this.#ackTail = this.#ackHead
    this.#wants = Atomics.load(lane.words, WANTED)
    this.#closed = Atomics.load(lane.words, CLOSED_BY_PRODUCER) !== 0
    const used = (this.#tail - this.#head) | 0
    if (used < 0 || used > lane.capacityUnits) throw corruptLane(lane, 'its positions')
  }

  /**
   * Puts `batch[start, end)` into the lane, under the fields in `frame`, and rings the broker if it is parked.
   * Answers OFFERED, BACK_PRESSURED, LANE_CLOSED or BATCH_TOO_LARGE. The caller keeps
   * its unacked batches at or below `ackSlots`.
   */
  offer(batch: Uint8Array, start: number, end: number): number {
    assert(start >= 0 && start <= end && end <= batch.length, 'a batch lies inside its array')
    if (end - start > this.maxBatchBytes) return BATCH_TOO_LARGE
    const lengthBytes = FRAME_HEADER_BYTES + end - start
    const units = (lengthBytes + UNIT_BYTES - 1) >>> UNIT_SHIFT
    // A plain look, for an atomic one costs as much as the header: an offer that races with
    // the closing may come out either way, and the tail's store below keeps each look apart.
    if (this.#closed || this.#words[CLOSED_BY_BROKER] !== 0) return LANE_CLOSED

    // Claim. The tail is ours alone, so a claim is a look at how far the broker is.
    let position = this.#tail
    const padding = this.#paddingBefore(units)
    if (!this.#hasUnits(padding + units)) return BACK_PRESSURED
    killPoint('lane.writer.claimed')

    // Fill. Plain stores: nobody looks beyond the tail, and the broker's last reads of
    // these bytes came before the store of the head that we have loaded.
    if (padding !== 0) this.#pad(padding)
    position = (position + padding) | 0
    const at = this.#ringAt + (position & (this.#capacityUnits - 1))
    storeFrame(this.frame, this.#words, this.#doubles, at, lengthBytes, position)
    copyBytes.call(batch, this.#bytes, (at << UNIT_SHIFT) + FRAME_HEADER_BYTES, start, end)
    killPoint('lane.writer.copied')

    // Publish. One sequentially consistent store, which no earlier store can pass: a
    // broker that loads this tail sees padding, header and batch. It also comes before
    // the look at the broker's bell inside ring, as the parking protocol asks.
    this.#tail = (position + units) | 0
    Atomics.store(this.#words, TAIL, this.#tail)
    killPoint('lane.writer.published')
    this.#ring(this.brokerThread)
    return OFFERED
  }

  /** Whether a batch of so many bytes would be taken now: the look after `wantWake`, before parking. */
  hasRoom(batchBytes: number): boolean {
    if (batchBytes > this.maxBatchBytes) return false
    const units = (FRAME_HEADER_BYTES + batchBytes + UNIT_BYTES - 1) >>> UNIT_SHIFT
    return this.#hasUnits(this.#paddingBefore(units) + units)
  }

  /** Whether the broker has taken all that was published. */
  isEmpty(): boolean {
    return Atomics.load(this.#words, HEAD) === this.#tail
  }

  /** Hands on up to `limit` acks, in the order in which the broker wrote them; answers how many. */
  pollAcks(handler: AckHandler, limit: number): number {
    if (((this.#ackTail - this.#ackHead) | 0) < limit && !this.hasAcks()) return 0
    let taken = 0
    try {
      while (taken < limit && this.#ackHead !== this.#ackTail) {
        const slot = this.#ackHead & (this.ackSlots - 1)
        const word = ACK_WORDS_AT + slot * ACK_WORDS
        const double = ACK_DOUBLES_AT + slot * ACK_DOUBLES
        // Taken before it is handed on: an ack whose handler throws does not come again.
        this.#ackHead = (this.#ackHead + 1) | 0
        taken++
        handler.onAck(
          this.#words[word + ACK_BATCH_ID]!,
          this.#words[word + ACK_ERROR_CODE]!,
          this.#doubles[double + ACK_BASE_OFFSET]!,
          this.#doubles[double + ACK_TIMESTAMP]!,
        )
      }
    } finally {
      // One store for all of them: it gives the slots back, after they were read.
      Atomics.store(this.#words, ACK_HEAD, this.#ackHead)
    }
    return taken
  }

  /** Whether `pollAcks` would find any: the look after `wantWake`, before parking. */
  hasAcks(): boolean {
    const tail = Atomics.load(this.#words, ACK_TAIL)
    // The broker's tail only grows, and it never runs further ahead than there are slots.
    const grown = (tail - this.#ackTail) | 0
    const unread = (tail - this.#ackHead) | 0
    if (grown < 0 || unread < 0 || unread > this.ackSlots) throw corruptLane(this.#lane, 'its count of acks')
    this.#ackTail = tail
    return unread !== 0
  }

  /**
   * Asks the broker to ring this thread once, when it next makes room or acks. To park:
   * call this and arm the bell, in either order, then look again (`hasRoom`, `hasAcks`,
   * `closedByBroker`) and wait only if there is nothing.
   */
  wantWake(): void {
    // Before the caller's look at head and ack tail; the broker stores those before it
    // looks here. All are sequentially consistent: one side sees the other. A count and
    // not a flag that the broker clears: it could clear it for news that we have seen
    // already, before our bell is armed, and the next news would ring nobody.
    this.#wants = (this.#wants + 1) | 0
    Atomics.store(this.#words, WANTED, this.#wants)
  }

  /** The broker takes nothing more; acks that it wrote before can still be read. */
  get closedByBroker(): boolean {
    return Atomics.load(this.#words, CLOSED_BY_BROKER) !== 0
  }

  /** No more offers. What is published is still taken and acked. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    Atomics.store(this.#words, CLOSED_BY_PRODUCER, 1)
    this.#ring(this.brokerThread)
  }

  /** A frame does not wrap: what is left of the ring before it is skipped, if it is too little. */
  #paddingBefore(units: number): number {
    const toEnd = this.#capacityUnits - (this.#tail & (this.#capacityUnits - 1))
    return units > toEnd ? toEnd : 0
  }

  #pad(units: number): void {
    const word = (this.#ringAt + (this.#tail & (this.#capacityUnits - 1))) << 1
    this.#words[word + FRAME_LENGTH] = units << UNIT_SHIFT
    this.#words[word + FRAME_TYPE] = FRAME_PADDING
  }

  #hasUnits(units: number): boolean {
    const used = (this.#tail - this.#head) | 0
    if (used + units <= this.#capacityUnits) return true
    // The head's line belongs to the broker: it is fetched only when the last look does not do.
    const head = Atomics.load(this.#words, HEAD)
    const freed = (head - this.#head) | 0
    if (freed < 0 || freed > used) throw corruptLane(this.#lane, 'its head')
    this.#head = head
    return used - freed + units <= this.#capacityUnits
  }
}
