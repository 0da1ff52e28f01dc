// hot path 4/8 · The leader of one partition: takes batches off the lanes during
// its broker's duty cycle and appends them, parks them, or refuses them. Always one
// of the three, so that no batch holds up another partition's; a broker that is short
// of log memory leaves batches on their lanes before it comes to that.
// Runs on its broker's thread, inside the duty cycle; it has no thread of its own.
// Holds: an ack is given only for offsets below the high watermark, and batches of
// one lane are appended in the order of that lane; a batch of an idempotent producer is
// in the log once, and in the order of its sequence numbers.

import { assert } from '../assert.ts'
import type { Bells } from '../bells.ts'
import { KAFKA_ERRORS } from '../errors.ts'
import type { PartitionIndex, Slot, TopicId } from '../ids.ts'
import { FRAME_NO_CRC } from '../lane/lane-layout.ts'
import type { FrameFields } from '../lane/lane-layout.ts'
import type { LaneReader } from '../lane/lane-reader.ts'
import { looseInt64 } from '../log/batch-walk.ts'
import type { ControlBlock } from '../log/control-block.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { APPEND_CORRUPT, APPEND_NO_MEMORY, APPEND_PINNED_FULL, APPEND_TOO_LARGE } from '../log/partition-log.ts'
import { BATCH_HEADER_BYTES, PRODUCER_ID } from '../record/record-batch-layout.ts'
import { baseSequence, lastOffsetDelta, producerEpoch } from '../record/record-batch.ts'
import { sequenceAfter } from '../record/sequence.ts'
import { refuseBatch } from './batch-answer.ts'
import type { BatchFields } from './batch-answer.ts'
import { hasTimestampsInRange, stampAppendTime } from './batch-timestamps.ts'
import { DelayedProduce } from './delayed-produce.ts'
import { highWatermark } from './high-watermark.ts'
import { ParkedBatches } from './parked-batches.ts'
import {
  ProducerStates,
  SEQUENCE_DUPLICATE,
  SEQUENCE_FENCED,
  SEQUENCE_NEXT,
  SEQUENCE_OUT_OF_ORDER,
  SEQUENCE_UNKNOWN_PRODUCER,
} from './producer-state.ts'
import type { KnownProducers } from './producer-state.ts'
import type { TurnTime } from './turn-time.ts'

/** Of the leader's own, beside those of the log: the topic takes no timestamps so far from now. */
const APPEND_INVALID_TIMESTAMP = -100

export interface PartitionIdentity {
  readonly slot: Slot
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: PartitionIndex
  readonly leaderEpoch: number
}

export class PartitionActor {
  readonly identity: PartitionIdentity
  readonly log: PartitionLog
  readonly #control: ControlBlock
  readonly #delayed = new DelayedProduce()
  readonly #parked = new ParkedBatches()
  readonly #producers: ProducerStates
  readonly #time: TurnTime
  /** What the batch that was appended last got as its timestamp; -1: it kept its own. */
  #appendTimeMs = -1
  readonly #durableEnds = new Float64Array(1)
  /** The leader word as this broker has set it. */
  readonly #leaderWord: bigint
  /** Set while appends of this turn are not yet published. */
  dirty = false
  /** Cleared by the broker while readers have not been rung for what was published. */
  isAnnounced = true
  #haveFilesFailed = false

  /** `known`: the producers of what the log does not hold in memory. */
  constructor(identity: PartitionIdentity, control: ControlBlock, log: PartitionLog, time: TurnTime, known?: KnownProducers) {
    this.identity = identity
    this.#control = control
    this.#leaderWord = control.leaderWord()
    this.log = log
    this.#time = time
    this.#producers = ProducerStates.of(log, known)
    this.#haveFilesFailed = log.hasFiles && control.haveFilesFailed
  }

  get parkedCount(): number {
    return this.#parked.size
  }

  get parkedBytes(): number {
    return this.#parked.sizeInBytes
  }

  /** Producers whose batches are told from duplicates. */
  get producerCount(): number {
    return this.#producers.size
  }

  /** One batch off a lane; `bytes` is the lane's shared memory and is free again when this returns. */
  onBatch(lane: LaneReader, frame: FrameFields, bytes: Uint8Array, start: number, end: number): void {
    const refusal = this.#refusal(frame)
    if (refusal !== 0) return refuseBatch(lane, frame.batchId, frame.acks, refusal)
    // Behind those that wait, or it would pass one of its producer.
    if (this.#parked.size > 0 || !this.#take(lane, frame, bytes, start, end)) {
      this.#park(lane, frame, bytes, start, end)
    }
  }

