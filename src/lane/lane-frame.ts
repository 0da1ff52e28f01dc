// Frame headers, as bytes and as fields: Aeron's header flyweight. The writer's
// thread stores from one reused object, the reader's thread loads into another.

import {
  FRAME_ACKS,
  FRAME_BATCH_ID,
  FRAME_DATA,
  FRAME_DEADLINE,
  FRAME_FLAGS,
  FRAME_LEADER_EPOCH,
  FRAME_LENGTH,
  FRAME_PARTITION,
  FRAME_POSITION,
  FRAME_RESERVED,
  FRAME_SLOT,
  FRAME_TOPIC_ID,
  FRAME_TYPE,
} from './lane-layout.ts'
import type { FrameFields } from './lane-layout.ts'

/** Writes a data frame's header. `at` counts 8-byte units from the start of the buffer. */
export function storeFrame(
  frame: FrameFields,
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  lengthBytes: number,
  position: number,
): void {
  const word = at << 1
  words[word + FRAME_LENGTH] = lengthBytes
  words[word + FRAME_TYPE] = FRAME_DATA
  words[word + FRAME_BATCH_ID] = frame.batchId
  words[word + FRAME_SLOT] = frame.slot
  words[word + FRAME_PARTITION] = frame.partition
  words[word + FRAME_TOPIC_ID] = frame.topicId0
  words[word + FRAME_TOPIC_ID + 1] = frame.topicId1
  words[word + FRAME_TOPIC_ID + 2] = frame.topicId2
  words[word + FRAME_TOPIC_ID + 3] = frame.topicId3
  words[word + FRAME_LEADER_EPOCH] = frame.leaderEpoch
  words[word + FRAME_ACKS] = frame.acks
  words[word + FRAME_FLAGS] = frame.flags
  doubles[at + FRAME_DEADLINE] = frame.deadlineMs
  words[word + FRAME_POSITION] = position
  words[word + FRAME_RESERVED] = 0
}

/** Reads a data frame's fields; length, type and position are the reader's to check. */
export function loadFrame(frame: FrameFields, words: Int32Array, doubles: Float64Array, at: number): void {
  const word = at << 1
  frame.batchId = words[word + FRAME_BATCH_ID]!
  frame.slot = words[word + FRAME_SLOT]!
  frame.partition = words[word + FRAME_PARTITION]!
  frame.topicId0 = words[word + FRAME_TOPIC_ID]!
  frame.topicId1 = words[word + FRAME_TOPIC_ID + 1]!
  frame.topicId2 = words[word + FRAME_TOPIC_ID + 2]!
  frame.topicId3 = words[word + FRAME_TOPIC_ID + 3]!
  frame.leaderEpoch = words[word + FRAME_LEADER_EPOCH]!
  frame.acks = words[word + FRAME_ACKS]!
  frame.flags = words[word + FRAME_FLAGS]!
  frame.deadlineMs = doubles[at + FRAME_DEADLINE]!
}
