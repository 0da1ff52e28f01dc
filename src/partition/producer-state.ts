// What one partition knows of the idempotent producers that write to it, so that each of
// their batches is in the log once and in order, however often it is sent (Kafka:
// ProducerStateManager, ProducerAppendInfo; KIP-98, KIP-360). Pure; runs on the partition's
// broker thread.
//
//   a batch of a known producer                     is
//   lower epoch                                     fenced
//   higher epoch, sequence 0                        the next one
//   same epoch, the sequence after the last         the next one
//   same epoch, one of the recent ones              a duplicate: its offset is answered
//   same epoch, one before those, and retention     a duplicate whose offset nobody knows any more
//     has taken something from the log, or
//     memory had not all of it when it was opened
//   anything else                                   out of order: one before it is missing
//   the first batch that an unknown producer sends  the next one, whatever its sequence, and
//                                                   the only one until it is in the log; but where
//                                                   retention may have taken what it wrote, only
//                                                   one with sequence 0, for any other may be a duplicate
//
// Holds: it is what a walk over the log's batch headers gives, up to producers that wrote
// nothing for `producer.id.expiration.ms`, or so long ago that PRODUCERS_MAX others came
// after them: those are unknown. Per batch nothing is allocated.

import type { PartitionLog } from '../log/partition-log.ts'
import { looseInt64, looseMaxTimestamp } from '../log/batch-walk.ts'
import { PRODUCER_ID } from '../record/record-batch-layout.ts'
import { baseSequence as baseSequenceOf, isLogAppendTime, lastOffsetDelta, producerEpoch } from '../record/record-batch.ts'
import { sequenceAfter, sequenceBefore, sequenceDistance } from '../record/sequence.ts'
import { RECENT_BATCHES_MAX, RecentBatches } from './recent-batches.ts'

/** Not in the log, and in order: to be appended. */
export const SEQUENCE_NEXT = -1
/** A batch before it is missing. */
export const SEQUENCE_OUT_OF_ORDER = -2
/** A later epoch of the producer has written. */
export const SEQUENCE_FENCED = -3
/** It was in the log, and later ones of its producer are: where, is not remembered. */
export const SEQUENCE_DUPLICATE = -4
/** The log remembers nothing of the producer and may have held this very batch. */
export const SEQUENCE_UNKNOWN_PRODUCER = -5

/** Producers that a partition remembers. */
const PRODUCERS_MAX = 4_096

/** What a log's files say of a producer's last batch (Kafka: ProducerStateEntry in a snapshot). */
export interface KnownProducer {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1: of none. */
  readonly lastSequence: number
  readonly lastOffset: number
  /** From the batch's first offset to its last. */
  readonly offsetDelta: number
}

/** The producers of all batches below an offset. */
export interface KnownProducers {
  readonly endOffset: number
  readonly producers: readonly KnownProducer[]
}

class ProducerState {
  epoch: number
  lastSequence: number
  /** Of its newest record: who wrote least lately is forgotten first. */
  lastOffset = -1
  /** Has written since `expire` last looked. */
  isActive = true
  /** When `expire` last found it active. */
  activeMs = 0
  readonly recent = new RecentBatches()

  constructor(epoch: number, lastSequence: number) {
    this.epoch = epoch
    this.lastSequence = lastSequence
  }
}

export class ProducerStates {
  readonly #states = new Map<number, ProducerState>()
  readonly #producersMax: number
  /** The one that wrote last: most batches follow one of the same producer. */
  #lastId = -1
  #last: ProducerState | undefined
  /** Of what is not in memory each producer's last batch alone is known. */
  #isPartial = false
  /** Of the duplicate that `check` found last: the append time that was answered, -1 for none. */
  foundTimestampMs = -1

  /**
   * The state that a log was left in. Of what memory does not hold, `known` tells each producer's last batch; it may reach
   * into memory.
   */
  static of(log: PartitionLog, known?: KnownProducers, producersMax: number = PRODUCERS_MAX): ProducerStates {
    const states = new ProducerStates(producersMax)
    states.#isPartial = (known?.endOffset ?? 0) > 0
    let hasBegun = false
    // Whose last batch is in memory is known by all his batches there: he may send any of them again.
    const begin = (memoryStart: number): void => {
      hasBegun = true
      for (const { producerId, producerEpoch: epoch, lastSequence, lastOffset, offsetDelta } of known?.producers ?? []) {
        // Who only ended a transaction has no batch to tell apart.
        if (lastSequence < 0 || lastOffset >= memoryStart) continue
        states.appended(producerId, epoch, lastSequence, lastOffset - offsetDelta, offsetDelta, -1, RECENT_BATCHES_MAX)
      }
    }
    log.walkBatches((bytes, at) => {
      if (!hasBegun) begin(looseInt64(bytes, at))
      const producerId = looseInt64(bytes, at + PRODUCER_ID)
      const baseSequence = baseSequenceOf(bytes, at)
      if (producerId < 0 || baseSequence < 0) return
      const delta = lastOffsetDelta(bytes, at)
      const lastSequence = sequenceAfter(baseSequence, delta)
      const timestampMs = isLogAppendTime(bytes, at) ? looseMaxTimestamp(bytes, at) : -1
      // Which of them are in flight is not known: as many as may be are remembered.
      states.appended(producerId, producerEpoch(bytes, at), lastSequence, looseInt64(bytes, at), delta, timestampMs, RECENT_BATCHES_MAX)
    })
    if (!hasBegun) begin(Number.POSITIVE_INFINITY)
    return states
  }