  /** One batch of this broker's own, of no producer: its base offset, or an APPEND_ code below 0. Published by `advance`. */
  append(batch: Uint8Array): number {
    const baseOffset = this.log.append(batch, 0, batch.length)
    if (baseOffset >= 0) this.dirty = true
    return baseOffset
  }

  /** Whether nothing can be written to its files any more. */
  get haveFilesFailed(): boolean {
    return this.#haveFilesFailed
  }

  /** Tries what is parked again; true when something moved. */
  retryParked(nowMs: number): boolean {
    let moved = false
    for (;;) {
      const batch = this.#parked.oldest()
      if (batch === undefined) return moved
      const { lane, bytes } = batch
      if (!this.#take(lane, batch, bytes, 0, bytes.length)) {
        if (nowMs < batch.deadlineMs) return moved
        refuseBatch(lane, batch.batchId, batch.acks, KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
      }
      this.#parked.shift()
      moved = true
    }
  }

  /** Publishes this turn's appends, moves the watermark, gives the acks it frees. Readers see it; `announce` wakes those that sleep. */
  advance(): void {
    this.dirty = false
    // Only a thread that is dead is adopted from. If this one was taken for dead, it must be.
    assert(this.#control.leaderWord() === this.#leaderWord, `${this.identity.topic}-${this.identity.partition} is led by this broker alone`)
    this.log.publishEnds()
    this.#durableEnds[0] = this.log.durableEndOffset
    const watermark = highWatermark(this.log.highWatermark, this.#durableEnds)
    this.log.publishHighWatermark(watermark)
    this.#delayed.release(watermark)
  }

  /** Of a log with files: something was written, or could not be. */
  filesMoved(): void {
    this.advance()
    this.log.applyRetention()
    if (this.#haveFilesFailed || !this.#control.haveFilesFailed) return
    // What is not in the files by now never will be: it was never seen, and its producers are told.
    this.#haveFilesFailed = true
    this.resign(KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
  }

  /** Wakes the readers that wait for the watermark. */
  announce(bells: Bells): void {
    this.isAnnounced = true
    this.#control.ringWaiters(bells)
  }

  /** Forgets producers that have written nothing for so long; the number of them. */
  expireProducers(nowMs: number, expirationMs: number): number {
    return this.#producers.expire(nowMs, expirationMs)
  }

  /** This broker leads no longer: everybody who waits is told so, or why. */
  resign(errorCode: number = KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER): void {
    this.#delayed.failAll(errorCode)
    for (let batch = this.#parked.oldest(); batch !== undefined; batch = this.#parked.oldest()) {
      refuseBatch(batch.lane, batch.batchId, batch.acks, errorCode)
      this.#parked.shift()
    }
  }

  #refusal(frame: FrameFields): number {
    const { topicId, leaderEpoch } = this.identity
    if (frame.topicId0 !== topicId[0] || frame.topicId1 !== topicId[1] || frame.topicId2 !== topicId[2] || frame.topicId3 !== topicId[3]) {
      return KAFKA_ERRORS.UNKNOWN_TOPIC_ID
    }
    if (frame.leaderEpoch === leaderEpoch) return this.#haveFilesFailed ? KAFKA_ERRORS.KAFKA_STORAGE_ERROR : 0
    return frame.leaderEpoch < leaderEpoch ? KAFKA_ERRORS.FENCED_LEADER_EPOCH : KAFKA_ERRORS.UNKNOWN_LEADER_EPOCH
  }

  /** Appends or answers the batch; false: log memory is short, and it must wait. */
  #take(lane: LaneReader, fields: BatchFields, bytes: Uint8Array, start: number, end: number): boolean {
    // What is no batch at all has no producer.
    const producerId = end - start < BATCH_HEADER_BYTES ? -1 : looseInt64(bytes, start + PRODUCER_ID)
    if (producerId >= 0) return this.#takeSequenced(producerId, lane, fields, bytes, start, end)
    const baseOffset = this.#append(fields, bytes, start, end)
    if (baseOffset === APPEND_NO_MEMORY) return false
    if (baseOffset >= 0) this.#inLog(lane, fields, baseOffset, this.log.endOffset, this.#appendTimeMs)
    else refuseBatch(lane, fields.batchId, fields.acks, appendError(baseOffset))
    return true
  }

  /** The same for a batch of an idempotent producer. */
  #takeSequenced(producerId: number, lane: LaneReader, fields: BatchFields, bytes: Uint8Array, start: number, end: number): boolean {
    const epoch = producerEpoch(bytes, start)
    const sequence = baseSequence(bytes, start)
    const lastDelta = lastOffsetDelta(bytes, start)
    if (!Number.isSafeInteger(producerId) || epoch < 0 || sequence < 0 || lastDelta < 0) {
      refuseBatch(lane, fields.batchId, fields.acks, KAFKA_ERRORS.INVALID_RECORD)
      return true
    }
    const producers = this.#producers
    const found = producers.check(producerId, epoch, sequence, lastDelta, this.#isWhole)
    if (found !== SEQUENCE_NEXT) {
      // It may be in the log and not committed yet: it is answered as the first was, or would have been.
      if (found >= 0) this.#inLog(lane, fields, found, found + lastDelta + 1, producers.foundTimestampMs)
      else refuseBatch(lane, fields.batchId, fields.acks, sequenceError(found))
      return true
    }
    const baseOffset = this.#append(fields, bytes, start, end)
    if (baseOffset === APPEND_NO_MEMORY) return false
    if (baseOffset < 0) {
      refuseBatch(lane, fields.batchId, fields.acks, appendError(baseOffset))
      return true
    }
    const inFlight = producers.isFull(producerId) ? this.#delayed.size + lane.unreadAcks : 0
    producers.appended(producerId, epoch, sequenceAfter(sequence, lastDelta), baseOffset, lastDelta, this.#appendTimeMs, inFlight)
    this.#inLog(lane, fields, baseOffset, this.log.endOffset, this.#appendTimeMs)
    return true
  }

  /** The base offset, or an APPEND_ code: the batch is not what the topic takes, or the log does not take it. */
  #append(fields: BatchFields, bytes: Uint8Array, start: number, end: number): number {
    const { config } = this.log
    const size = end - start
    if (size > config.maxMessageBytes) return APPEND_TOO_LARGE
    if (size < BATCH_HEADER_BYTES) return APPEND_CORRUPT
    const { nowMs } = this.#time
    if (config.isLogAppendTime) {
      this.#appendTimeMs = nowMs
      stampAppendTime(bytes, start, end, nowMs, (fields.flags & FRAME_NO_CRC) === 0)
    } else {
      this.#appendTimeMs = -1
      if (!hasTimestampsInRange(bytes, start, config, nowMs)) return APPEND_INVALID_TIMESTAMP
    }
    return this.log.append(bytes, start, end)
  }

  /** Whether nothing was ever taken from the front of the log. */
  get #isWhole(): boolean {
    return this.log.startOffset === 0
  }

  /** Remembers which batch of an unknown producer is its first: should that be refused, those parked behind it must not pass. */
  #meet(bytes: Uint8Array, start: number, end: number): void {
    const producerId = end - start < BATCH_HEADER_BYTES ? -1 : looseInt64(bytes, start + PRODUCER_ID)
    if (producerId < 0 || !Number.isSafeInteger(producerId)) return
    this.#producers.check(producerId, producerEpoch(bytes, start), baseSequence(bytes, start), lastOffsetDelta(bytes, start), this.#isWhole)
  }

  /** The ack waits for the watermark, which moves at the end of the turn. */
  #inLog(lane: LaneReader, { batchId, acks }: BatchFields, baseOffset: number, endOffset: number, timestampMs: number): void {
    this.dirty = true
    if (acks !== 0) this.#delayed.add(lane, batchId, baseOffset, endOffset, timestampMs)
  }

