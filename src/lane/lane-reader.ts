// The broker's side of a lane: Aeron's Image and its poll.
//
// Runs on the broker's thread, in its duty cycle; the only one that stores the
// head, the ack tail and the ack slots.
//
// Holds: nothing that stands in the lane is believed before it is checked, so a
// producer that writes nonsense costs itself the lane and the broker nothing: every
// range handed on lies inside the data ring, every poll ends. What the batch's own
// bytes say is for the partition log to check.

import type { MillraceError } from '../errors.ts'
import type { ThreadId } from '../ids.ts'
import { killPoint } from '../kill-points.ts'
import { corruptLane, openLane } from './lane.ts'
import type { LaneMemory, RingBell } from './lane.ts'
import { loadFrame } from './lane-frame.ts'
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
  FRAME_DATA,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_PADDING,
  FRAME_POSITION,
  FRAME_TYPE,
  FrameFields,
  HEAD,
  TAIL,
  UNIT_BYTES,
  UNIT_SHIFT,
  WANTED,
} from './lane-layout.ts'

export interface FrameHandler {
  /**
   * One batch: `bytes[start, end)`, where `bytes` is the whole lane. Its fields stand in the reader's `frame`.
   * Copy what is to be kept: the producer writes there again soon after this returns.
   */
  onFrame(bytes: Uint8Array, start: number, end: number): void
}

const ACK_WORDS_AT = ACK_RING_BYTES_AT / 4
const ACK_DOUBLES_AT = ACK_RING_BYTES_AT / 8

export class LaneReader {
  /** The fields of the frame that is being handled. */
  readonly frame: FrameFields = new FrameFields()
  readonly ackSlots: number
  readonly producerThread: ThreadId
  readonly #lane: LaneMemory
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #doubles: Float64Array<SharedArrayBuffer>
  readonly #bytes: Uint8Array<SharedArrayBuffer>
  readonly #capacityUnits: number
  readonly #ringAt: number
  readonly #ring: RingBell
  /** The head is stored once in so many units, and at the end of each poll. */
  readonly #publishUnits: number
  #head: number
  #publishedHead: number
  /** The tail as last seen: never ahead of the real one. */
  #tail: number
  #ackTail: number
  #publishedAckTail: number
  /** The ack head as last seen. */
  #ackHead: number
  /** Something was published that the producer may be waiting for. */
  #hasNews = false
  /** The producer's count of wants when its bell was last rung. */
  #wantsAnswered = 0
  #closed = false
  #damaged = false

  constructor(buffer: SharedArrayBuffer, ring: RingBell) {
    const lane = openLane(buffer)
    this.#lane = lane
    this.#words = lane.words
    this.#doubles = lane.doubles
    this.#bytes = lane.bytes
    this.#capacityUnits = lane.capacityUnits
    this.#ringAt = lane.ringAt
    this.#ring = ring
    this.#publishUnits = lane.capacityUnits >>> 4
    this.ackSlots = lane.ackSlots
    this.producerThread = lane.producerThread
    this.#head = Atomics.load(lane.words, HEAD)
    this.#publishedHead = this.#head
    this.#tail = this.#head
    this.#ackTail = Atomics.load(lane.words, ACK_TAIL)
    this.#publishedAckTail = this.#ackTail
    this.#ackHead = this.#ackTail
  }

