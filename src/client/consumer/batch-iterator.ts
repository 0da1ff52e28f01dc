// `for await` over the batches of some partitions: takes what is there, turn about,
// and parks the thread's bell when nothing is. Runs on the consumer's thread.
// Holds: when it ends (return, throw, abort, close, the end offsets reached) nothing
// is left behind: no waiter, no listener, no timer. Each partition gets its turn; a
// paused one is not looked at, and leaves no waiter.

import type { WakeLoop, Waiter } from '../../engine/wake-loop.ts'
import { MillraceError } from '../../errors.ts'
import type { ThreadId } from '../../ids.ts'
import type { TurnYield } from '../event-loop.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import { DelayedFetch } from './delayed-fetch.ts'
import type { DelayedFetchOptions } from './delayed-fetch.ts'
import { FetchBuffer } from './fetch-buffer.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'
import { RecordSlices } from './record-slices.ts'

/** Whoever has a say in what is handed out: the consumer of a group. */
export interface HandingOut {
  /** Whether anything may be handed out now; who closes this wakes the loop when it opens. Once a batch. */
  mayHandOut(): boolean
  handedOut(batch: ConsumerBatch, fetcher: PartitionFetcher): void
  /** There was nothing to hand out: whether nothing will be. */
  isAtEnd(): boolean
}

export interface BatchIteratorOptions {
  readonly fetchers: readonly PartitionFetcher[]
  readonly threadId: ThreadId
  /** Bytes copied at a time; a larger batch is still handed out whole. */
  readonly fetchBytes: number
  /** Records of one batch at the most; Infinity: as many as were copied, and nothing is counted. */
  readonly maxRecords: number
  /** Withholds what is there until it is enough; undefined: nothing is withheld. */
  readonly delay: Omit<DelayedFetchOptions, 'onDue'> | undefined
  readonly wakeLoop: WakeLoop
  readonly turnYield: TurnYield
  /** Stop at the end offsets as they are now. */
  readonly untilEnd: boolean
  readonly signal: AbortSignal | undefined
  readonly onEnd: () => void
  readonly handingOut?: HandingOut
}

const DONE: IteratorResult<never, undefined> = { value: undefined, done: true }

export class BatchIterator implements AsyncIterableIterator<ConsumerBatch, undefined, void>, Waiter {
  readonly keepsAlive = true
  readonly #options: BatchIteratorOptions
  readonly #fetchers: PartitionFetcher[]
  /** Of each fetcher, the offset up to which it may read now. */
  readonly #limits: number[]
  readonly #buffer: FetchBuffer
  readonly #slices: RecordSlices | undefined
  readonly #delayed: DelayedFetch | undefined
  readonly #handingOut: HandingOut | undefined
  #turn = 0
  /** Whose records are handed out. */
  #from: PartitionFetcher | undefined
  #ended = false
  /** What ended it, as long as nobody was told. */
  #failure: Error | undefined
  #settle: { resolve: (result: IteratorResult<ConsumerBatch, undefined>) => void; reject: (error: unknown) => void } | undefined
  /** A `next` that is under way: another call waits for it, as with an async generator. */
  #pending: Promise<unknown> | undefined

