// Work that takes time, with each record held until it is done.
// Runs on the subscriber's thread.
// Holds: a value is released only when its handler has succeeded and what it gave was taken, or
// when its dead letter is acknowledged; a handler whose partition is another's by now emits nothing.

import { Subscription, isObservable } from 'rxjs'
import type { Observable, OperatorFunction } from 'rxjs'
import type { ProcessContext } from '../../client/consumer/processor-parts.ts'
import { retryBackoffMs } from '../../client/consumer/retry-backoff.ts'
import type { ProcessOrder } from '../../client/consumer/work-queue.ts'
import { TurnYield } from '../../client/event-loop.ts'
import { systemClock } from '../../clock.ts'
import type { Clock, Timer } from '../../clock.ts'
import { engineRandom } from '../../random.ts'
import { noteUnordered } from '../chain.ts'
import { UNTRACKED, makeCurrent, restoreCurrent } from '../hold.ts'
import type { Hold } from '../hold.ts'
import { MillraceRecord } from '../millrace-record.ts'
import { keyIds } from '../windows/key-id.ts'
import { ChainDeadLetters } from './chain-dead-letters.ts'
import { heldOperator } from './held-operator.ts'
import type { Intake, Outlet } from './held-operator.ts'
import { HeldWorks, isGone } from './held-partitions.ts'
import type { LeftWork } from './held-partitions.ts'
import { Lanes } from './lanes.ts'
import type { Task } from './lanes.ts'
import { ProcessItem } from './process-item.ts'
import { failedFor, givenUpFor } from './process-operator-errors.ts'
import { isPromiseLike } from './promise-like.ts'
import { fillProcessOperatorOptions } from './process-operator-config.ts'
import type { FilledProcessOperatorOptions, ProcessOperatorOptions } from './process-operator-config.ts'

/**
 * What `process` runs for each value: what it returns is emitted, a promise's result when it resolves, an Observable's
 * values as they come; the value is settled when that is done. When it throws, rejects or errs, it is run again, unless the
 * error says `retriable: false`.
 */
export type ProcessOperatorHandler<T, R> = (value: T, context: ProcessContext) => Observable<R> | PromiseLike<R> | R

/**
 * Runs `handler` for each record, `concurrency` at a time, and emits what it gives; the record is held until that is
 * done. This is the place for work that takes time: what `mergeMap`, `delay` or `debounceTime` keep by themselves is lost with
 * the process, while a handler may return an Observable that uses them. Options, their defaults, retries and dead letters
 * are those of `consumer.process`; an Observable that fails after it has emitted is subscribed to again, and emits again.
 *
 * `context.signal` fires when the record's partition goes to another member, of several records when all of theirs have, and when the
 * Observable ends. A record that is
 * given up without a `deadLetterTopic` ends the Observable with PROCESSING_FAILED, unsettled. Throws
 * INVALID_CONFIG, INVALID_TOPIC_EXCEPTION.
 *
 * ```ts
 * fromTopic(orders, { groupId: 'billing' }).pipe(
 *   process(async ({ value }, { signal }) => bill(value, { signal }), { concurrency: 16, deadLetterTopic: 'orders-dlt' }),
 *   map((invoice) => ({ key: invoice.id, value: invoice })),
 *   toTopic(invoices),
 * )
 * ```
 */
export function process<T, R>(handler: ProcessOperatorHandler<T, R>, options?: ProcessOperatorOptions<T>): OperatorFunction<T, R> {
  const filled = fillProcessOperatorOptions(options)
  const { concurrency, order, retry } = filled
  const keepsOrder = order === 'partition' || (concurrency === 1 && retry.attempts === 1)
  return heldOperator<T, R>((outlet) => {
    if (!keepsOrder) noteUnordered()
    return new Processing(outlet, handler, filled)
  })
}

/** Then the event loop has its turn. */
const WORK_MS_MAX = 5

class Processing<T, R> implements Intake<T> {
  readonly #outlet: Outlet<R>
  readonly #handler: ProcessOperatorHandler<T, R>
  readonly #options: FilledProcessOperatorOptions
  readonly #clock: Clock
  readonly #lanes: Lanes<ProcessItem<T>>
  readonly #laneOf: (value: T) => string | undefined
  readonly #timers = new Set<Timer>()
  readonly #letters: ChainDeadLetters | undefined
  /** Observables that handlers have returned, and signals that they have asked for. */
  readonly #works = new HeldWorks()
  readonly #turnYield: TurnYield
  #isPumping = false

  constructor(outlet: Outlet<R>, handler: ProcessOperatorHandler<T, R>, options: FilledProcessOperatorOptions) {
    this.#outlet = outlet
    this.#handler = handler
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#turnYield = new TurnYield(this.#clock)
    this.#lanes = new Lanes(options.concurrency)
    this.#laneOf = lanesBy(options.order)
    this.#letters = options.deadLetterTopic === undefined ? undefined : new ChainDeadLetters(outlet.chain, options.deadLetterTopic)
  }

  next(value: T, hold: Hold): void {
    this.#lanes.add(new ProcessItem(value, hold, this.#works), this.#laneOf(value))
    this.#pump()
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#works.leaveAll()
    this.#letters?.close()
  }