  constructor(producersMax: number = PRODUCERS_MAX) {
    this.#producersMax = producersMax
  }

  get size(): number {
    return this.#states.size
  }

  /**
   * The offset that a duplicate has in the log, or one of the SEQUENCE_ codes below 0. A producer sends its batches in
   * order, so the first one of an unknown producer is the one to begin with: should it be refused, none passes it.
   * `isWhole`: nothing was ever taken from the front of the log, so who is unknown has not written.
   */
  check(producerId: number, epoch: number, baseSequence: number, lastDelta: number, isWhole: boolean): number {
    const state = this.#find(producerId)
    if (state === undefined) {
      if (!isWhole && baseSequence !== 0) return SEQUENCE_UNKNOWN_PRODUCER
      this.#add(producerId, epoch, sequenceBefore(baseSequence))
      return SEQUENCE_NEXT
    }
    if (epoch !== state.epoch) {
      if (epoch < state.epoch) return SEQUENCE_FENCED
      return baseSequence === 0 ? SEQUENCE_NEXT : SEQUENCE_OUT_OF_ORDER
    }
    const ahead = sequenceDistance(baseSequence, sequenceAfter(state.lastSequence, 1))
    if (ahead === 0) return SEQUENCE_NEXT
    if (ahead > 0) return SEQUENCE_OUT_OF_ORDER
    const lastSequence = sequenceAfter(baseSequence, lastDelta)
    const place = state.recent.find(lastSequence)
    if (place < 0) return (!isWhole || this.#isPartial) && state.recent.isBefore(lastSequence) ? SEQUENCE_DUPLICATE : SEQUENCE_OUT_OF_ORDER
    this.foundTimestampMs = state.recent.timestampAt(place)
    return state.recent.baseOffsetAt(place)
  }

  /** Whether `appended` needs to know how many batches the producer has in flight. */
  isFull(producerId: number): boolean {
    return this.#find(producerId)?.recent.isFull === true
  }

  /** The batch is in the log; `inFlight`: of so many before it the producer may not know yet that they are. */
  appended(
    producerId: number,
    epoch: number,
    lastSequence: number,
    baseOffset: number,
    lastDelta: number,
    timestampMs: number,
    inFlight: number,
  ): void {
    const state = this.#find(producerId) ?? this.#add(producerId, epoch, lastSequence)
    if (state.epoch !== epoch) {
      state.epoch = epoch
      state.recent.clear()
    }
    state.lastSequence = lastSequence
    state.lastOffset = baseOffset + lastDelta
    state.isActive = true
    if (state.recent.isFull) state.recent.makeRoom(inFlight)
    state.recent.add(lastSequence, baseOffset, timestampMs)
  }

  /** Forgets who has written nothing for so long; the number of them. To be called now and then: time counts from call to call. */
  expire(nowMs: number, expirationMs: number): number {
    let expired = 0
    for (const [producerId, state] of this.#states) {
      if (state.isActive) {
        state.isActive = false
        state.activeMs = nowMs
      } else if (nowMs - state.activeMs >= expirationMs) {
        this.#forget(producerId)
        expired++
      }
    }
    return expired
  }

  #find(producerId: number): ProducerState | undefined {
    if (producerId === this.#lastId) return this.#last
    const state = this.#states.get(producerId)
    if (state === undefined) return undefined
    this.#lastId = producerId
    this.#last = state
    return state
  }

  #add(producerId: number, epoch: number, lastSequence: number): ProducerState {
    if (this.#states.size >= this.#producersMax) this.#forgetOldest()
    const state = new ProducerState(epoch, lastSequence)
    this.#states.set(producerId, state)
    return state
  }

  #forgetOldest(): void {
    let oldest = -1
    let oldestOffset = Number.POSITIVE_INFINITY
    for (const [producerId, { lastOffset }] of this.#states) {
      if (lastOffset >= oldestOffset) continue
      oldest = producerId
      oldestOffset = lastOffset
    }
    this.#forget(oldest)
  }

  #forget(producerId: number): void {
    this.#states.delete(producerId)
    if (producerId === this.#lastId) {
      this.#lastId = -1
      this.#last = undefined
    }
  }
}
