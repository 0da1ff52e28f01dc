// What becomes of batches that left and were not written, or not answered: they go back to
// their place and leave again, or are given up (Kafka: Sender.completeBatch and
// reenqueueBatch, TransactionManager). Private to the producer's thread.
//
//   what came back                                          and so
//   the broker is not the leader of the epoch it was for    again, to the next leader; where there are files, it may be in the log
//   its broker died: it may or may not be in the log        again, at most `retries` times
//   a retriable refusal                                     again, after a backoff, at most `retries` times
//   out of order: one before it was refused or given up     again, behind that one, or under a new epoch
//   its leader knows nothing of the producer any more       again under a new epoch; given up, if it may be what was forgotten
//   anything else, or its delivery timeout is over          given up, and that is told
//
// Holds: after a batch came back nothing of its partition leaves before all that is in
// flight has come back too, so none passes it; after one of an idempotent producer was given
// up, those behind it are written only under a later epoch, so it can never come after them.

import type { Clock } from '../../clock.ts'
import type { MillraceError } from '../../errors.ts'
import { KAFKA_ERRORS } from '../../errors.ts'
import type { Random } from '../../random.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { lostError, overdueError, refusalError } from './producer-errors.ts'

/** What a broker answers that is not, not yet or no longer the leader that the producer took it for. */
const NOT_LED: ReadonlySet<number> = new Set<number>([
  KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER,
  KAFKA_ERRORS.FENCED_LEADER_EPOCH,
  KAFKA_ERRORS.UNKNOWN_LEADER_EPOCH,
])
/** What may be otherwise in a while. */
const PASSES: ReadonlySet<number> = new Set<number>([
  KAFKA_ERRORS.CORRUPT_MESSAGE,
  KAFKA_ERRORS.KAFKA_STORAGE_ERROR,
  KAFKA_ERRORS.LEADER_NOT_AVAILABLE,
  KAFKA_ERRORS.NOT_ENOUGH_REPLICAS,
  KAFKA_ERRORS.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  KAFKA_ERRORS.REQUEST_TIMED_OUT,
])
const OUT_OF_SEQUENCE: ReadonlySet<number> = new Set<number>([
  KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER,
  KAFKA_ERRORS.INVALID_PRODUCER_EPOCH,
])

/** Kafka's: a backoff is up to a fifth longer or shorter, so that those who were refused together do not come back together. */
const JITTER = 0.2

export interface ReturnsOptions {
  readonly enableIdempotence: boolean
  readonly retries: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
}

export interface ReturnsEffects {
  /** The queue has something to send. */
  readonly enqueue: (queue: PartitionQueue) => void
  /** The batch is not sent again: its failure is told, its memory goes back. */
  readonly giveUp: (batch: ProducerBatch, error: Error) => void
  /** At this time somebody is to look again. */
  readonly lookAt: (monotonicMs: number) => void
}

export class BatchReturns {
  readonly #options: ReturnsOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #effects: ReturnsEffects

  constructor(options: ReturnsOptions, clock: Clock, random: Random, effects: ReturnsEffects) {
    this.#options = options
    this.#clock = clock
    this.#random = random
    this.#effects = effects
  }

