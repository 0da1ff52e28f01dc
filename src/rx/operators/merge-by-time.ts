// Several sources as one, in the order of their records' time.
// Runs on the subscriber's thread.
// Holds: what waits for its turn is held, so the sources bound it; within a partition nothing
// changes its order; nothing waits for a source that has nothing to give.

import { Observable } from 'rxjs'
import type { Subscriber, Subscription } from 'rxjs'
import { Fifo } from '../../client/consumer/fifo.ts'
import { systemClock } from '../../clock.ts'
import type { Clock, Timer } from '../../clock.ts'
import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { abandonHolds, newChain, noteUnordered, subscribeUpstream } from '../chain.ts'
import type { Chain } from '../chain.ts'
import { emitWith, holdCurrent, isOutsideHold } from '../hold.ts'
import type { Hold } from '../hold.ts'
import { MillraceRecord, originOf } from '../millrace-record.ts'
import { CLOCK_SETTING } from './clock-setting.ts'

interface FilledMergeByTimeOptions {
  /** How long the earliest record waits at the most for one that may be earlier (Kafka: max.task.idle.ms). Default: 1000. */
  readonly maxWaitMs: number
  /** Tells time, for tests. Default: undefined. */
  readonly clock: Clock | undefined
}

/** What `mergeByTime` takes; everything has a default. */
export type MergeByTimeOptions = OptionsOf<FilledMergeByTimeOptions>

const MERGE_CONFIG: ConfigTable<FilledMergeByTimeOptions> = {
  what: 'mergeByTime option',
  settings: {
    maxWaitMs: {
      type: 'int',
      min: 0,
      default: 1_000,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'How long the earliest record waits at the most for one that may be earlier (Kafka: max.task.idle.ms).',
    },
    clock: CLOCK_SETTING,
  },
  renamed: { maxTaskIdleMs: 'maxWaitMs', idleMs: 'maxWaitMs' },
}

/** What has a time, in ms since the epoch: a record. */
interface Timed {
  readonly timestamp: number
}

/**
 * Merges sources in the order of their records' timestamps (Kafka Streams: how a task chooses among its
 * partitions, KIP-695). The earliest of what is there is emitted as soon as every partition of every source
 * either has a record waiting, or has been read up to its end, or is over; it waits for that `maxWaitMs` at
 * the most, once for a partition that gives nothing, and not at all when its source can pull no more (`maxInFlight`,
 * half of it here). Records of one partition keep their order, whatever their time. Completes when all sources
 * have; the first error ends it. Throws INVALID_CONFIG.
 *
 * ```ts
 * mergeByTime([fromTopic(clicks), fromTopic(views)]).subscribe(({ topic, timestamp }) => …)
 * ```
 */
export function mergeByTime<T extends Timed>(sources: readonly Observable<T>[], options?: MergeByTimeOptions): Observable<T> {
  const { maxWaitMs, clock = systemClock } = fillOptions(MERGE_CONFIG, options)
  return new Observable<T>((subscriber) => {
    noteUnordered()
    return new Merging(subscriber, sources.length, maxWaitMs, clock).run(sources)
  })
}

const NONE: readonly unknown[] = []

interface Waiting<T> {
  readonly value: T
  readonly hold: Hold
}

/** What waits of one partition, or of a source without any. */
class Queue<T> {
  readonly input: Input<T>
  readonly waiting = new Fifo<Waiting<T>>()
  head: Waiting<T> | undefined

  constructor(input: Input<T>) {
    this.input = input
  }
}

interface Input<T> {
  readonly chain: Chain
  /** By its partition, as the source reads it; undefined: of records that have none. */
  readonly queues: Map<unknown, Queue<T>>
  held: number
  isOver: boolean
}

class Merging<T extends Timed> {
  readonly #subscriber: Subscriber<T>
  readonly #maxWaitMs: number
  readonly #clock: Clock
  readonly #inputs: Input<T>[]
  readonly #subscriptions: Subscription[] = []
  /** Partitions that have kept others waiting for too long, and inputs that have none: until something of them comes. */
  readonly #givenUp = new Set<unknown>()
  #timer: Timer | undefined
  /** When the earliest has waited for long enough; undefined: nothing waits. */
  #dueMs: number | undefined
  #isEmitting = false

  constructor(subscriber: Subscriber<T>, count: number, maxWaitMs: number, clock: Clock) {
    this.#subscriber = subscriber
    this.#maxWaitMs = maxWaitMs
    this.#clock = clock
    this.#inputs = Array.from({ length: count }, () => ({ chain: newChain(), queues: new Map(), held: 0, isOver: false }))
  }