  #park(lane: LaneReader, frame: FrameFields, bytes: Uint8Array, start: number, end: number): void {
    this.#meet(bytes, start, end)
    if (this.#parked.park(lane, frame, bytes, start, end)) return
    refuseBatch(lane, frame.batchId, frame.acks, KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
  }
}

function sequenceError(result: number): number {
  if (result === SEQUENCE_OUT_OF_ORDER) return KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER
  if (result === SEQUENCE_FENCED) return KAFKA_ERRORS.INVALID_PRODUCER_EPOCH
  if (result === SEQUENCE_DUPLICATE) return KAFKA_ERRORS.DUPLICATE_SEQUENCE_NUMBER
  if (result === SEQUENCE_UNKNOWN_PRODUCER) return KAFKA_ERRORS.UNKNOWN_PRODUCER_ID
  return KAFKA_ERRORS.UNKNOWN_SERVER_ERROR
}

function appendError(result: number): number {
  if (result === APPEND_TOO_LARGE) return KAFKA_ERRORS.MESSAGE_TOO_LARGE
  if (result === APPEND_PINNED_FULL) return KAFKA_ERRORS.KAFKA_STORAGE_ERROR
  if (result === APPEND_INVALID_TIMESTAMP) return KAFKA_ERRORS.INVALID_TIMESTAMP
  if (result === APPEND_CORRUPT) return KAFKA_ERRORS.CORRUPT_MESSAGE
  return KAFKA_ERRORS.UNKNOWN_SERVER_ERROR
}
