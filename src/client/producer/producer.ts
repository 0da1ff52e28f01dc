// hot path 1/8 · The producer (Kafka: KafkaProducer): picks the partition, serialises
// key and value, and writes the record into the open batch of that partition.
// Runs on its user's thread. `offer` makes no object and no promise a record.
// When batches leave, and what waits for their acks: batch-departures.ts.
// Holds: what `offer` or `send` took is acknowledged, or its failure is told: by its
// promise, or by the next `offer`, `flush` or `close`. No record passes one of the same
// partition that an earlier call gave.

import { EventEmitter } from 'node:events'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import type { Random } from '../../random.ts'
import { TextKey } from '../../record/text-key.ts'
import { TurnYield } from '../event-loop.ts'
import { HeaderEncoder } from '../headers.ts'
import { serializeField } from '../serde.ts'
import { asBoundTopic } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { Topic } from '../topic-definition.ts'
import { BatchAccumulator } from './batch-accumulator.ts'
import { BatchDepartures } from './batch-departures.ts'
import { BlockedCalls, SEND_TAKEN } from './blocked-calls.ts'
import type { BlockedSend } from './blocked-calls.ts'
import { LaneSender } from './lane-sender.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { PendingRecord, ProducerBatch, RecordMetadata } from './producer-batch.ts'
import type { FilledProducerOptions } from './producer-config.ts'
import { abortedError, checkRecord, checkTimestamp, closedError, unsentError } from './producer-errors.ts'
import type { AnyRecord, ProducerRecord, RecordOptions } from './producer-record.ts'
import { ProducerTopics } from './producer-topics.ts'
import { SendAll } from './send-all.ts'
import { SendOne } from './send-one.ts'
import type { SendTaker } from './send-one.ts'
import type { TopicQueues } from './topic-queues.ts'

/** Equals no value that a user gives. */
const NO_TOPIC = {}
/** The clock is read anew after so many records, and in each job: it costs more than encoding a record. So is what the cluster says. */
const RECORDS_A_CLOCK_READING = 64

/**
 * Sends records to topics (Kafka: KafkaProducer); made by `millrace.producer(options)`,
 * and one a thread is enough for all topics. Records that are sent to one partition keep
 * the order of their calls. `send` gives a promise a record, `offer` none.
 *
 * Emits `error`, if listened to, with the failure of offered records, which the next
 * `offer` or `flush` throws as well.
 */
export class Producer extends EventEmitter<{ error: [Error] }> {
  readonly #engine: EmbeddedEngine
  readonly #options: FilledProducerOptions
  readonly #accumulator: BatchAccumulator
  readonly #sender: LaneSender
  readonly #departures: BatchDepartures
  readonly #blocked: BlockedCalls
  readonly #taker: SendTaker
  readonly #turnYield: TurnYield
  readonly #topics: ProducerTopics
  readonly #textKey = new TextKey()
  readonly #headers = new HeaderEncoder()
  readonly #stopHearing: readonly (() => void)[]
  readonly #onClose: () => void
  /** The record that `offer` refused last: where it would go, and how large it is. */
  #refused: PartitionQueue | undefined
  #refusedBytes = 0
  #failure: Error | undefined
  #closing: Promise<void> | undefined
  /** Set while `offer` must look closer: a failure to tell, sends that wait, closed. */
  #attention = false
  #nowMs = 0
  #untilClockReading = 0
  #lastTopic: object = NO_TOPIC
  #lastQueues: TopicQueues | undefined

