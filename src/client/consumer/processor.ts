// The shell around the work queue: it runs the handler, asks the source for more, sets the
// timer of the retries, and writes dead letters. Runs on the consumer's thread.
// Holds: a record counts as settled only when its handler has succeeded or its dead letter
// is acknowledged; a failure is told to somebody, or is an uncaught exception; the event
// loop gets its turn at least every 5 ms; close always ends.

import { EventEmitter } from 'node:events'
import type { Timer } from '../../clock.ts'
import { TurnYield } from '../event-loop.ts'
import { detachedRecord, keyAsText } from './consumer-record.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Work, WorkBatch } from './partition-work.ts'
import { closedBefore, givenUp, noLongerOurs, processingClosed, rewound, unburied } from './process-errors.ts'
import type { ProcessSource, SourceBatch } from './process-source.ts'
import type { DeadLetterEvent, ProcessContext, ProcessHandler, ProcessorParts, RetryEvent } from './processor-parts.ts'
import { ProcessorWaits } from './processor-waits.ts'
import { WorkQueue } from './work-queue.ts'

const CLOSE_TIMEOUT_MS = 30_000
/** What is settled is committed, however long the handlers took. */
const COMMIT_AT_LEAST_MS = 1_000

/**
 * The work that `consumer.process(topic, options, handler)` has begun.
 *
 * Emits `retry` and `deadLetter`, and `error`, if listened to, with the failure that has
 * ended it: PROCESSING_FAILED for a record that was given up without a dead-letter topic, or
 * what reading or writing failed with. Where nobody listens, nor waits for `closed`,
 * `drained()` or `close()`, that failure is an uncaught exception.
 */
