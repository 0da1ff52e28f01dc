// Withholds what is there until it is enough, or has waited long enough (Kafka: DelayedFetch,
// fetch.min.bytes and fetch.max.wait.ms). Runs on the consumer's thread; only a reading
// that asks for more than a byte has one.
//
//   closed ──enough bytes, or the wait is over──▶ open: all that is there now is handed out
//      ▲                                            │
//      └──────────────── nothing is left ───────────┘
//
// Holds: a timer runs only while bytes wait for more of them. In Kafka a fetch of nothing ends
// by time too, and the next is sent at once; here nothing happens until something comes.

import type { Clock, Timer } from '../../clock.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'

export interface DelayedFetchOptions {
  readonly minBytes: number
  readonly maxWaitMs: number
  readonly clock: Clock
  /** The wait is over: look again. */
  readonly onDue: () => void
}

export class DelayedFetch {
  readonly #fetchers: readonly PartitionFetcher[]
  readonly #limits: number[]
  readonly #options: DelayedFetchOptions
  #isOpen = false
  #timer: Timer | undefined
  #isWaitOver = false

  /** Of each fetcher, `limits` gets the offset up to which it may read while this is open. */
  constructor(fetchers: readonly PartitionFetcher[], limits: number[], options: DelayedFetchOptions) {
    this.#fetchers = fetchers
    this.#limits = limits
    this.#options = options
  }

  /** Whether there is something to hand out now. Throws what a fetch would throw for want of a position. */
  isDue(): boolean {
    if (this.#isOpen) return true
    const { minBytes, maxWaitMs, clock, onDue } = this.#options
    const bytes = this.#availableBytes(minBytes)
    if (bytes === 0) {
      this.cancel()
      return false
    }
    if (bytes < minBytes && !this.#isWaitOver && maxWaitMs > 0) {
      this.#timer ??= clock.setTimer(maxWaitMs, () => {
        this.#isWaitOver = true
        onDue()
      })
      return false
    }
    this.cancel()
    this.#isOpen = true
    for (const [i, fetcher] of this.#fetchers.entries()) {
      // A limit would hide what is to be told at, or beyond, the end.
      this.#limits[i] = fetcher.isOutOfLog ? Number.POSITIVE_INFINITY : fetcher.endOffset
    }
    return true
  }

  /** All that was there when it opened was handed out. */
  close(): void {
    this.#isOpen = false
  }

  /** Leaves no timer. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isWaitOver = false
  }

  #availableBytes(enough: number): number {
    let bytes = 0
    for (const fetcher of this.#fetchers) {
      if (!fetcher.isAtRest) bytes += fetcher.availableBytes(enough - bytes)
      if (bytes >= enough) break
    }
    return bytes
  }
}
