// The bytes of a lane: Aeron's log buffer with one term, one publication and one
// subscription; the road that Kafka's Produce request takes over a socket.
//
//   one SharedArrayBuffer, one writing thread (the producer), one reading broker
//
//        0  +-----------------------------------------------------------+
//           | magic | capacity in units | ack slots | producer's thread |  written once, and at closing:
//           | broker's thread | closed by producer | closed by broker   |  both sides keep it in their caches
//      128  +-----------------------------------------------------------+
//           | tail      end of the last published frame                 |  stored by the producer
//      256  +-----------------------------------------------------------+
//           | head      end of the last frame that was taken            |  stored by the broker
//      384  +-----------------------------------------------------------+
//           | ack tail  acks published                                  |  stored by the broker
//      512  +-----------------------------------------------------------+
//           | ack head  acks taken                                      |  stored by the producer
//      640  +-----------------------------------------------------------+
//           | wanted    how often the producer asked to be rung         |  stored by the producer
//      768  +-----------------------------------------------------------+
//           | ack ring: ack slots x 24 bytes                            |
//           |   +0 batch id i32 | +4 error code i32                     |
//           |   +8 base offset f64 | +16 timestamp f64                  |
//           +-----------------------------------------------------------+  rounded up to 128
//           | data ring: a power of two                                 |
//           |   frame | frame | padding ...                             |
//           +-----------------------------------------------------------+
//
//   a frame: 64 bytes of header, the batch, then up to 7 bytes of nothing
//
//      +0  i32  length in bytes, header included, before rounding to 8
//      +4  i32  type: 1 data, 2 padding (which has no more than these 8 bytes)
//      +8  i32  batch id      names the batch in its ack
//     +12  i32  slot          of the partition's replica
//     +16  i32  partition
//     +20  i32  topic id, four words
//     +36  i32  leader epoch  that the producer expects
//     +40  i32  acks          0, 1 or -1 (all)
//     +44  i32  flags         FRAME_NO_CRC
//     +48  f64  deadline, monotonic milliseconds
//     +56  i32  position      of this frame, in units: tells a frame from stale or scribbled bytes
//     +60  i32  zero
//
// Holds: positions count units of 8 bytes from the lane's start and wrap as Int32,
// so they are compared by (a - b) | 0 and never by <. A unit's place is its position
// modulo the capacity, a power of two, so wrapping at 2^32 units changes no place.
// Each word is stored by one thread only. Lines that
// different threads store to lie 128 bytes apart, for processors fetch them in pairs.

/** Positions count in these: frames start and end on multiples of 8 bytes. */
export const UNIT_BYTES = 8
export const UNIT_SHIFT = 3

// Indices of 32-bit words.
export const MAGIC = 0
export const CAPACITY_UNITS = 1
export const ACK_SLOTS = 2
export const PRODUCER_THREAD = 3
export const BROKER_THREAD = 4
export const CLOSED_BY_PRODUCER = 5
export const CLOSED_BY_BROKER = 6
export const TAIL = 128 / 4
export const HEAD = 256 / 4
export const ACK_TAIL = 384 / 4
export const ACK_HEAD = 512 / 4
export const WANTED = 640 / 4

export const LANE_MAGIC = 0x4c414e45 // "LANE"

export const ACK_RING_BYTES_AT = 768
export const ACK_BYTES = 24
export const ACK_WORDS = ACK_BYTES / 4
export const ACK_DOUBLES = ACK_BYTES / 8
// In words from the start of an ack.
export const ACK_BATCH_ID = 0
export const ACK_ERROR_CODE = 1
// In doubles from the start of an ack.
export const ACK_BASE_OFFSET = 1
export const ACK_TIMESTAMP = 2

export const FRAME_HEADER_BYTES = 64
/** All of a padding frame that is written: length and type. It always fits, for frames end on units. */
export const PADDING_HEADER_BYTES = 8
export const FRAME_DATA = 1
export const FRAME_PADDING = 2
// In words from the start of a frame.
export const FRAME_LENGTH = 0
export const FRAME_TYPE = 1
export const FRAME_BATCH_ID = 2
export const FRAME_SLOT = 3
export const FRAME_PARTITION = 4
export const FRAME_TOPIC_ID = 5
export const FRAME_LEADER_EPOCH = 9
export const FRAME_ACKS = 10
export const FRAME_FLAGS = 11
export const FRAME_POSITION = 14
export const FRAME_RESERVED = 15
// In doubles from the start of a frame.
export const FRAME_DEADLINE = 6

/** Flag of a frame: the batch's CRC was not computed, for its topic's durability is `memory`. */
export const FRAME_NO_CRC = 1

/** What a lane holds at least, by default; smaller ones are slower, larger ones hardly faster. */
export const LANE_CAPACITY_DEFAULT_BYTES = 512 * 1024
export const LANE_CAPACITY_MIN_BYTES = 4 * 1024
export const LANE_CAPACITY_MAX_BYTES = 1024 * 1024 * 1024
export const ACK_SLOTS_MAX = 65_536

/** Where the data ring starts. */
export function dataRingBytesAt(ackSlots: number): number {
  return (ACK_RING_BYTES_AT + ackSlots * ACK_BYTES + 127) & ~127
}

/**
 * What travels beside a batch: the fields of Kafka's Produce request that a broker needs to route it.
 * One reused object on each side.
 */
export class FrameFields {
  /** Names the batch in its ack: the producer's own counter. */
  batchId = 0
  /** Row of the leader's replica in the partition table. */
  slot = 0
  partition = 0
  topicId0 = 0
  topicId1 = 0
  topicId2 = 0
  topicId3 = 0
  /** The epoch that the producer knows; a leader with another refuses the batch. */
  leaderEpoch = 0
  /** 0, 1 or -1 (all), as in Kafka. */
  acks = 0
  flags = 0
  /** Monotonic milliseconds after which the leader need not try any more. Starts as a fraction's
   * kind of number, not a small integer, so that V8 keeps one mutable double here for good. */
  deadlineMs = Number.POSITIVE_INFINITY
}
