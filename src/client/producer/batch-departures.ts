// When batches leave a producer (Kafka: RecordAccumulator.ready and drain): full ones at
// once, others at the end of the job that opened them, after `lingerMs`, or when flushed
// or short of memory. Here too is what waits for their acks.
// Runs on the producer's thread: in a microtask, in its timers, and when its bell rings.
// Holds: one linger timer and one expiry timer a producer, never one a batch; no timer
// keeps the process alive when no batch lingers.

import type { Timer } from '../../clock.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import type { Waiter } from '../../engine/wake-loop.ts'
import type { BlockedCalls } from './blocked-calls.ts'
import type { LaneSender } from './lane-sender.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { BatchWaiter, ProducerBatch } from './producer-batch.ts'
import { abortedError } from './producer-errors.ts'

export interface DeparturesOptions {
  readonly lingerMs: number
  readonly deliveryTimeoutMs: number
}

/** How soon the next look for expired batches comes, at the soonest. */
const EXPIRY_LOOK_MS_MIN = 10

export class BatchDepartures implements Waiter {
  readonly keepsAlive = true
  readonly #engine: EmbeddedEngine
  readonly #options: DeparturesOptions
  readonly #sender: LaneSender
  readonly #blocked: BlockedCalls
  readonly #jobEnded: () => void
  /** Queues whose open batch is not due yet. */
  #lingering: PartitionQueue[] = []
  #lingerTimer: Timer | undefined
  #expiryTimer: Timer | undefined
  #jobEndScheduled = false
  /** A batch was filled in this job, while others linger. */
  #hasFull = false
  /** Rings are heard, and looked at. */
  #isWaiting = false
  #closed = false

  constructor(engine: EmbeddedEngine, options: DeparturesOptions, sender: LaneSender, blocked: BlockedCalls, jobEnded: () => void) {
    this.#engine = engine
    this.#options = options
    this.#sender = sender
    this.#blocked = blocked
    this.#jobEnded = jobEnded
  }

  /** A batch was opened: it leaves at the end of the job, or when it has lingered. */
  opened(queue: PartitionQueue): void {
    const { clock } = this.#engine
    if (!queue.lingering) {
      queue.lingering = true
      this.#lingering.push(queue)
    }
    if (this.#options.lingerMs > 0) this.#lingerTimer ??= clock.setTimer(this.#options.lingerMs, this.#onLinger, { ref: true })
    else this.jobBegan()
    this.#expiryTimer ??= clock.setTimer(this.#options.deliveryTimeoutMs, this.#onExpiry)
  }

  /** A full batch does not linger: its turn to leave, and its ack, are waited for from the end of this job on. */
  filled(): void {
    if (this.#options.lingerMs === 0 || this.#isWaiting) return
    this.#hasFull = true
    this.jobBegan()
  }

  /** The end of this job is to be told. */
  jobBegan(): void {
    if (this.#jobEndScheduled) return
    this.#jobEndScheduled = true
    queueMicrotask(this.#onJobEnd)
  }

  /** Every batch there is leaves as soon as it can. */
  makeAllDue(): void {
    for (const queue of this.#lingering) this.#makeDue(queue)
    this.#lingering.length = 0
    this.#lingerTimer?.cancel()
    this.#lingerTimer = undefined
  }

  /** Resolves when these batches are acknowledged or have failed; rejects with ABORTED. */
  done(batches: ReadonlySet<ProducerBatch>, signal: AbortSignal | undefined): Promise<void> {
    if (batches.size === 0) return Promise.resolve()
    if (signal?.aborted === true) return Promise.reject(abortedError(signal))
    return new Promise<void>((resolve, reject) => {
      let missing = batches.size
      const abort = (): void => reject(abortedError(signal!))
      const waiter: BatchWaiter = {
        batchDone: () => {
          if (--missing > 0) return
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      for (const batch of batches) batch.addWaiter(waiter)
      this.makeAllDue()
      this.wait()
    })
  }

  /** Sends what is due, and hears of acks and room until nothing is outstanding and no call waits. */
  wait(): void {
    if (this.#closed) return
    this.#isWaiting = true
    this.#engine.wakeLoop.wait(this)
  }

  close(): void {
    this.#closed = true
    this.#lingerTimer?.cancel()
    this.#expiryTimer?.cancel()
    this.#engine.wakeLoop.cancel(this)
  }

  // --- called by the wake loop ------------------------------------------------------

  prepareWait(): void {
    this.#sender.prepareWait()
  }

  poll(): boolean {
    for (;;) {
      const blocked = this.#blocked.size
      const moved = this.#sender.pump()
      this.#blocked.retry()
      if (!this.#sender.isWaiting && this.#blocked.size === 0) {
        this.#isWaiting = false
        return true
      }
      if (!this.#sender.isWaiting) return false
      if (!moved && this.#blocked.size === blocked) return false
      // What left just now is waited for as well, perhaps on a lane that is new: that is said, and looked at once more.
      this.#sender.prepareWait()
    }
  }

  // ----------------------------------------------------------------------------------

  readonly #onJobEnd = (): void => {
    this.#jobEndScheduled = false
    if (this.#closed) return
    this.#jobEnded()
    if (this.#hasFull) {
      this.#hasFull = false
      this.#sendAndWait()
    }
    // A job that opened no batch has nothing to send: it only read the clock.
    if (this.#options.lingerMs > 0 || this.#lingering.length === 0) return
    this.makeAllDue()
    this.#sendAndWait()
  }

  readonly #onLinger = (): void => {
    this.#lingerTimer = undefined
    const { clock } = this.#engine
    const dueMs = clock.monotonicMs() - this.#options.lingerMs
    const waiting: PartitionQueue[] = []
    let oldestMs = Number.POSITIVE_INFINITY
    for (const queue of this.#lingering) {
      if (queue.open === undefined || queue.open.createdMs <= dueMs) {
        this.#makeDue(queue)
      } else {
        waiting.push(queue)
        oldestMs = Math.min(oldestMs, queue.open.createdMs)
      }
    }
    this.#lingering = waiting
    if (waiting.length > 0) this.#lingerTimer = clock.setTimer(Math.max(1, oldestMs - dueMs), this.#onLinger, { ref: true })
    this.#sendAndWait()
  }

  readonly #onExpiry = (): void => {
    this.#expiryTimer = undefined
    this.#sender.expire()
    // What has expired made room.
    this.#blocked.retry()
    if (!this.#sender.isWaiting) return
    const nextMs = Math.max(EXPIRY_LOOK_MS_MIN, this.#options.deliveryTimeoutMs / 4)
    this.#expiryTimer = this.#engine.clock.setTimer(nextMs, this.#onExpiry)
  }

  #makeDue(queue: PartitionQueue): void {
    queue.lingering = false
    if (queue.open === undefined) return
    queue.open.due = true
    this.#sender.enqueue(queue)
  }

  #sendAndWait(): void {
    this.#sender.pump()
    if (this.#sender.isWaiting) this.wait()
  }
}
