// Moves sealed batches to the lanes of their leaders, and acks back (Kafka: Sender).
// Runs on the producer's thread, in the calls of its user and when its bell rings.
// Holds: batches of one partition leave in order; a batch without a living leader
// waits until there is one, or until its delivery timeout. A leader gets nothing before the
// answers of all that were sent under the epoch before, or their return: batch-returns.ts.

import type { Timer } from '../../clock.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { KAFKA_ERRORS } from '../../errors.ts'
import { equalTopicIds } from '../../ids.ts'
import { laneCapacity } from '../../lane/lane.ts'
import { BACK_PRESSURED, BATCH_TOO_LARGE, LANE_CLOSED, OFFERED } from '../../lane/lane-writer.ts'
import { hasLeader, leaderBrokerOf, leaderEpochOf } from '../../log/control-block.ts'
import type { Random } from '../../random.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE } from '../../record/record-batch-layout.ts'
import type { BatchPool } from './batch-pool.ts'
import { BatchReturns } from './batch-returns.ts'
import type { ReturnsOptions } from './batch-returns.ts'
import { DeferredBell } from './deferred-bell.ts'
import { LaneLink } from './lane-link.ts'
import type { BatchSink } from './lane-link.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { overdueError, refusalError } from './producer-errors.ts'

/** Kafka's max.in.flight.requests.per.connection: a batch that is not full leaves only below it. */
const IN_FLIGHT_BEFORE_COALESCING = 5

export interface SenderOptions extends ReturnsOptions {
  readonly acks: 0 | 1 | 'all'
  readonly batchSize: number
}

export interface SenderCallbacks {
  readonly onFailure: (batch: ProducerBatch, error: Error) => void
  readonly seal: (queue: PartitionQueue) => void
  /** Batches that had to wait for a while may leave now. */
  readonly onBackoffOver: () => void
}

export class LaneSender implements BatchSink {
  readonly #engine: EmbeddedEngine
  readonly #pool: BatchPool
  readonly #options: SenderOptions
  /** As it stands in a frame. */
  readonly #acks: number
  readonly #callbacks: SenderCallbacks
  readonly #returns: BatchReturns
  readonly #links = new Map<number, LaneLink>()
  readonly #ready: PartitionQueue[] = []
  #filledSincePump = 0
  /** That of most partitions; undefined before the first batch leaves, and always where there is no idempotence. */
  #producerId: number | undefined
  #backoffTimer: Timer | undefined
  #backoffOverMs = Number.POSITIVE_INFINITY
  /** Lanes that are opened from now on take a batch of this size. */
  #largestBatchBytes: number
  /** Batches that were opened and are neither acknowledged nor failed. */
  outstanding = 0

