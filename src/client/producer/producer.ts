// hot path 1/8 · The producer (Kafka: KafkaProducer): picks the partition, serialises
// key and value, and writes the record into the open batch of that partition.
// Runs on its user's thread. `offer` makes no object and no promise a record.
// Holds: what `offer` or `send` took is acknowledged, or its failure is told: by its
// promise, or by the next `offer` or `flush`.

import { EventEmitter } from 'node:events'
import type { Timer } from '../../clock.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import type { Waiter } from '../../engine/wake-loop.ts'
import { MillraceError } from '../../errors.ts'
import type { Random } from '../../random.ts'
import { TurnYield } from '../event-loop.ts'
import type { Headers } from '../headers.ts'
import { toRecordHeaders } from '../headers.ts'
import { serializeField } from '../serde.ts'
import { asBoundTopic } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { KeyToSend, Topic } from '../topic-definition.ts'
import { BatchAccumulator } from './batch-accumulator.ts'
import { LaneSender } from './lane-sender.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { BatchWaiter, PendingRecord, ProducerBatch, RecordMetadata } from './producer-batch.ts'
import { BlockedCalls } from './blocked-calls.ts'
import type { FilledProducerOptions } from './producer-config.ts'
import { TopicQueues } from './topic-queues.ts'

/** One record to send. */
export type ProducerRecord<K = string | null, V = unknown> = KeyToSend<K> & {
  readonly value: V
  /** An object, or pairs where order or duplicates matter. */
  readonly headers?: Headers
  /** Milliseconds since the epoch; the time of sending unless given. */
  readonly timestamp?: number
  /** A partition by number; the partitioner's choice unless given. */
  readonly partition?: number
}

interface AnyRecord {
  readonly key?: unknown
  readonly value: unknown
  readonly headers?: Headers
  readonly timestamp?: number
  readonly partition?: number
}

/** The clock is read anew after so many records, and in each job: it costs more than encoding a record. */
const RECORDS_A_CLOCK_READING = 64

export class Producer extends EventEmitter<{ error: [Error] }> implements Waiter {
  readonly keepsAlive = true
  readonly #engine: EmbeddedEngine
  readonly #options: FilledProducerOptions
  readonly #random: Random
  readonly #accumulator: BatchAccumulator
  readonly #sender: LaneSender
  readonly #turnYield: TurnYield
  readonly #topics = new Map<BoundTopic, TopicQueues>()
  readonly #blocked: BlockedCalls
  readonly #stopHearing: () => void
  readonly #onClose: () => void
  /** Queues with an open batch that is not due yet. */
  #lingering: PartitionQueue[] = []
  #lingerTimer: Timer | undefined
  #expiryTimer: Timer | undefined
  #jobEndScheduled = false
  #refused: PartitionQueue | undefined
  #failure: Error | undefined
  #nowMs = 0
  #untilClockReading = 0
  #closing: Promise<void> | undefined
  #lastTopic: BoundTopic | undefined
  #lastQueues: TopicQueues | undefined

  /** Made by `millrace.producer()`. */
  constructor(engine: EmbeddedEngine, options: FilledProducerOptions, random: Random, onClose: () => void) {
    super()
    this.#engine = engine
    this.#options = options
    this.#random = random
    this.#onClose = onClose
    this.#turnYield = new TurnYield(engine.clock)
    this.#accumulator = new BatchAccumulator(options, (queue) => this.#onOpen(queue))
    const acks = options.acks === 'all' ? -1 : options.acks
    this.#sender = new LaneSender(
      engine,
      this.#accumulator.pool,
      engine.clock,
      { acks, largestBatchBytes: options.batchSize },
      { onFailure: (batch, error) => this.#onFailure(batch, error), seal: (queue) => this.#seal(queue, false) },
    )
    this.#blocked = new BlockedCalls(engine.clock, options.maxBlockMs)
    this.#stopHearing = engine.onBrokerLost((brokerId) => this.#sender.brokerLost(brokerId))
  }

