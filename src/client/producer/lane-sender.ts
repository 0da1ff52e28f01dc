// Moves sealed batches to the lanes of their leaders, and acks back (Kafka: Sender).
// Runs on the producer's thread, in the calls of its user and when its bell rings.
// Holds: batches of one partition leave in order; a batch without a living leader
// waits until there is one, or until its delivery timeout. So does one that a broker
// refused as not its leader's: it was not written, and goes to the leader after that one,
// which gets nothing before the answers of all that were sent under the epoch before.

import type { Clock } from '../../clock.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { laneCapacity } from '../../lane/lane.ts'
import { BACK_PRESSURED, BATCH_TOO_LARGE, LANE_CLOSED, OFFERED } from '../../lane/lane-writer.ts'
import { NO_LEADER_WORD, leaderBrokerOf, leaderEpochOf } from '../../log/control-block.ts'
import type { BatchPool } from './batch-pool.ts'
import { DeferredBell } from './deferred-bell.ts'
import { LaneLink } from './lane-link.ts'
import type { BatchSink } from './lane-link.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** Kafka's max.in.flight.requests.per.connection: a batch that is not full leaves only below it. */
const IN_FLIGHT_BEFORE_COALESCING = 5

export interface SenderOptions {
  readonly acks: number
  readonly largestBatchBytes: number
}

export class LaneSender implements BatchSink {
  readonly #engine: EmbeddedEngine
  readonly #pool: BatchPool
  readonly #clock: Clock
  readonly #options: SenderOptions
  readonly #links = new Map<number, LaneLink>()
  readonly #ready: PartitionQueue[] = []
  readonly #onFailure: (batch: ProducerBatch, error: Error) => void
  readonly #seal: (queue: PartitionQueue) => void
  /** Lanes that are opened from now on take a batch of this size. */
  #largestBatchBytes: number
  /** Batches that were opened and are neither acknowledged nor failed. */
  outstanding = 0

  constructor(
    engine: EmbeddedEngine,
    pool: BatchPool,
    clock: Clock,
    options: SenderOptions,
    callbacks: { onFailure: (batch: ProducerBatch, error: Error) => void; seal: (queue: PartitionQueue) => void },
  ) {
    this.#engine = engine
    this.#pool = pool
    this.#clock = clock
    this.#options = options
    this.#largestBatchBytes = options.largestBatchBytes
    this.#onFailure = callbacks.onFailure
    this.#seal = callbacks.seal
  }

  /** The queue has a sealed or due batch. */
  enqueue(queue: PartitionQueue): void {
    if (queue.ready) return
    queue.ready = true
    this.#ready.push(queue)
  }