  constructor(engine: EmbeddedEngine, pool: BatchPool, random: Random, options: SenderOptions, callbacks: SenderCallbacks) {
    this.#engine = engine
    this.#pool = pool
    this.#options = options
    this.#acks = options.acks === 'all' ? -1 : options.acks
    this.#largestBatchBytes = options.batchSize
    this.#callbacks = callbacks
    this.#returns = new BatchReturns(options, engine.clock, random, {
      enqueue: (queue) => this.enqueue(queue),
      giveUp: (batch, error) => this.failed(batch, error),
      lookAt: (monotonicMs) => this.#lookAt(monotonicMs),
    })
  }

  /** The queue has a sealed or due batch. */
  enqueue(queue: PartitionQueue): void {
    if (queue.ready) return
    queue.ready = true
    this.#ready.push(queue)
  }

  /**
   * The queue has a full batch, which leaves if it can. The others that wait are looked at too, once in as many
   * calls as there are of them: so a call costs little, however many partitions there are.
   */
  filled(queue: PartitionQueue): void {
    if (++this.#filledSincePump >= this.#ready.length) {
      this.enqueue(queue)
      this.pump()
      return
    }
    this.#takeAcks()
    this.#sendFrom(queue)
    if (isReady(queue)) this.enqueue(queue)
  }

  /** Takes acks and sends what can be sent; true when anything moved. */
  pump(): boolean {
    this.#filledSincePump = 0
    let moved = this.#takeAcks()
    let kept = 0
    for (let i = 0; i < this.#ready.length; i++) {
      const queue = this.#ready[i]!
      if (this.#sendFrom(queue)) moved = true
      if (isReady(queue)) this.#ready[kept++] = queue
      else queue.ready = false
    }
    this.#ready.length = kept
    return moved
  }

  #takeAcks(): boolean {
    let taken = false
    for (const link of this.#links.values()) {
      link.isFull = false
      if (link.pollAcks() > 0) taken = true
    }
    return taken
  }

  /** Whether something waits for a ring: for room, for a leader, or for an ack. */
  get isWaiting(): boolean {
    return this.outstanding > 0
  }

  /** Marks in shared memory what this thread waits for. */
  prepareWait(): void {
    for (const link of this.#links.values()) if (link.unacked > 0 || this.#ready.length > 0) link.writer.wantWake()
    for (const queue of this.#ready) {
      const word = queue.control.leaderWord()
      const mustChange = !hasLeader(word) || leaderEpochOf(word) <= queue.refusedEpoch || !this.#links.has(leaderBrokerOf(word))
      if (mustChange) queue.control.addWaiter(this.#engine.threadId)
    }
  }

  /** A broker is gone, or has closed this lane: what was in flight on it may leave again. */
  brokerLost(brokerId: number): void {
    const link = this.#links.get(brokerId)
    if (link === undefined) return
    this.#links.delete(brokerId)
    link.lost()
  }

  /** Fails batches that have waited to leave, or for their ack, beyond their delivery timeout. */
  expire(): void {
    const nowMs = this.#engine.clock.monotonicMs()
    for (const link of this.#links.values()) link.expire(nowMs)
    for (const queue of this.#ready) {
      if (queue.open !== undefined && queue.open.due && queue.open.deadlineMs <= nowMs) this.#callbacks.seal(queue)
      while (queue.sealed.length > 0 && queue.sealed[0]!.deadlineMs <= nowMs) {
        const batch = queue.sealed.shift()!
        this.#returns.giveUp(queue, batch, overdueError(batch))
      }
    }
  }

  *inFlight(): Generator<ProducerBatch> {
    for (const link of this.#links.values()) yield* link.inFlight()
  }

  completed(batch: ProducerBatch, baseOffset: number, appendTimeMs: number): void {
    this.#landed(batch)
    this.outstanding--
    const { sequence } = queueOf(batch)
    if (sequence.hasGap) sequence.written(batch)
    if (!batch.expired) batch.complete(baseOffset, appendTimeMs)
    this.#pool.giveBack(batch)
  }

  failed(batch: ProducerBatch, error: Error): void {
    this.#landed(batch)
    this.outstanding--
    if (!batch.expired) this.#tellFailure(batch, error)
    this.#pool.giveBack(batch)
  }

  refused(batch: ProducerBatch, errorCode: number): void {
    // It is in the log, or was until retention took it.
    if (errorCode === KAFKA_ERRORS.DUPLICATE_SEQUENCE_NUMBER) return this.completed(batch, -1, -1)
    const { sentEpoch } = batch
    this.#landed(batch)
    this.#returns.refused(queueOf(batch), batch, errorCode, sentEpoch)
  }

  lost(batch: ProducerBatch, brokerId: number): void {
    this.#landed(batch)
    this.#returns.lost(queueOf(batch), batch, brokerId)
  }

  expired(batch: ProducerBatch, error: Error): void {
    batch.expired = true
    this.#tellFailure(batch, error)
  }

  /** Leaves the lanes; what was not acknowledged by now fails. */
  close(reason: (batch: ProducerBatch) => Error): void {
    for (const link of this.#links.values()) {
      link.close()
      link.giveUp(reason)
    }
    this.#links.clear()
    this.#backoffTimer?.cancel()
  }

  #sendFrom(queue: PartitionQueue): boolean {
    let moved = false
    for (;;) {
      if (queue.isHeld && !this.#returns.mayResume(queue)) return moved
      if (queue.sealed.length === 0) {
        if (queue.open?.due !== true || !this.#mayLeavePartial(queue)) return moved
        this.#callbacks.seal(queue)
      }
      if (!this.#sendOldest(queue)) return moved
      moved = true
    }
  }

  /**
   * A batch with room left waits while several are on their way, and grows meanwhile; but one of a partition
   * that has none on its way leaves, as in a request of Kafka's, which takes along a batch of each partition.
   */
  #mayLeavePartial(queue: PartitionQueue): boolean {
    if (queue.inFlight === 0) return true
    const link = this.#leaderLink(queue)
    return link === undefined || link.unacked < IN_FLIGHT_BEFORE_COALESCING
  }

  #sendOldest(queue: PartitionQueue): boolean {
    const batch = queue.sealed[0]!
    const word = queue.control.leaderWord()
    const leaderEpoch = leaderEpochOf(word)
    if (!hasLeader(word) || leaderEpoch <= queue.refusedEpoch) return this.#failIfDeleted(queue)
    // Those behind it wait with it.
    if (batch.compressing !== undefined) return false
    // What was sent to the leader before may yet come back, and must not come behind this one.
    if (queue.inFlight > 0 && queue.inFlightEpoch !== leaderEpoch) return false
    const brokerId = leaderBrokerOf(word)
    const link = this.#openLinkTo(brokerId)
    if (link === undefined || link.isFull) return false
    // With a slot there is news, and some of it may be that one came back that goes before this one.
    if (!link.hasSlot) return link.pollAcks() > 0
    if (!this.#stamp(batch, queue)) return false
    if (batch.baseSequence === 0 && this.#mayHaveGone(batch, queue)) {
      queue.sealed.shift()
      this.#returns.giveUp(queue, batch, refusalError(batch, KAFKA_ERRORS.UNKNOWN_PRODUCER_ID))
      return true
    }
    const result = link.offer(batch, leaderEpoch, this.#acks)
    if (result === OFFERED) {
      queue.sealed.shift()
      if (this.#acks !== 0) this.#departed(batch, queue, leaderEpoch)
      return true
    }
    if (result === BATCH_TOO_LARGE) {
      this.#largestBatchBytes = Math.max(this.#largestBatchBytes, batch.sizeInBytes)
      link.outgrown = true
      return link.isIdle && this.#sendOldest(queue)
    }
    if (result === BACK_PRESSURED) {
      link.isFull = true
      link.pollAcks()
    }
    // A broker that stops answers what it has, and there will be no other: the engine says when it is over.
    else if (result === LANE_CLOSED && !this.#engine.isClosing) this.brokerLost(brokerId)
    return false
  }

  /**
   * Whether the first batch of an epoch, which every leader takes, may have been in the log and gone by retention before
   * this leader opened it. What a leader takes from the log itself, it remembers.
   */
  #mayHaveGone(batch: ProducerBatch, { control }: PartitionQueue): boolean {
    if (batch.logEndBefore < 0) batch.logEndBefore = control.logEndOffset
    return batch.inDoubt && control.logStartOffset > batch.logEndBefore
  }

  /** A topic that is deleted gets no leader any more: what waits for one is given up. */
  #failIfDeleted(queue: PartitionQueue): boolean {
    const { control, sealed } = queue
    if (control.isInUse && !control.isDeleting && equalTopicIds(control.topicId, queue.topicId)) return false
    for (const batch of sealed.splice(0)) this.#returns.giveUp(queue, batch, refusalError(batch, KAFKA_ERRORS.UNKNOWN_TOPIC_ID))
    return true
  }

  /** Writes who sends the batch; false: that is not known yet, and this thread is woken when it is. */
  #stamp(batch: ProducerBatch, { sequence }: PartitionQueue): boolean {
    if (!this.#options.enableIdempotence) {
      batch.stamp(NO_PRODUCER_ID, NO_PRODUCER_EPOCH, NO_SEQUENCE)
      return true
    }
    if (sequence.producerId < 0) {
      const producerId = sequence.needsOwnId ? this.#engine.takeProducerId() : (this.#producerId ??= this.#engine.takeProducerId())
      if (producerId === undefined) return false
      sequence.producerId = producerId
    }
    sequence.stamp(batch)
    return true
  }

  #departed(batch: ProducerBatch, queue: PartitionQueue, leaderEpoch: number): void {
    if (this.#options.enableIdempotence) queue.sequence.left(batch)
    batch.sentEpoch = leaderEpoch
    queue.inFlight++
    queue.inFlightEpoch = leaderEpoch
  }

  #landed(batch: ProducerBatch): void {
    if (batch.sentEpoch < 0) return
    batch.sentEpoch = -1
    queueOf(batch).inFlight--
  }

  #leaderLink(queue: PartitionQueue): LaneLink | undefined {
    return this.#links.get(queue.control.leaderBroker)
  }

  #tellFailure(batch: ProducerBatch, error: Error): void {
    this.#callbacks.onFailure(batch, error)
    batch.fail(error)
  }

  /** One timer, however many partitions wait for a backoff to be over: it is set to the first. */
  #lookAt(monotonicMs: number): void {
    if (monotonicMs >= this.#backoffOverMs) return
    this.#backoffTimer?.cancel()
    this.#backoffOverMs = monotonicMs
    this.#backoffTimer = this.#engine.clock.setTimer(Math.max(1, monotonicMs - this.#engine.clock.monotonicMs()), () => {
      this.#backoffTimer = undefined
      this.#backoffOverMs = Number.POSITIVE_INFINITY
      this.#callbacks.onBackoffOver()
    })
  }

  /**
   * The link to a broker, if it takes batches now. A larger lane takes over only when the
   * outgrown one is idle, or batches could overtake each other; until then none leaves, or
   * small ones could keep it busy for ever.
   */
  #openLinkTo(brokerId: number): LaneLink | undefined {
    const link = this.#links.get(brokerId)
    if (link === undefined || !link.outgrown) return link ?? this.#openLink(brokerId)
    link.pollAcks()
    if (!link.isIdle) return undefined
    link.close()
    this.#links.delete(brokerId)
    return this.#openLink(brokerId)
  }

  #openLink(brokerId: number): LaneLink | undefined {
    const writer = this.#engine.openLane(brokerId, laneCapacity(this.#largestBatchBytes))
    if (writer === undefined) return undefined
    const link = new LaneLink(brokerId, writer, new DeferredBell(this.#engine.bells, writer.brokerThread), this)
    this.#links.set(brokerId, link)
    return link
  }
}

/** Whether the queue has something to send. */
function isReady({ sealed, open }: PartitionQueue): boolean {
  return sealed.length > 0 || open?.due === true
}

/** Batches are opened by the queue of their partition, and by nobody else. */
function queueOf(batch: ProducerBatch): PartitionQueue {
  return batch.destination as PartitionQueue
}