  run(sources: readonly Observable<T>[]): () => void {
    for (const [i, source] of sources.entries()) {
      const input = this.#inputs[i]!
      const observer = {
        next: (value: T): void => this.#next(input, value),
        error: (error: unknown): void => this.#subscriber.error(error),
        complete: (): void => {
          input.isOver = true
          this.#pump()
        },
      }
      this.#subscriptions.push(subscribeUpstream(input.chain, () => source.subscribe(observer)))
    }
    // What is read up to its end is waited for no longer.
    const offs = this.#inputs.flatMap(({ chain }) => chain.sources.map((source) => source.onCaughtUp(() => this.#pump())))
    if (sources.length === 0) this.#subscriber.complete()
    return () => {
      this.#timer?.cancel()
      for (const off of offs) off()
      for (const subscription of this.#subscriptions) subscription.unsubscribe()
      for (const { chain, held } of this.#inputs) if (held > 0) abandonHolds(chain)
    }
  }

  #next(input: Input<T>, value: T): void {
    if (this.#subscriber.closed) return
    try {
      // A record that its user holds may come at any time.
      const hold = value instanceof MillraceRecord && isOutsideHold() ? value.hold() : holdCurrent(input.chain)
      input.held++
      const partition = value instanceof MillraceRecord ? originOf(value)?.partition : undefined
      let queue = input.queues.get(partition)
      if (queue === undefined) {
        queue = new Queue(input)
        input.queues.set(partition, queue)
      }
      if (queue.head === undefined) queue.head = { value, hold }
      else queue.waiting.push({ value, hold })
      this.#givenUp.delete(partition ?? input)
      this.#pump()
    } catch (error) {
      this.#subscriber.error(error)
    }
  }

  #pump(): void {
    if (this.#isEmitting) return
    this.#isEmitting = true
    for (let first = this.#first(); first !== undefined && this.#mayGo(first); first = this.#first()) this.#emit(first)
    this.#isEmitting = false
    if (this.#subscriber.closed) return
    if (this.#first() !== undefined) {
      this.#dueMs ??= this.#clock.monotonicMs() + this.#maxWaitMs
      this.#timer ??= this.#setTimer(this.#maxWaitMs)
    } else if (this.#inputs.every(({ isOver }) => isOver)) {
      this.#subscriber.complete()
    }
  }

  /** It is left running when nothing waits any more: records that wait a little come often. */
  #setTimer(delayMs: number): Timer {
    return this.#clock.setTimer(Math.ceil(delayMs), () => this.#look(), { ref: true })
  }

  #look(): void {
    this.#timer = undefined
    if (this.#first() === undefined || this.#dueMs === undefined) return
    const leftMs = this.#dueMs - this.#clock.monotonicMs()
    if (leftMs > 0) {
      this.#timer = this.#setTimer(leftMs)
      return
    }
    for (const input of this.#inputs) for (const each of awaited(input)) this.#givenUp.add(each)
    this.#pump()
  }

  /** The queue whose head is the earliest. */
  #first(): Queue<T> | undefined {
    if (this.#subscriber.closed) return undefined
    let first: Queue<T> | undefined
    for (const { queues } of this.#inputs) {
      for (const queue of queues.values()) {
        if (queue.head !== undefined && (first === undefined || queue.head.value.timestamp < first.head!.value.timestamp)) first = queue
      }
    }
    return first
  }

  #mayGo(first: Queue<T>): boolean {
    return (
      isFull(first.input) ||
      this.#inputs.every((input) => input.isOver || isFull(input) || awaited(input).every((each) => this.#givenUp.has(each)))
    )
  }

  #emit(queue: Queue<T>): void {
    this.#dueMs = undefined
    const { value, hold } = queue.head!
    queue.head = queue.waiting.shift()
    emitWith(hold, () => this.#subscriber.next(value))
    if (this.#subscriber.closed) return
    queue.input.held--
    hold.release()
  }
}

/** What something earlier can come of: partitions that have nothing waiting, and more to give; the input where those are not known. */
function awaited<T>(input: Input<T>): readonly unknown[] {
  const { chain, queues } = input
  // A source that knows no partitions may always have something earlier, until it is over.
  if (chain.sources.length === 0) return [...queues.values()].some(({ head }) => head !== undefined) ? NONE : [input]
  const all: unknown[] = []
  for (const source of chain.sources) {
    const partitions = source.partitions()
    if (partitions === undefined) return [input]
    for (const partition of partitions) if (queues.get(partition)?.head === undefined && !partition.isCaughtUp) all.push(partition)
  }
  return all
}

/** Whether its sources may be waiting for room: then nothing comes that would end a wait. */
function isFull<T>({ chain, held }: Input<T>): boolean {
  return chain.sources.some(({ options }) => held >= Math.max(1, Math.floor(options.maxInFlight / 2)))
}