  /** Takes acks and sends what can be sent; true when anything moved. */
  pump(): boolean {
    let moved = false
    for (const link of this.#links.values()) if (link.pollAcks() > 0) moved = true
    let kept = 0
    for (let i = 0; i < this.#ready.length; i++) {
      const queue = this.#ready[i]!
      if (this.#sendFrom(queue)) moved = true
      if (queue.sealed.length > 0 || queue.open?.due === true) this.#ready[kept++] = queue
      else queue.ready = false
    }
    this.#ready.length = kept
    return moved
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
      const mustChange = word === NO_LEADER_WORD || leaderEpochOf(word) <= queue.refusedEpoch || !this.#links.has(leaderBrokerOf(word))
      if (mustChange) queue.control.addWaiter(this.#engine.threadId)
    }
  }

  /** A broker is gone: its lane is closed, what was in flight on it fails. */
  brokerLost(brokerId: number): void {
    const link = this.#links.get(brokerId)
    if (link === undefined) return
    this.#links.delete(brokerId)
    link.lost()
  }

  /** Fails batches that have waited to leave, or for their ack, beyond their delivery timeout. */
  expire(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const link of this.#links.values()) link.expire(nowMs)
    for (const queue of this.#ready) {
      if (queue.open !== undefined && queue.open.due && queue.open.deadlineMs <= nowMs) this.#seal(queue)
      while (queue.sealed.length > 0 && queue.sealed[0]!.deadlineMs <= nowMs) {
        const batch = queue.sealed.shift()!
        const what = `${batch.builder.recordCount} record(s) of ${queue.topic}-${queue.partition}`
        this.failed(
          batch,
          new MillraceError('REQUEST_TIMED_OUT', `${what} could not be sent within deliveryTimeoutMs: their broker was slow or gone`),
        )
      }
    }
  }

  *inFlight(): Generator<ProducerBatch> {
    for (const link of this.#links.values()) yield* link.inFlight()
  }

  completed(batch: ProducerBatch, baseOffset: number, appendTimeMs: number): void {
    this.#landed(batch)
    this.outstanding--
    if (!batch.expired) batch.complete(baseOffset, appendTimeMs)
    this.#pool.giveBack(batch)
  }

  failed(batch: ProducerBatch, error: Error): void {
    this.#landed(batch)
    this.outstanding--
    if (!batch.expired) this.#tellFailure(batch, error)
    this.#pool.giveBack(batch)
  }

  notLed(batch: ProducerBatch): void {
    const queue = queueOf(batch)
    queue.refusedEpoch = Math.max(queue.refusedEpoch, batch.sentEpoch)
    this.#landed(batch)
    if (batch.expired) {
      this.outstanding--
      this.#pool.giveBack(batch)
      return
    }
    // Back to its place: before all that were sealed after it.
    const { sealed } = queue
    let at = 0
    while (at < sealed.length && sealed[at]!.place < batch.place) at++
    sealed.splice(at, 0, batch)
    this.enqueue(queue)
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
  }

  #sendFrom(queue: PartitionQueue): boolean {
    let moved = false
    for (;;) {
      if (queue.sealed.length === 0) {
        if (queue.open?.due !== true || !this.#mayLeavePartial(queue)) return moved
        this.#seal(queue)
      }
      if (!this.#sendOldest(queue)) return moved
      moved = true
    }
  }

  /** A batch with room left waits while several are on their way, and grows meanwhile. */
  #mayLeavePartial(queue: PartitionQueue): boolean {
    const link = this.#leaderLink(queue)
    return link === undefined || link.unacked < IN_FLIGHT_BEFORE_COALESCING
  }

  #sendOldest(queue: PartitionQueue): boolean {
    const batch = queue.sealed[0]!
    const word = queue.control.leaderWord()
    const leaderEpoch = leaderEpochOf(word)
    if (word === NO_LEADER_WORD || leaderEpoch <= queue.refusedEpoch) return false
    // What was sent to the leader before may yet come back, and must not come behind this one.
    if (queue.inFlight > 0 && queue.inFlightEpoch !== leaderEpoch) return false
    const brokerId = leaderBrokerOf(word)
    const link = this.#openLinkTo(brokerId)
    if (link === undefined) return false
    const result = link.offer(batch, leaderEpoch, this.#options.acks)
    if (result === OFFERED) {
      // The offer may have heard of one that came back before it.
      if (queue.sealed[0] === batch) queue.sealed.shift()
      else queue.sealed.splice(queue.sealed.indexOf(batch), 1)
      if (this.#options.acks !== 0) this.#departed(batch, queue, leaderEpoch)
      return true
    }
    if (result === BATCH_TOO_LARGE) {
      this.#largestBatchBytes = Math.max(this.#largestBatchBytes, batch.sizeInBytes)
      link.outgrown = true
      return link.isIdle && this.#sendOldest(queue)
    }
    if (result === LANE_CLOSED) this.brokerLost(brokerId)
    else if (result === BACK_PRESSURED) link.pollAcks()
    return false
  }

  #departed(batch: ProducerBatch, queue: PartitionQueue, leaderEpoch: number): void {
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
    const word = queue.control.leaderWord()
    return word === NO_LEADER_WORD ? undefined : this.#links.get(leaderBrokerOf(word))
  }

  #tellFailure(batch: ProducerBatch, error: Error): void {
    this.#onFailure(batch, error)
    batch.fail(error)
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

/** Batches are opened by the queue of their partition, and by nobody else. */
function queueOf(batch: ProducerBatch): PartitionQueue {
  return batch.destination as PartitionQueue
}