  /** Made by `millrace.producer()`. */
  constructor(engine: EmbeddedEngine, options: FilledProducerOptions, random: Random, onClose: () => void) {
    super()
    this.#engine = engine
    this.#options = options
    this.#onClose = onClose
    this.#topics = new ProducerTopics(engine, options, random, (queue) => {
      this.#seal(queue, true)
      this.#sendSealed(queue)
    })
    this.#turnYield = new TurnYield(engine.clock)
    const onOpen = (queue: PartitionQueue): void => this.#onOpen(queue)
    this.#accumulator = new BatchAccumulator(options, engine.compressor, onOpen, () => this.#departures.wait())
    this.#sender = new LaneSender(engine, this.#accumulator.pool, random, options, {
      onFailure: (batch, error) => this.#onFailure(batch, error),
      seal: (queue) => this.#seal(queue, false),
      onBackoffOver: () => this.#departures.wait(),
    })
    this.#blocked = new BlockedCalls(engine.clock, options.maxBlockMs)
    this.#taker = { take: (topic, record, pending) => this.#take(topic, record, pending), aborted: () => this.#departures.wait() }
    this.#departures = new BatchDepartures(engine, options, this.#sender, this.#blocked, () => (this.#untilClockReading = 0))
    this.#stopHearing = [
      engine.onBrokerLost((brokerId) => this.#sender.brokerLost(brokerId)),
      engine.onOver((error) => this.#onOver(error)),
    ]
  }

  /**
   * Takes a record without a promise: true, it is taken; false, it is **not taken**: offer
   * it again after `drained()`. Throws what is wrong with this record (SERIALIZATION,
   * MESSAGE_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TIMESTAMP), CLOSED, or the
   * failure of a batch offered before, once, naming topic, partition and count; whenever
   * it throws, this record is not taken.
   */
  offer<KIn, VIn>(topic: Topic<unknown, unknown, KIn, VIn>, key: NoInfer<KIn>, value: NoInfer<VIn>, options?: RecordOptions): boolean {
    if (this.#attention && !this.#mayOffer()) return false
    if (options === undefined && (topic as unknown) === this.#lastTopic && typeof key !== 'string')
      return this.#offerPlain(this.#lastQueues!, key, value)
    const batch = this.#append(topic as unknown as BoundTopic, key, value, options)
    if (batch !== undefined) batch.offered++
    return batch !== undefined
  }

  /**
   * Sends one record; resolves when it is acknowledged as `acks` says (with `acks: 0`, when
   * it has left). Waits for room up to `maxBlockMs`, then rejects with BUFFER_EXHAUSTED;
   * rejects with REQUEST_TIMED_OUT after `deliveryTimeoutMs`, CLOSED, what is wrong with
   * the record as `offer` throws it, and what the broker answers: `retriable` says whether
   * sending again may help. After ABORTED by its signal the record is not sent, unless it
   * was taken already.
   */
  send<KIn, VIn>(
    topic: Topic<unknown, unknown, KIn, VIn>,
    record: ProducerRecord<NoInfer<KIn>, NoInfer<VIn>>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      this.#sendWhenRoom(new SendOne(this.#taker, asBoundTopic(topic), record, resolve, reject, signal))
    })
  }

  /**
   * Sends many with one promise: resolves, in their order, when all are acknowledged, or
   * rejects with the first failure, as `send` does. Those not taken by then are not sent;
   * those taken before may be in the log.
   */
  sendAll<KIn, VIn>(
    topic: Topic<unknown, unknown, KIn, VIn>,
    records: Iterable<ProducerRecord<NoInfer<KIn>, NoInfer<VIn>>>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<RecordMetadata[]> {
    return new Promise((resolve, reject) => {
      this.#sendWhenRoom(new SendAll(this.#taker, asBoundTopic(topic), records, resolve, reject, signal))
    })
  }

  /**
   * Resolves when there is room for the record that `offer` last refused, and gives the
   * event loop its turn at least every 5 ms. Rejects with BUFFER_EXHAUSTED after
   * `maxBlockMs`, ABORTED, or CLOSED.
   */
  drained(options: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError())
    if (options.signal?.aborted === true) return Promise.reject(abortedError(options.signal))
    this.#sender.pump()
    const [queue, bytes] = [this.#refused, this.#refusedBytes]
    if (this.#blocked.sends === 0 && (queue === undefined || this.#accumulator.hasRoom(queue, bytes))) {
      return this.#turnYield.due ? this.#turnYield.turn() : Promise.resolve()
    }
    const isReady = (): boolean => this.#blocked.sends === 0 && (queue === undefined || this.#accumulator.isDrained(queue, bytes))
    const waited = this.#blocked.wait(isReady, options.signal)
    this.#departures.wait()
    return waited
  }

  /**
   * Resolves when everything taken so far is acknowledged, and sends it at once, whatever
   * `lingerMs` is. Rejects with the first failure of offered records that was not told yet,
   * or ABORTED (they are on their way all the same).
   */
  async flush(options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#departures.makeAllDue()
    this.#sender.pump()
    await this.#allDone(options.signal)
    if (this.#failure !== undefined) this.#throwFailure()
  }

  /**
   * Takes nothing more, sends what was taken, and closes; records that are not acknowledged
   * within `timeoutMs` (default: `deliveryTimeoutMs`) fail with CLOSED. Rejects, once all is
   * let go of, with a failure of offered records that was told nowhere. A second call waits
   * for the first.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? this.#options.deliveryTimeoutMs)
    this.#attention = true
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- appending ------------------------------------------------------------------

  /** The way of an offer when there is something to look at first. */
  #mayOffer(): boolean {
    if (this.#failure !== undefined) this.#throwFailure()
    if (this.#closing !== undefined) throw closedError()
    // A record that is offered must not pass one that was sent before.
    this.#attention = this.#blocked.sends > 0
    if (this.#attention) this.#refused = undefined
    return !this.#attention
  }

  /** The road of most records: the topic of the one before, and nothing but key and value. */
  #offerPlain(queues: TopicQueues, key: unknown, value: unknown): boolean {
    const { topic } = queues
    // First: what it brings of the topic counts for this record.
    const timestampMs = this.#readClock()
    const isKeyless = (key === null || key === undefined) && queues.takesNullKeys
    const keyField = isKeyless ? null : serializeField(topic.keySerde, key as never, 'key', topic.name)
    const queue = isKeyless && queues.keylessQueue !== undefined ? queues.keylessQueue : queues.choose(keyField, undefined)
    const isPlain = queues.takesBytes && value instanceof Uint8Array
    const valueField = isPlain ? value : serializeField(topic.valueSerde, value as never, 'value', topic.name)
    const { open } = queue
    const isTaken = open !== undefined && open.builder.append(timestampMs, keyField, valueField, null)
    const batch = isTaken ? open : this.#appendToNext(queues, queue, undefined, timestampMs, keyField, valueField, null)
    if (batch !== undefined) batch.offered++
    return batch !== undefined
  }

  #append(topic: BoundTopic, key: unknown, value: unknown, options: RecordOptions | undefined): ProducerBatch | undefined {
    const queues = topic === this.#lastTopic ? this.#lastQueues! : this.#queuesOf(topic)
    const nowMs = this.#readClock()
    const headers = this.#headers.encode(options?.headers)
    const timestampMs = options?.timestamp === undefined ? nowMs : checkTimestamp(options.timestamp)
    const isText = queues.isTextAndBytes(key, value, options)
    const keyField = isText ? (key as string) : serializeField(topic.keySerde, key as never, 'key', topic.name)
    // A text's bytes stay at hand, for no code of the user's runs from here on, which might offer another record.
    const queue = isText ? queues.chooseByText(key as string, this.#textKey) : queues.choose(keyField, options?.partition)
    // The value last: its bytes may be borrowed until the next serialisation.
    const valueField = isText ? (value as Uint8Array) : serializeField(topic.valueSerde, value as never, 'value', topic.name)
    const builder = queue.open?.builder
    const isTaken = isText
      ? builder?.appendKeyed(timestampMs, key as string, this.#textKey, value as Uint8Array, headers)
      : builder?.append(timestampMs, keyField, valueField, headers)
    const partition = options?.partition
    const batch = isTaken === true ? queue.open : this.#appendToNext(queues, queue, partition, timestampMs, keyField, valueField, headers)
    this.#headers.done(headers)
    return batch
  }

  #appendToNext(
    queues: TopicQueues,
    chosen: PartitionQueue,
    partition: number | undefined,
    timestampMs: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: ReturnType<HeaderEncoder['encode']>,
  ): ProducerBatch | undefined {
    const accumulator = this.#accumulator
    const bytes = accumulator.checkedSize(chosen, key, value, headers)
    let queue = chosen
    if (queue.open !== undefined) {
      if (accumulator.grow(queue, bytes) && queue.open.builder.append(timestampMs, key, value, headers)) return queue.open
      this.#seal(queue, true)
      // The full batch may have ended the stay on its partition: this record begins the next one.
      queue = queues.afterFull(chosen, key, partition)
      if (queue !== chosen) {
        this.#sendSealed(chosen)
        if (queue.open?.builder.append(timestampMs, key, value, headers) === true) return queue.open
        if (accumulator.grow(queue, bytes) && queue.open?.builder.append(timestampMs, key, value, headers) === true) return queue.open
        this.#seal(queue, true)
      }
    }
    this.#sendSealed(queue)
    const batch = accumulator.hasRoom(queue, bytes) ? accumulator.open(queue, bytes, this.#engine.clock.monotonicMs()) : undefined
    if (batch === undefined) {
      this.#refused = queue
      this.#refusedBytes = bytes
      queues.notTaken(queue)
      // Batches that linger must not hold the memory that others wait for.
      if (this.#options.lingerMs > 0) this.#departures.makeAllDue()
      return undefined
    }
    if (!batch.builder.append(timestampMs, key, value, headers))
      throw new MillraceError('ASSERTION_FAILED', 'a new batch has room for its first record')
    return batch
  }

  #seal(queue: PartitionQueue, isFull: boolean): void {
    const batch = this.#accumulator.seal(queue)
    if (batch !== undefined) queue.owner.batchClosed(queue.partition, batch.builder.sizeInBytes, isFull)
  }

  #sendSealed(queue: PartitionQueue): void {
    if (queue.sealed.length === 0) return
    this.#sender.filled(queue)
    this.#departures.filled()
  }

  #queuesOf(topic: BoundTopic): TopicQueues {
    const bound = asBoundTopic(topic)
    const queues = this.#topics.of(bound)
    this.#lastTopic = bound
    this.#lastQueues = queues
    return queues
  }

  #readClock(): number {
    if (this.#untilClockReading-- === 0) {
      this.#topics.follow()
      this.#nowMs = this.#engine.clock.nowMs()
      this.#untilClockReading = RECORDS_A_CLOCK_READING - 1
      // The next job may come much later.
      this.#departures.jobBegan()
    }
    return this.#nowMs
  }

  #take(topic: BoundTopic, record: AnyRecord, pending: PendingRecord): boolean {
    checkRecord(record)
    const batch = this.#append(topic, record.key, record.value, record)
    if (batch === undefined) return false
    batch.expect(pending, record.timestamp ?? this.#nowMs)
    return true
  }

  #sendWhenRoom(send: BlockedSend): void {
    try {
      if (this.#closing !== undefined) throw closedError()
      // Calls that wait already go first, so that records keep the order of their calls.
      if (this.#blocked.sends === 0 && send.attempt() === SEND_TAKEN) return
    } catch (error) {
      send.failed(error as Error)
      return
    }
    this.#blocked.send(send)
    this.#attention = true
    this.#departures.wait()
  }

  #onOpen(queue: PartitionQueue): void {
    this.#sender.outstanding++
    this.#departures.opened(queue)
  }

  #onFailure(batch: ProducerBatch, error: Error): void {
    if (batch.offered === 0) return
    this.#failure ??= error
    this.#attention = true
    // In a job of its own: what a listener throws must not end what is done here.
    if (this.listenerCount('error') > 0) queueMicrotask(() => this.listenerCount('error') > 0 && this.emit('error', error))
  }

  /** No broker is left, and none will come. */
  #onOver(error: Error): void {
    this.#closing ??= Promise.resolve()
    this.#attention = true
    this.#release(error)
  }

  #throwFailure(): never {
    const failure = this.#failure
    this.#failure = undefined
    throw failure as Error
  }

  /** Resolves when every batch there is now is acknowledged or has failed, and every send that waits. */
  async #allDone(signal: AbortSignal | undefined): Promise<void> {
    // A send that waits goes into a batch later than those that are there now.
    if (this.#blocked.sends > 0) await this.#blocked.sendsOver(signal)
    const batches = new Set<ProducerBatch>(this.#sender.inFlight())
    this.#topics.addBatches(batches)
    await this.#departures.done(batches, signal)
  }

  async #close(timeoutMs: number): Promise<void> {
    const timeout = new AbortController()
    const timer = this.#engine.clock.setTimer(timeoutMs, () => timeout.abort(), { ref: true })
    try {
      this.#departures.makeAllDue()
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

  /** Fails all that is not acknowledged, and lets go; `over`: there is nobody left who could have acknowledged it. */
  #release(over?: Error): void {
    const reason = over === undefined ? unsentError : (): Error => over
    this.#blocked.failAll(over ?? closedError())
    this.#topics.failAll((batch) => this.#sender.failed(batch, reason(batch)))
    this.#sender.close(reason)
    for (const stop of this.#stopHearing) stop()
    this.#departures.close()
    this.#onClose()
  }
}