  /**
   * Takes a record without a promise: true, it is taken; false, it is **not taken**: offer
   * it again after `drained()`. Throws what is wrong with this record (SERIALIZATION,
   * MESSAGE_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION), CLOSED, or the failure of a batch
   * offered before (this record is then not taken either).
   */
  offer<KIn, VIn>(topic: Topic<unknown, unknown, KIn, VIn>, key: KIn, value: VIn, options?: Omit<AnyRecord, 'key' | 'value'>): boolean {
    if (this.#failure !== undefined) this.#throwFailure()
    const batch = this.#append(topic as unknown as BoundTopic, key, value, options)
    if (batch === undefined) return false
    batch.offered++
    return true
  }

  /**
   * Sends one record; resolves when it is acknowledged as `acks` says. Waits for room up
   * to `maxBlockMs`, then rejects with BUFFER_EXHAUSTED; other errors as `offer`, and
   * those of the broker (`retriable` says whether sending again may help).
   */
  send<KIn, VIn>(topic: Topic<unknown, unknown, KIn, VIn>, record: ProducerRecord<KIn, VIn>): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      this.#sendWhenRoom(asBoundTopic(topic), record, { acknowledged: resolve, failed: reject })
    })
  }

  /** Sends many; resolves, in their order, when all are acknowledged, or rejects with the first failure. */
  sendAll<KIn, VIn>(topic: Topic<unknown, unknown, KIn, VIn>, records: Iterable<ProducerRecord<KIn, VIn>>): Promise<RecordMetadata[]> {
    return new Promise((resolve, reject) => {
      const results: RecordMetadata[] = []
      let missing = 1
      const done = (): void => {
        if (--missing === 0) resolve(results)
      }
      let index = 0
      const bound = asBoundTopic(topic)
      for (const record of records) {
        const at = index++
        missing++
        const acknowledged = (metadata: RecordMetadata): void => {
          results[at] = metadata
          done()
        }
        this.#sendWhenRoom(bound, record, { acknowledged, failed: reject })
      }
      done()
    })
  }

  /** Resolves when there is room for the record last refused; rejects with BUFFER_EXHAUSTED after `maxBlockMs`, ABORTED, or CLOSED. */
  drained(options: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError())
    const queue = this.#refused
    this.#sender.pump()
    if (queue === undefined || this.#hasRoom(queue)) return this.#turnYield.due ? this.#turnYield.turn() : Promise.resolve()
    const waited = this.#blocked.wait(() => this.#accumulator.isDrained(queue), options.signal)
    this.#engine.wakeLoop.wait(this)
    return waited
  }

  /** Resolves when everything taken so far is acknowledged; rejects with the first failure. */
  async flush(options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#makeAllDue()
    this.#sender.pump()
    await this.#allDone(options.signal)
    if (this.#failure !== undefined) this.#throwFailure()
  }

  /** Sends what was taken and closes; records that are not acknowledged within `timeoutMs` fail. A second call waits for the first. */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? this.#options.deliveryTimeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- waiting (called by the wake loop) ------------------------------------------

  prepareWait(): void {
    this.#sender.prepareWait()
  }

  poll(): boolean {
    this.#sender.pump()
    this.#blocked.retry()
    return !this.#sender.isWaiting && this.#blocked.size === 0
  }

  // --- appending ------------------------------------------------------------------

  #append(topic: BoundTopic, key: unknown, value: unknown, options: Omit<AnyRecord, 'key' | 'value'> | undefined): ProducerBatch | undefined {
    if (this.#closing !== undefined) throw closedError()
    const queues = topic === this.#lastTopic ? this.#lastQueues! : this.#queuesOf(topic)
    const keyField = serializeField(topic.keySerde, key as never, 'key', topic.name)
    const queue = queues.choose(keyField, options?.partition)
    const headers = options?.headers === undefined ? null : toRecordHeaders(options.headers)
    const timestampMs = options?.timestamp === undefined ? this.#readClock() : checkTimestamp(options.timestamp)
    // The value last: its bytes may be borrowed until the next serialisation.
    const valueField = serializeField(topic.valueSerde, value as never, 'value', topic.name)
    const { open } = queue
    if (open !== undefined && open.builder.append(timestampMs, keyField, valueField, headers)) return open
    return this.#appendToNext(queue, timestampMs, keyField, valueField, headers)
  }

  #appendToNext(
    queue: PartitionQueue,
    timestampMs: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: ReturnType<typeof toRecordHeaders> | null,
  ): ProducerBatch | undefined {
    const accumulator = this.#accumulator
    const bytes = accumulator.checkedSize(queue, key, value, headers)
    if (queue.open !== undefined) this.#seal(queue, true)
    if (queue.sealed.length > 0) {
      this.#sender.enqueue(queue)
      this.#sender.pump()
    }
    const batch = this.#hasRoom(queue) ? accumulator.open(queue, bytes, this.#engine.clock.monotonicMs()) : undefined
    if (batch === undefined) {
      this.#refused = queue
      return undefined
    }
    if (!batch.builder.append(timestampMs, key, value, headers)) throw new MillraceError('ASSERTION_FAILED', 'a new batch has room for its first record')
    return batch
  }

  #hasRoom(queue: PartitionQueue): boolean {
    return this.#accumulator.hasRoom(queue)
  }

  #seal(queue: PartitionQueue, isFull: boolean): void {
    const batch = queue.open
    if (batch === undefined) return
    this.#accumulator.seal(queue)
    queue.owner.batchClosed(queue.partition, batch.sizeInBytes, isFull)
  }

  #queuesOf(topic: BoundTopic): TopicQueues {
    const bound = asBoundTopic(topic)
    let queues = this.#topics.get(bound)
    if (queues === undefined) {
      queues = new TopicQueues(bound, this.#engine, this.#options, this.#random)
      this.#topics.set(bound, queues)
    }
    this.#lastTopic = bound
    this.#lastQueues = queues
    return queues
  }

  #readClock(): number {
    if (this.#untilClockReading-- === 0) {
      this.#nowMs = this.#engine.clock.nowMs()
      this.#untilClockReading = RECORDS_A_CLOCK_READING - 1
    }
    return this.#nowMs
  }

  #sendWhenRoom(topic: BoundTopic, record: AnyRecord, pending: PendingRecord): void {
    const attempt = (): boolean => {
      const batch = this.#append(topic, record.key, record.value, record)
      if (batch === undefined) return false
      batch.expect(pending, record.timestamp ?? this.#nowMs)
      return true
    }
    try {
      // Calls that wait already go first, so that records keep the order of their calls.
      if (this.#blocked.sends === 0 && attempt()) return
    } catch (error) {
      pending.failed(error as Error)
      return
    }
    this.#blocked.send(attempt, (error) => pending.failed(error))
    this.#engine.wakeLoop.wait(this)
  }

  // --- leaving ----------------------------------------------------------------------

  #onOpen(queue: PartitionQueue): void {
    this.#sender.outstanding++
    this.#lingering.push(queue)
    const { clock } = this.#engine
    if (this.#options.lingerMs > 0) {
      this.#lingerTimer ??= clock.setTimer(this.#options.lingerMs, this.#onLinger, { ref: true })
    } else if (!this.#jobEndScheduled) {
      this.#jobEndScheduled = true
      queueMicrotask(this.#onJobEnd)
    }
    this.#expiryTimer ??= clock.setTimer(this.#options.deliveryTimeoutMs, this.#onExpiry)
  }

  readonly #onJobEnd = (): void => {
    this.#jobEndScheduled = false
    // The next job may come much later.
    this.#untilClockReading = 0
    this.#makeAllDue()
    this.#sendAndWait()
  }

  readonly #onLinger = (): void => {
    this.#lingerTimer = undefined
    this.#untilClockReading = 0
    const { clock } = this.#engine
    const dueMs = clock.monotonicMs() - this.#options.lingerMs
    const waiting: PartitionQueue[] = []
    let oldestMs = Number.POSITIVE_INFINITY
    for (const queue of this.#lingering) {
      if (queue.open === undefined) continue
      if (queue.open.createdMs <= dueMs) this.#makeDue(queue)
      else {
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
    if (!this.#sender.isWaiting) return
    this.#expiryTimer = this.#engine.clock.setTimer(Math.max(10, this.#options.deliveryTimeoutMs / 4), this.#onExpiry)
  }

  #makeAllDue(): void {
    for (const queue of this.#lingering) this.#makeDue(queue)
    this.#lingering.length = 0
  }

  #makeDue(queue: PartitionQueue): void {
    if (queue.open === undefined) return
    queue.open.due = true
    this.#sender.enqueue(queue)
  }

  #sendAndWait(): void {
    this.#sender.pump()
    if (this.#sender.isWaiting) this.#engine.wakeLoop.wait(this)
  }

  #onFailure(batch: ProducerBatch, error: Error): void {
    if (batch.offered === 0) return
    this.#failure ??= error
    if (this.listenerCount('error') > 0) this.emit('error', error)
  }

  #throwFailure(): never {
    const failure = this.#failure
    this.#failure = undefined
    throw failure
  }

  /** Resolves when every batch there is now is acknowledged or has failed, and every send that waits. */
  async #allDone(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw abortedError(signal)
    // A send that waits goes into a batch later than those that are there now.
    if (this.#blocked.sends > 0) await this.#blocked.wait(() => this.#blocked.sends === 0, signal)
    const batches = new Set<ProducerBatch>(this.#sender.inFlight())
    for (const queues of this.#topics.values()) queues.addBatches(batches)
    if (batches.size === 0) return
    await new Promise<void>((resolve, reject) => {
      let missing = batches.size
      const abort = (): void => reject(abortedError(signal!))
      const waiter: BatchWaiter = {
        batchDone: () => {
          if (--missing > 0) return
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal?.addEventListener('abort', abort)
      for (const batch of batches) batch.addWaiter(waiter)
      this.#makeAllDue()
      this.#engine.wakeLoop.wait(this)
    })
  }

  async #close(timeoutMs: number): Promise<void> {
    const timeout = new AbortController()
    const timer = this.#engine.clock.setTimer(timeoutMs, () => timeout.abort(), { ref: true })
    try {
      this.#makeAllDue()
      this.#sender.pump()
      await this.#allDone(timeout.signal)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'ABORTED') throw error
    } finally {
      timer.cancel()
      this.#release()
    }
    if (this.#failure !== undefined && this.listenerCount('error') === 0) this.#throwFailure()
  }

  #release(): void {
    const error = closedError()
    this.#blocked.failAll(error)
    for (const queues of this.#topics.values()) queues.failAll(error, this.#sender)
    this.#sender.close(error)
    this.#stopHearing()
    this.#lingerTimer?.cancel()
    this.#expiryTimer?.cancel()
    this.#engine.wakeLoop.cancel(this)
    this.#onClose()
  }
}

function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'this producer is closed: take another one from millrace.producer()')
}

function abortedError(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'waiting was aborted by its signal', { cause: signal.reason })
}

function checkTimestamp(timestamp: number): number {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return timestamp
  throw new MillraceError('INVALID_TIMESTAMP', `a record's timestamp is a whole number of milliseconds since the epoch, not ${String(timestamp)}`)
}
