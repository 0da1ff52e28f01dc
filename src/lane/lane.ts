// A lane: the ring buffer between one producer's thread and one broker's thread,
// Aeron's publication over IPC. The client allocates it at first use and hands the
// buffer to the broker; a larger one replaces it when larger batches are allowed.
//
// Holds: `openLane` believes nothing that it has not checked against the size of
// the buffer, so no later read or write through its views leaves the buffer.

import { assert } from '../assert.ts'
import { MillraceError } from '../errors.ts'
import { THREADS_MAX, threadId } from '../ids.ts'
import type { ThreadId } from '../ids.ts'
import {
  ACK_HEAD,
  ACK_SLOTS,
  ACK_SLOTS_MAX,
  ACK_TAIL,
  BROKER_THREAD,
  CAPACITY_UNITS,
  dataRingBytesAt,
  FRAME_HEADER_BYTES,
  HEAD,
  LANE_CAPACITY_DEFAULT_BYTES,
  LANE_CAPACITY_MAX_BYTES,
  LANE_CAPACITY_MIN_BYTES,
  LANE_MAGIC,
  MAGIC,
  PRODUCER_THREAD,
  TAIL,
  UNIT_BYTES,
  UNIT_SHIFT,
} from './lane-layout.ts'

export interface LaneOptions {
  /** A power of two; `laneCapacity` gives the default. */
  readonly capacityBytes: number
  /** Unacked batches the producer may have in this lane; rounded up to a power of two. */
  readonly ackSlots: number
  readonly producerThread: ThreadId
  readonly brokerThread: ThreadId
  /** Where positions start, in bytes, a multiple of 8: for tests near 2^31 and 2^32. */
  readonly startPosition?: number
  /** Where the count of acks starts: likewise. */
  readonly startAckPosition?: number
}

/**
 * Rings the bell of a thread; true when that thread was parked and is woken by this. Work is
 * published before. An answer of nothing stands for "not known", and costs rings that wake nobody.
 */
export type RingBell = (thread: ThreadId) => boolean | void

/** The views of one side over a lane's buffer, and the constants it has checked. */
export interface LaneMemory {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly doubles: Float64Array<SharedArrayBuffer>
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly capacityUnits: number
  readonly ackSlots: number
  /** Where the data ring starts, in 8-byte units from the start of the buffer. */
  readonly ringAt: number
  readonly producerThread: ThreadId
  readonly brokerThread: ThreadId
}

/** Bytes a lane needs so that two of the largest batches fit, and at least 512 KiB. */
export function laneCapacity(maxBatchBytes: number): number {
  const bytes = Math.max(LANE_CAPACITY_DEFAULT_BYTES, 2 * (maxBatchBytes + FRAME_HEADER_BYTES + UNIT_BYTES - 1))
  assert(bytes <= LANE_CAPACITY_MAX_BYTES, 'a lane is at most 1 GiB')
  return powerOfTwoFrom(bytes)
}

/** The largest batch that a lane of this capacity takes. */
export function maxBatchBytes(capacityBytes: number): number {
  // Padding may be as long as the frame less a unit: with frames up to half of the
  // ring, both fit into an empty one wherever it stands, so no batch waits for ever.
  return capacityBytes / 2 - FRAME_HEADER_BYTES
}

export function allocateLane(options: LaneOptions): SharedArrayBuffer {
  const { capacityBytes, startPosition = 0, startAckPosition = 0 } = options
  assert(powerOfTwoFrom(capacityBytes) === capacityBytes, 'the capacity of a lane is a power of two')
  assert(capacityBytes >= LANE_CAPACITY_MIN_BYTES && capacityBytes <= LANE_CAPACITY_MAX_BYTES, 'a lane is 4 KiB to 1 GiB')
  assert(options.ackSlots >= 1 && options.ackSlots <= ACK_SLOTS_MAX, 'a lane has 1 to 65,536 ack slots')
  assert(Number.isSafeInteger(startPosition) && startPosition % UNIT_BYTES === 0, 'a position is a multiple of 8 bytes')
  // A power of two, so that the count of acks can wrap without changing its slot.
  const ackSlots = powerOfTwoFrom(options.ackSlots)
  const buffer = new SharedArrayBuffer(dataRingBytesAt(ackSlots) + capacityBytes)
  const words = new Int32Array(buffer)
  words[CAPACITY_UNITS] = capacityBytes / UNIT_BYTES
  words[ACK_SLOTS] = ackSlots
  words[PRODUCER_THREAD] = options.producerThread
  words[BROKER_THREAD] = options.brokerThread
  words[TAIL] = words[HEAD] = (startPosition / UNIT_BYTES) | 0
  words[ACK_TAIL] = words[ACK_HEAD] = startAckPosition | 0
  // The magic last: a buffer that has it is complete. (The other side gets the buffer
  // by a message, which orders all of this before its first look.)
  Atomics.store(words, MAGIC, LANE_MAGIC)
  return buffer
}

/** Views over a lane that another thread allocated. */
export function openLane(buffer: SharedArrayBuffer): LaneMemory {
  if (buffer.byteLength < LANE_CAPACITY_MIN_BYTES || buffer.byteLength % UNIT_BYTES !== 0) throw notALane('its size')
  const words = new Int32Array(buffer)
  if (Atomics.load(words, MAGIC) !== LANE_MAGIC) throw notALane('its first word')
  const capacityUnits = words[CAPACITY_UNITS]!
  const ackSlots = words[ACK_SLOTS]!
  const producerThread = words[PRODUCER_THREAD]!
  const brokerThread = words[BROKER_THREAD]!
  const isSized = capacityUnits > 0 && (capacityUnits & (capacityUnits - 1)) === 0 && ackSlots > 0 && (ackSlots & (ackSlots - 1)) === 0
  if (!isSized || ackSlots > ACK_SLOTS_MAX) throw notALane('its sizes')
  if (dataRingBytesAt(ackSlots) + capacityUnits * UNIT_BYTES !== buffer.byteLength) throw notALane('its sizes')
  if (!isThread(producerThread) || !isThread(brokerThread)) throw notALane('its thread ids')
  return {
    words,
    doubles: new Float64Array(buffer),
    bytes: new Uint8Array(buffer),
    capacityUnits,
    ackSlots,
    ringAt: dataRingBytesAt(ackSlots) >> UNIT_SHIFT,
    producerThread: threadId(producerThread),
    brokerThread: threadId(brokerThread),
  }
}

/** A lane whose shared words or frames cannot be: whoever finds it gives the lane up. */
export function corruptLane(lane: LaneMemory, what: string): MillraceError {
  return new MillraceError(
    'CORRUPT_MESSAGE',
    `the lane of thread ${lane.producerThread} to broker thread ${lane.brokerThread} is damaged (${what}): drop it and open another`,
  )
}

function notALane(what: string): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `this buffer is no lane (${what} cannot be): hand over one that allocateLane made`)
}

function isThread(id: number): boolean {
  return id >= 0 && id < THREADS_MAX
}

function powerOfTwoFrom(value: number): number {
  let power = 1
  while (power < value) power *= 2
  return power
}