  /**
   * Hands on frames: at least one if there is any, then until they come to `limitBytes`; answers how many.
   * Looks at the tail at most once, so a fast producer cannot hold a turn up. Throws
   * CORRUPT_MESSAGE when the lane cannot be: the broker drops it then.
   */
  poll(handler: FrameHandler, limitBytes: number): number {
    const start = this.#head
    const seen = (this.#tail - start) | 0
    // The tail's line belongs to the producer: it is fetched only when the last look does not do.
    if ((seen === 0 || seen * UNIT_BYTES < limitBytes) && this.#lookAtTail() === 0) return 0
    let frames = 0
    try {
      do {
        if (this.#take(handler)) frames++
        if (((this.#head - this.#publishedHead) | 0) >= this.#publishUnits) this.#publishHead()
      } while (this.#head !== this.#tail && (frames === 0 || ((this.#head - start) | 0) * UNIT_BYTES < limitBytes))
    } finally {
      this.#publishHead()
    }
    return frames
  }

  /** Whether everything published was taken. Before parking: after the bell is armed. */
  isEmpty(): boolean {
    return Atomics.load(this.#words, TAIL) === this.#head
  }

  /**
   * Answers a batch. The producer sees it after the next `flush`. Throws CORRUPT_MESSAGE when
   * the producer has counted its acks in a way that cannot be; the lane is `damaged` then.
   */
  ack(batchId: number, errorCode: number, baseOffset: number, timestampMs: number): void {
    if (((this.#ackTail - this.#ackHead) | 0) >= this.ackSlots) this.#lookAtAckHead()
    const slot = this.#ackTail & (this.ackSlots - 1)
    const word = ACK_WORDS_AT + slot * ACK_WORDS
    const double = ACK_DOUBLES_AT + slot * ACK_DOUBLES
    this.#words[word + ACK_BATCH_ID] = batchId
    this.#words[word + ACK_ERROR_CODE] = errorCode
    this.#doubles[double + ACK_BASE_OFFSET] = baseOffset
    this.#doubles[double + ACK_TIMESTAMP] = timestampMs
    this.#ackTail = (this.#ackTail + 1) | 0
    killPoint('lane.ack.written')
  }

  /** Acks that the producer has not taken yet, as far as can be seen: never fewer than there are. */
  get unreadAcks(): number {
    const unread = (this.#ackTail - Atomics.load(this.#words, ACK_HEAD)) | 0
    // A count that cannot be is no reason to forget anything: the next ack finds the damage.
    return unread < 0 || unread > this.ackSlots ? this.ackSlots : unread
  }

  /** Publishes the acks written since the last flush, and rings the producer if it asked. Once a turn. */
  flush(): void {
    if (this.#ackTail !== this.#publishedAckTail) {
      // Sequentially consistent: whoever loads this tail sees the acks below it.
      Atomics.store(this.#words, ACK_TAIL, this.#ackTail)
      this.#publishedAckTail = this.#ackTail
      this.#hasNews = true
    }
    if (!this.#hasNews) return
    this.#hasNews = false
    // After the stores of head and ack tail; the producer counts up before it looks at those.
    const wants = Atomics.load(this.#words, WANTED)
    // A want counts as answered only when a parked bell was rung: one that is not armed
    // yet may still be, by a producer that has seen all there is so far.
    if (wants !== this.#wantsAnswered && this.#ring(this.producerThread) === true) this.#wantsAnswered = wants
  }

  /** An answer could not be given: the lane is to be dropped. */
  get damaged(): boolean {
    return this.#damaged
  }

  /**
   * The producer offers nothing more. What it published before may still be there: look
   * at this first and at `isEmpty` after, for the tail is stored before the lane is closed.
   */
  get closedByProducer(): boolean {
    return Atomics.load(this.#words, CLOSED_BY_PRODUCER) !== 0
  }

  /**
   * Refuses further offers and wakes the producer. What is published can still be polled
   * and acked, but an offer that raced with this may come after the last poll: batches that
   * got no ack are the producer's to send again elsewhere.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.flush()
    Atomics.store(this.#words, CLOSED_BY_BROKER, 1)
    this.#ring(this.producerThread)
  }

  /** Takes the frame at the head; false when it was padding. */
  #take(handler: FrameHandler): boolean {
    const head = this.#head
    const index = head & (this.#capacityUnits - 1)
    const at = this.#ringAt + index
    // Each word is read once and then checked: a producer gone wild may still be writing.
    const lengthBytes = this.#words[(at << 1) + FRAME_LENGTH]!
    const type = this.#words[(at << 1) + FRAME_TYPE]!
    const toEnd = this.#capacityUnits - index
    const published = (this.#tail - head) | 0
    const roomUnits = toEnd < published ? toEnd : published
    if (lengthBytes <= 0 || lengthBytes > roomUnits << UNIT_SHIFT) throw corruptLane(this.#lane, 'a frame leaves what is published')
    if (type === FRAME_PADDING) {
      if (lengthBytes !== toEnd << UNIT_SHIFT) throw corruptLane(this.#lane, 'padding before the end')
      this.#head = (head + toEnd) | 0
      return false
    }
    if (type !== FRAME_DATA || lengthBytes < FRAME_HEADER_BYTES || this.#words[(at << 1) + FRAME_POSITION] !== head) {
      throw corruptLane(this.#lane, 'no frame where one must start')
    }
    loadFrame(this.frame, this.#words, this.#doubles, at)
    const start = at << UNIT_SHIFT
    handler.onFrame(this.#bytes, start + FRAME_HEADER_BYTES, start + lengthBytes)
    killPoint('lane.reader.taken')
    this.#head = (head + ((lengthBytes + UNIT_BYTES - 1) >>> UNIT_SHIFT)) | 0
    return true
  }

  #lookAtTail(): number {
    // Sequentially consistent: the frames below this tail are whole.
    const tail = Atomics.load(this.#words, TAIL)
    const grown = (tail - this.#tail) | 0
    const published = (tail - this.#head) | 0
    if (grown < 0 || published < 0 || published > this.#capacityUnits) throw corruptLane(this.#lane, 'its tail')
    this.#tail = tail
    return published
  }

  #publishHead(): void {
    if (this.#head === this.#publishedHead) return
    // Sequentially consistent: our reads of these bytes are done before the producer may
    // see that it can write there.
    Atomics.store(this.#words, HEAD, this.#head)
    this.#publishedHead = this.#head
    this.#hasNews = true
  }

  #lookAtAckHead(): void {
    const head = Atomics.load(this.#words, ACK_HEAD)
    const freed = (head - this.#ackHead) | 0
    if (freed < 0 || freed > ((this.#ackTail - this.#ackHead) | 0)) throw this.#damage('its count of acks')
    // A producer keeps its unacked batches at or below the slots; one that does not is not
    // the broker's defect, so this is no assertion.
    if (freed === 0) throw this.#damage('more batches in flight than ack slots')
    this.#ackHead = head
    this.#damaged = false
  }

  #damage(what: string): MillraceError {
    this.#damaged = true
    return corruptLane(this.#lane, what)
  }
}