export class Processor<K = unknown, V = unknown> extends EventEmitter<{
  error: [Error]
  retry: [RetryEvent<K, V>]
  deadLetter: [DeadLetterEvent<K, V>]
}> {
  readonly #parts: ProcessorParts<K, V>
  readonly #source: ProcessSource<K, V>
  readonly #handler: ProcessHandler<K, V>
  readonly #queue: WorkQueue<ConsumerRecord<K, V>>
  readonly #waits: ProcessorWaits<ConsumerRecord<K, V>>
  readonly #turnYield: TurnYield
  /** Partitions that the source gives nothing of. */
  readonly #held = new Set<number>()
  #state: 'starting' | 'running' | 'closing' | 'closed' = 'starting'
  #deadLetters: DeadLetters | undefined
  /** Dead letters that are being written. */
  #writing = 0
  #isAsking = false
  #turn: Promise<void> | undefined
  #timer: Timer | undefined
  #timerMs = Number.POSITIVE_INFINITY
  #closing: Promise<void> | undefined
  #isAskedToClose = false
  /** A failure that whoever waits for `close` is told. */
  #untold: Error | undefined
  /** Called when nothing runs any more, on close. */
  #onIdle: (() => void) | undefined

  /** Made by `consumer.process`. */
  constructor(parts: ProcessorParts<K, V>) {
    super()
    this.#parts = parts
    const { source, handler, options, partitions, clock, random } = parts
    this.#source = source
    this.#handler = handler
    this.#turnYield = new TurnYield(clock)
    this.#queue = new WorkQueue<ConsumerRecord<K, V>>({
      ...options,
      partitions,
      random,
      keyOf: keyAsText,
      detach: detachedRecord,
      onSettled: (partition, position) => {
        source.settled(partition, position)
        this.#waits.look()
      },
      onTaken: (partition) => {
        if (this.#held.delete(partition)) source.release(partition)
      },
    })
    this.#waits = new ProcessorWaits(this.#queue)
    source.onRevoked((revoked) => this.#onRevoked(revoked))
    void this.#start()
  }

  /** Records taken and not settled: those that run, wait for another, back off, or are on their way to the dead-letter topic. */
  get inFlight(): number {
    return this.#queue.inFlight
  }

  /** Handlers that run. */
  get running(): number {
    return this.#queue.running
  }

  /** No handler is started until `resume`; those that run go on. */
  pause(): void {
    this.#queue.isPaused = true
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#queue.isPaused = false
    this.#pump()
  }

  /** Whether it is paused. */
  get paused(): boolean {
    return this.#queue.isPaused
  }

  /**
   * Resolves when all that was there when it was called is settled: its handlers have
   * succeeded, or its dead letters are written. Rejects with the failure that ends the
   * processing, with CLOSED, or ABORTED by its signal.
   */
  drained({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const waited = this.#waits.drained(signal)
    if (waited.isNew) {
      const isThere = this.#source.caughtUp().then(() => this.#turnYield.turn())
      isThere.then(waited.isThere, waited.fail)
    }
    return waited.promise
  }

  /** Resolves when it is closed; rejects then with the failure that has ended it. */
  get closed(): Promise<void> {
    return this.#waits.closed
  }

  /**
   * Begins no record any more, and lets the handlers that run end; after `timeoutMs` (default:
   * 30000) their signals fire, and nobody waits for them. Then what is settled is committed,
   * within a second more.
   * Records that were not settled come again. Always ends; a second call waits for the first.
   * Rejects with a failure that was told nowhere, and when what is settled cannot be committed.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#isAskedToClose = true
    return this.#end(options.timeoutMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(): Promise<void> {
    try {
      this.#deadLetters = await this.#parts.openDeadLetters?.()
      if (this.#state === 'starting') this.#state = 'running'
      this.#pump()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Starts what may run, and asks for more where that is not enough. */
  #pump(): void {
    if (this.#state !== 'running' || this.#turn !== undefined) return
    for (let work = this.#queue.next(); work !== undefined; work = this.#queue.next()) {
      this.#begin(work)
      if (this.#turn !== undefined) return
    }
    if (this.#isAsking || !this.#queue.wantsBatch) return
    for (const partition of this.#queue.openPartitions()) {
      if (this.#held.has(partition)) continue
      this.#held.add(partition)
      this.#source.hold(partition)
    }
    this.#isAsking = true
    this.#source.next().then(
      (batch) => this.#taken(batch),
      (error: unknown) => this.#fail(error),
    )
  }

  #taken(batch: SourceBatch<K, V> | undefined): void {
    this.#isAsking = false
    if (this.#state !== 'running') return
    if (batch === undefined) return void this.#end()
    const { partition } = batch
    const where = `${this.#parts.topic}-${partition}`
    this.#queue.addBatch(partition, workBatch(batch), () => rewound(where))
    this.#pump()
  }

  #begin(work: Work<ConsumerRecord<K, V>>): void {
    this.#run(work).catch((error: unknown) => this.#fail(error))
  }

  /** Runs the handler with one record after the other, as long as there are some for it. */
  async #run(first: Work<ConsumerRecord<K, V>>): Promise<void> {
    const queue = this.#queue
    let work: Work<ConsumerRecord<K, V>> | undefined = first
    while (work !== undefined) {
      let attempts = 0
      try {
        const { record } = work
        decode(record)
        attempts = work.attempt
        const handled = this.#handler(record, new WorkContext(work))
        // As many as run at once may take long, each before its first await.
        this.#look()
        await handled
        queue.settle(work)
      } catch (error) {
        this.#onFailed(work, error, attempts)
      }
      if (this.#state !== 'running') return this.#lookIdle()
      this.#look()
      // Others that waited may have taken long by the time that this one goes on.
      while (this.#turn !== undefined) await this.#turn
      work = queue.next()
      if (work === undefined || queue.running < this.#parts.options.concurrency) this.#pump()
    }
  }

  /** After each piece of work: all runs wait while the event loop has its turn. */
  #look(): void {
    if (this.#turn !== undefined || !this.#turnYield.isDueAfterWork()) return
    this.#turn = this.#turnYield.turn().then(() => {
      this.#turn = undefined
      this.#pump()
    })
  }

  #onFailed(work: Work<ConsumerRecord<K, V>>, error: unknown, attempts: number): void {
    const { record } = work
    const failure = this.#queue.fail(work, attempts > 0 && mayRetry(error), this.#parts.clock.monotonicMs())
    if (failure.kind === 'dead') return this.#bury(work, error, attempts)
    if (failure.kind === 'dropped') return
    this.#setTimer()
    this.emit('retry', { record, error, attempt: attempts, delayMs: failure.delayMs })
  }

  /** Writes the record to the dead-letter topic; without one, it ends everything. */
  #bury(work: Work<ConsumerRecord<K, V>>, error: unknown, attempts: number): void {
    const { record } = work
    const letters = this.#deadLetters
    if (letters === undefined) return this.#fail(givenUp(record, error, attempts))
    this.#writing++
    letters
      .write(record, error, attempts)
      .then(
        () => {
          this.#writing--
          this.#queue.settle(work)
          this.emit('deadLetter', { record, error, attempts })
        },
        (cause: unknown) => {
          this.#writing--
          throw unburied(record, error, cause)
        },
      )
      .catch((failure: unknown) => this.#fail(failure))
      .finally(() => {
        this.#pump()
        this.#lookIdle()
      })
  }

  #setTimer(): void {
    const { dueMs } = this.#queue
    if (dueMs >= this.#timerMs) return
    this.#timer?.cancel()
    this.#timerMs = dueMs
    const { clock } = this.#parts
    const onDue = (): void => {
      this.#timerMs = Number.POSITIVE_INFINITY
      this.#queue.fire(clock.monotonicMs())
      if (Number.isFinite(this.#queue.dueMs)) this.#setTimer()
      this.#pump()
    }
    // A timer may fire a fraction of a millisecond early.
    this.#timer = clock.setTimer(Math.ceil(Math.max(0, dueMs - clock.monotonicMs())), onDue, { ref: true })
  }

  #onRevoked(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#held.delete(partition)
      this.#queue.drop(partition, noLongerOurs(`${this.#parts.topic}-${partition}`))
    }
    this.#waits.look()
    this.#pump()
  }

  /** Ends the processing: no other record is begun, what runs may end. */
  #fail(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error))
    if (this.#waits.failure !== undefined || this.#state === 'closed') return
    const isTold = this.#waits.fail(failure) || this.listenerCount('error') > 0
    if (!isTold && this.#isAskedToClose) this.#untold = failure
    // What goes wrong on the way out is less than what has ended it.
    this.#end().catch(() => undefined)
    // In a job of its own: what a listener throws must not end what is done here.
    queueMicrotask(() => {
      if (this.listenerCount('error') > 0) this.emit('error', failure)
      else if (!isTold && !this.#waits.isHeard && this.#untold === undefined) throw failure
    })
  }

  #end(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock, onClose, topic } = this.#parts
    const untilMs = clock.monotonicMs() + timeoutMs
    const leftMs = (): number => Math.max(COMMIT_AT_LEAST_MS, untilMs - clock.monotonicMs())
    this.#state = 'closing'
    this.#timer?.cancel()
    this.#queue.stop()
    await this.#idle(timeoutMs)
    this.#queue.abort(closedBefore(topic))
    const [closed] = await Promise.allSettled([this.#source.close(leftMs()), this.#deadLetters?.close(leftMs())])
    this.#state = 'closed'
    onClose()
    this.#waits.close(processingClosed(topic))
    if (this.#untold !== undefined) throw this.#untold
    // What is settled could not be committed: those records come again.
    if (closed.status === 'rejected') throw closed.reason
  }

  /** Resolves when nothing runs, and no dead letter is on its way, or after the time. */
  #idle(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.setTimer(timeoutMs, resolve, { ref: true })
      this.#onIdle = () => {
        timer.cancel()
        resolve()
      }
      this.#lookIdle()
    })
  }

  #lookIdle(): void {
    if (this.#queue.running === 0 && this.#writing === 0) this.#onIdle?.()
  }
}

class WorkContext<K, V> implements ProcessContext {
  readonly attempt: number
  readonly #work: Work<ConsumerRecord<K, V>>

  constructor(work: Work<ConsumerRecord<K, V>>) {
    this.attempt = work.attempt
    this.#work = work
  }

  get signal(): AbortSignal {
    return this.#work.signal
  }
}

function workBatch<K, V>(batch: SourceBatch<K, V>): WorkBatch<ConsumerRecord<K, V>> {
  const records = batch[Symbol.iterator]()
  const { firstOffset, nextOffset, sizeInBytes } = batch
  return {
    firstOffset,
    nextOffset,
    sizeInBytes,
    take() {
      const result = records.next()
      return result.done === true ? undefined : result.value
    },
  }
}

/** So that the handler is given nothing that it cannot read. Throws DESERIALIZATION. */
function decode(record: ConsumerRecord): void {
  void record.key
  void record.value
}

function mayRetry(error: unknown): boolean {
  return (error as { retriable?: unknown } | null | undefined)?.retriable !== false
}