  constructor(options: BatchIteratorOptions) {
    this.#options = options
    this.#handingOut = options.handingOut
    const { fetchers, fetchBytes, maxRecords, untilEnd, delay, wakeLoop } = options
    this.#buffer = new FetchBuffer(fetchBytes)
    this.#slices = maxRecords === Number.POSITIVE_INFINITY ? undefined : new RecordSlices(maxRecords, fetchBytes)
    this.#fetchers = [...fetchers]
    this.#limits = fetchers.map((fetcher) => (untilEnd ? fetcher.endOffset : Number.POSITIVE_INFINITY))
    // All that is read up to the end is there: waiting would bring nothing.
    if (delay !== undefined && !untilEnd) {
      this.#delayed = new DelayedFetch(this.#fetchers, this.#limits, { ...delay, onDue: () => wakeLoop.wake() })
    }
    options.signal?.addEventListener('abort', this.#onAbort)
  }

  next(): Promise<IteratorResult<ConsumerBatch, undefined>> {
    if (this.#pending !== undefined) return this.#pending.then(() => this.next())
    const { signal, turnYield } = this.#options
    // One that was aborted before reading began tells nobody.
    if (signal?.aborted === true) this.#onAbort()
    if (this.#ended) return this.#end()
    if (turnYield.due) {
      // Whoever begins at the end begins at that of this call, not at that of when the turn is over.
      for (const fetcher of this.#fetchers) if (!fetcher.isAtRest) fetcher.beginAtEnd()
      return this.#remember(turnYield.turn().then(() => this.#take()))
    }
    return this.#take()
  }

  return(): Promise<IteratorResult<ConsumerBatch, undefined>> {
    this.close()
    return Promise.resolve(DONE)
  }

  throw(error: unknown): Promise<IteratorResult<ConsumerBatch, undefined>> {
    this.close()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  /** Ends the iteration; a `next` that waits is answered with the end. */
  close(): void {
    if (this.#ended) return
    this.#finish()
    this.#settle?.resolve(DONE)
    this.#settle = undefined
  }

  /** Ends the iteration with an error: that of the `next` that waits, or of the one to come. */
  fail(error: Error): void {
    if (this.#ended) return
    this.#finish()
    if (this.#settle === undefined) this.#failure = error
    else this.#settle.reject(error)
    this.#settle = undefined
  }

  endsBatch(): boolean {
    return this.#ended
  }

  /** Reads one more partition from now on, unless it does; not up to the ends of the start, of which it has none. */
  add(fetcher: PartitionFetcher, limit = Number.POSITIVE_INFINITY): void {
    if (this.#ended || this.#options.untilEnd || this.#fetchers.includes(fetcher)) return
    this.#fetchers.push(fetcher)
    // What is withheld until it is enough gets its limit when it is.
    this.#limits.push(this.#delayed === undefined ? limit : 0)
    this.#options.wakeLoop.wake()
  }

  /** Reads it no more; a batch of it that was handed out stays as it is. */
  remove(fetcher: PartitionFetcher): void {
    const at = this.#fetchers.indexOf(fetcher)
    if (at < 0) return
    this.#fetchers.splice(at, 1)
    this.#limits.splice(at, 1)
    if (this.#turn >= this.#fetchers.length) this.#turn = 0
    this.#slices?.drop(fetcher)
    fetcher.rest()
  }

  prepareWait(): void {
    for (const fetcher of this.#fetchers) if (!fetcher.isAtRest) fetcher.control.addWaiter(this.#options.threadId)
  }

  poll(): boolean {
    const settle = this.#settle
    if (settle === undefined) return true
    try {
      const batch = this.#tryNext()
      if (batch === undefined && !this.#reachedEnd()) return false
      this.#settle = undefined
      if (batch === undefined) {
        this.#finish()
        settle.resolve(DONE)
      } else {
        settle.resolve({ value: batch, done: false })
      }
    } catch (error) {
      this.#settle = undefined
      this.#finish()
      settle.reject(error)
    }
    return true
  }

  #take(): Promise<IteratorResult<ConsumerBatch, undefined>> {
    if (this.#ended) return this.#end()
    try {
      const batch = this.#tryNext()
      if (batch !== undefined) return Promise.resolve({ value: batch, done: false })
    } catch (error) {
      this.#finish()
      return Promise.reject(error)
    }
    if (this.#reachedEnd()) {
      this.#finish()
      return Promise.resolve(DONE)
    }
    return this.#remember(
      new Promise((resolve, reject) => {
        this.#settle = { resolve, reject }
        this.#options.wakeLoop.wait(this)
      }),
    )
  }

  #tryNext(): ConsumerBatch | undefined {
    this.#buffer.release()
    const delayed = this.#delayed
    const handingOut = this.#handingOut
    if (handingOut === undefined) return delayed === undefined ? this.#fetch() : this.#fetchDelayed(delayed)
    if (!handingOut.mayHandOut()) return undefined
    const batch = delayed === undefined ? this.#fetch() : this.#fetchDelayed(delayed)
    if (batch !== undefined) handingOut.handedOut(batch, this.#from!)
    return batch
  }

  #fetchDelayed(delayed: DelayedFetch): ConsumerBatch | undefined {
    while (delayed.isDue()) {
      const batch = this.#fetch()
      if (batch !== undefined) return batch
      delayed.close()
    }
    return undefined
  }

  #fetch(): ConsumerBatch | undefined {
    const slices = this.#slices
    const buffer = this.#buffer
    const rest = slices?.next(buffer)
    if (rest !== undefined) return rest
    const fetchers = this.#fetchers
    for (let i = 0; i < fetchers.length; i++) {
      const at = this.#turn
      this.#turn = at + 1 === fetchers.length ? 0 : at + 1
      const fetcher = fetchers[at]!
      if (fetcher.isAtRest || !fetcher.fetch(this.#limits[at]!, slices?.chunk ?? buffer)) continue
      this.#from = fetcher
      if (slices === undefined) return buffer.hold(fetcher.source, fetcher.partition, fetcher.fetchedFrom, fetcher.position)
      slices.begin(fetcher)
      const slice = slices.next(buffer)
      if (slice !== undefined) return slice
    }
    return undefined
  }

  #reachedEnd(): boolean {
    if (this.#handingOut !== undefined) return this.#handingOut.isAtEnd()
    if (!this.#options.untilEnd) return false
    return this.#fetchers.every((fetcher, i) => fetcher.hasReached(this.#limits[i]!))
  }

  #remember<T>(pending: Promise<T>): Promise<T> {
    const done = (): void => {
      if (this.#pending === tracked) this.#pending = undefined
    }
    const tracked = pending.then(done, done)
    this.#pending = tracked
    return pending
  }

  #finish(): void {
    this.#ended = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#options.wakeLoop.cancel(this)
    this.#delayed?.cancel()
    for (const fetcher of this.#fetchers) fetcher.rest()
    this.#options.onEnd()
  }

  /** The answer to a `next` behind the end: what ended it, once, and then that it is over. */
  #end(): Promise<IteratorResult<ConsumerBatch, undefined>> {
    const failure = this.#failure
    this.#failure = undefined
    return failure === undefined ? Promise.resolve(DONE) : Promise.reject(failure)
  }

  readonly #onAbort = (): void => {
    this.fail(new MillraceError('ABORTED', 'reading was aborted by its signal', { cause: this.#options.signal?.reason }))
  }
}