  /** The broker has not written it, and says why; `sentEpoch`: of the leader that it was sent to. */
  refused(queue: PartitionQueue, batch: ProducerBatch, errorCode: number, sentEpoch: number): void {
    if (NOT_LED.has(errorCode)) {
      queue.refusedEpoch = Math.max(queue.refusedEpoch, sentEpoch)
      // What a leader said of it before, it said of another attempt.
      batch.refusal = 0
      // A leader that lets go says so of what it has appended too, as long as that is not in the files.
      if (queue.control.hasFiles) batch.inDoubt = true
      return this.#putBack(queue, batch)
    }
    batch.refusal = errorCode
    if (errorCode === KAFKA_ERRORS.UNKNOWN_PRODUCER_ID && this.#options.enableIdempotence) {
      // Retention has taken what the producer wrote: with it, perhaps, this batch.
      if (batch.inDoubt) return this.giveUp(queue, batch, refusalError(batch, errorCode))
      return this.#putBack(queue, batch)
    }
    // Its leader tells that of what it appended before the files failed too.
    if (errorCode === KAFKA_ERRORS.KAFKA_STORAGE_ERROR && queue.control.haveFilesFailed) {
      return this.giveUp(queue, batch, refusalError(batch, errorCode))
    }
    // A leader looks for it in its log first, so it is not there; but one with no room left for batches that wait looks at none.
    if (errorCode !== KAFKA_ERRORS.KAFKA_STORAGE_ERROR) batch.inDoubt = false
    // Whose fault that is shows when all of the partition has come back.
    if (OUT_OF_SEQUENCE.has(errorCode) && this.#options.enableIdempotence) return this.#putBack(queue, batch)
    const nowMs = this.#clock.monotonicMs()
    if (!PASSES.has(errorCode) || !this.#mayRetry(batch) || nowMs >= batch.deadlineMs) {
      return this.giveUp(queue, batch, refusalError(batch, errorCode))
    }
    queue.retryAtMs = Math.max(queue.retryAtMs, nowMs + this.#backoffMs(batch.attempts))
    this.#putBack(queue, batch)
  }

  /** Its broker died before it answered. */
  lost(queue: PartitionQueue, batch: ProducerBatch, brokerId: number): void {
    batch.refusal = 0
    batch.inDoubt = true
    if (this.#mayRetry(batch)) this.#putBack(queue, batch)
    else this.giveUp(queue, batch, lostError(batch, brokerId))
  }

  /** The batch, which is not in flight, is not sent again. */
  giveUp(queue: PartitionQueue, batch: ProducerBatch, error: MillraceError): void {
    if (batch.hasSequence) {
      queue.sequence.leaveGap(batch)
      queue.isHeld = true
    }
    this.#effects.giveUp(batch, error)
  }

  /** Whether batches of a partition that was held may leave again. */
  mayResume(queue: PartitionQueue): boolean {
    if (queue.inFlight > 0) return false
    if (queue.retryAtMs > 0) {
      if (this.#clock.monotonicMs() < queue.retryAtMs) {
        this.#effects.lookAt(queue.retryAtMs)
        return false
      }
      queue.retryAtMs = 0
    }
    if (this.#options.enableIdempotence) this.#closeGap(queue)
    // What a leader said of them, it said of an attempt that is over.
    for (const batch of queue.sealed) batch.refusal = 0
    queue.isHeld = false
    return true
  }

  /** Nothing of the partition is in flight: what follows a gap gets new sequence numbers, if it surely is not in the log. */
  #closeGap({ sequence, sealed }: PartitionQueue): void {
    const isOutOfSequence = (batch: ProducerBatch | undefined): boolean => batch !== undefined && OUT_OF_SEQUENCE.has(batch.refusal)
    if (isOutOfSequence(sealed[0]) && !sequence.hasGap) {
      // Nothing before it was given up, so the log has lost what was acknowledged: that must be told.
      const batch = sealed.shift()!
      sequence.leaveGap(batch)
      this.#effects.giveUp(batch, refusalError(batch, batch.refusal))
    }
    // One that may be in the log is sent as it is: its leader's answer says whether the gap is one.
    const mayBeInLog = sealed.some(({ inDoubt }) => inDoubt)
    const isForgotten = sealed[0]?.refusal === KAFKA_ERRORS.UNKNOWN_PRODUCER_ID
    if (isForgotten ? !mayBeInLog : sequence.hasGap && (isOutOfSequence(sealed[0]) || !mayBeInLog)) sequence.bump(sealed)
  }

  /** Back to its place: before all that were sealed after it. */
  #putBack(queue: PartitionQueue, batch: ProducerBatch): void {
    // Its failure was told already: it must not be sent once more.
    if (batch.expired) return this.giveUp(queue, batch, overdueError(batch))
    queue.isHeld = true
    const { sealed } = queue
    let at = 0
    while (at < sealed.length && sealed[at]!.place < batch.place) at++
    sealed.splice(at, 0, batch)
    this.#effects.enqueue(queue)
  }

  #mayRetry(batch: ProducerBatch): boolean {
    return ++batch.attempts <= this.#options.retries
  }

  /** Kafka's: doubles with each attempt, up to a bound (KIP-580). */
  #backoffMs(attempts: number): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#options
    const backoffMs = Math.min(retryBackoffMs * 2 ** (attempts - 1), retryBackoffMaxMs)
    return Math.ceil(backoffMs * (1 - JITTER + 2 * JITTER * this.#random.fraction()))
  }
}