  /** Starts what may run. Handlers that end at once come back here: they are gone on with in a loop, not in depth. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    // The first is its source's to look after.
    let dueMs = 0
    for (let begun = 0; !this.#outlet.isClosed; begun++) {
      if (begun === 1) dueMs = this.#clock.monotonicMs() + WORK_MS_MAX
      else if (begun > 1 && this.#clock.monotonicMs() >= dueMs) return this.#pumpLater()
      const task = this.#lanes.next()
      if (task === undefined) break
      this.#run(task)
    }
    this.#isPumping = false
  }

  /** The event loop has its turn, however much waits. */
  #pumpLater(): void {
    void this.#turnYield.turn().then(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #run(task: Task<ProcessItem<T>>): void {
    const { value, hold } = task.item
    if (isGone(hold)) return this.#done(task)
    let attempts = 0
    // What the handler emits elsewhere comes of itself, whichever record brought this call about.
    const before = makeCurrent(UNTRACKED)
    try {
      decode(value)
      attempts = task.attempt
      const result = this.#handler(value, task.item.context(task.attempt))
      if (isObservable(result)) this.#follow(task, result)
      else if (isPromiseLike(result)) this.#await(task, result)
      else this.#succeeded(task, result)
    } catch (error) {
      this.#failed(task, error, attempts)
    } finally {
      restoreCurrent(before)
    }
  }

  #await(task: Task<ProcessItem<T>>, promise: PromiseLike<R>): void {
    promise.then(
      (result) => this.#succeeded(task, result),
      (error: unknown) => this.#failed(task, error, task.attempt),
    )
  }

  #follow(task: Task<ProcessItem<T>>, results: Observable<R>): void {
    const { hold } = task.item
    const subscription = new Subscription()
    const following: LeftWork = {
      hold,
      leave: (): void => {
        subscription.unsubscribe()
        this.#works.delete(following)
        this.#done(task)
      },
    }
    this.#works.add(following)
    const observer = {
      next: (result: R): void => {
        if (!isGone(hold)) this.#outlet.emit(result, hold)
      },
      error: (error: unknown): void => {
        this.#works.delete(following)
        this.#failed(task, error, task.attempt)
      },
      complete: (): void => {
        this.#works.delete(following)
        this.#done(task)
      },
    }
    subscription.add(results.subscribe(observer))
  }

  #succeeded(task: Task<ProcessItem<T>>, result: R): void {
    const { hold } = task.item
    if (!isGone(hold)) this.#outlet.emit(result, hold)
    this.#done(task)
  }

  #done(task: Task<ProcessItem<T>>): void {
    this.#lanes.stop()
    this.#settle(task)
  }

  #settle(task: Task<ProcessItem<T>>): void {
    task.item.end()
    this.#lanes.settle(task)
    this.#outlet.release(task.item.hold)
    this.#pump()
  }

  #failed(task: Task<ProcessItem<T>>, error: unknown, attempts: number): void {
    const { value, hold } = task.item
    const { retry, onRetry } = this.#options
    if (this.#outlet.isClosed || isGone(hold)) return this.#done(task)
    if (attempts === 0 || !mayRetry(error) || attempts >= retry.attempts) return this.#giveUp(task, error, attempts)
    const delayMs = retryBackoffMs(retry, attempts, engineRandom)
    this.#lanes.backOff(task)
    const timer = this.#clock.setTimer(
      delayMs,
      () => {
        this.#timers.delete(timer)
        this.#lanes.retry(task)
        this.#pump()
      },
      { ref: true },
    )
    this.#timers.add(timer)
    this.#tell(() => onRetry?.({ value: value as never, error, attempt: attempts, delayMs }))
    this.#pump()
  }

  #giveUp(task: Task<ProcessItem<T>>, error: unknown, attempts: number): void {
    const { value } = task.item
    const records = recordsIn(value)
    if (this.#letters === undefined || records.length === 0) return this.#outlet.fail(givenUpFor(records[0], error, attempts))
    this.#lanes.stop()
    this.#letters.write(records, error, attempts).then(
      () => {
        this.#tell(() => this.#options.onDeadLetter?.({ value: value as never, error, attempts }))
        this.#settle(task)
      },
      (cause: unknown) => this.#outlet.fail(failedFor(records[0]!, error, cause)),
    )
    this.#pump()
  }

  /** What a listener throws ends the Observable, wherever it is called. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#outlet.fail(error)
    }
  }
}

function lanesBy(order: ProcessOrder): (value: unknown) => string | undefined {
  if (order === 'none') return () => undefined
  if (order === 'partition') return (value) => (value instanceof MillraceRecord ? `${value.topic}/${value.partition}` : undefined)
  const idOf = keyIds(undefined)
  return (value) => {
    if (!(value instanceof MillraceRecord)) return undefined
    const key: unknown = keyOf(value)
    if (key === null || key === undefined) return undefined
    const id = idOf(key)
    return typeof id === 'string' ? id : `${typeof id} ${id}`
  }
}

/** One that cannot be decoded waits for nobody: it fails by itself. */
function keyOf(record: MillraceRecord<unknown, unknown>): unknown {
  try {
    return record.key
  } catch {
    return null
  }
}

/** So that the handler is given nothing that it cannot read. Throws DESERIALIZATION. */
function decode(value: unknown): void {
  if (value instanceof MillraceRecord) decodeRecord(value)
  else if (Array.isArray(value)) for (const record of recordsIn(value)) decodeRecord(record)
}

function decodeRecord(record: MillraceRecord<unknown, unknown>): void {
  void record.key
  void record.value
}

function recordsIn(value: unknown): MillraceRecord<unknown, unknown>[] {
  if (value instanceof MillraceRecord) return [value]
  return Array.isArray(value) ? value.filter((each) => each instanceof MillraceRecord) : []
}

function mayRetry(error: unknown): boolean {
  return (error as { retriable?: unknown } | null | undefined)?.retriable !== false
}
