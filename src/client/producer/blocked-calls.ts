// Calls of a producer that wait for room: sends that found none, and `drained`.
// Private to the producer's thread.
// Holds: sends are tried again in the order of their calls, and none passes another;
// every call ends, at the latest `maxBlockMs` after it was made, or after a call that
// sends many last got on. One timer serves all of them.

import type { Clock, Timer } from '../../clock.ts'
import { MillraceError } from '../../errors.ts'
import { abortedError } from './producer-errors.ts'

/** All that the call had to send was taken. */
export const SEND_TAKEN = 2
/** Some of it was taken; the rest found no room. */
export const SEND_MOVED = 1
/** There was no room. */
export const SEND_REFUSED = 0

export type SendProgress = typeof SEND_TAKEN | typeof SEND_MOVED | typeof SEND_REFUSED

/** A call of `send` or `sendAll`. */
export interface BlockedSend {
  /** May throw: then the call is over, with that error. */
  attempt(): SendProgress
  failed(error: Error): void
}

interface WaitingSend {
  readonly send: BlockedSend
  sinceMs: number
}

interface Wait {
  readonly isReady: () => boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly sinceMs: number
}

/** Sends that are over leave the front of the queue; so many may stay before it is moved up. */
const SPENT_SENDS_MAX = 1_024

export class BlockedCalls {
  readonly #clock: Clock
  readonly #maxBlockMs: number
  #sends: (WaitingSend | undefined)[] = []
  /** Where the oldest send stands. */
  #oldest = 0
  #waits: Wait[] = []
  #timer: Timer | undefined
  #retrying = false

  constructor(clock: Clock, maxBlockMs: number) {
    this.#clock = clock
    this.#maxBlockMs = maxBlockMs
  }

  get size(): number {
    return this.sends + this.#waits.length
  }

  /** Sends that wait. */
  get sends(): number {
    return this.#sends.length - this.#oldest
  }

  send(send: BlockedSend): void {
    this.#sends.push({ send, sinceMs: this.#clock.monotonicMs() })
    this.#startTimer(this.#maxBlockMs)
  }

  /** Resolves when `isReady` is true; it is asked after each change. */
  wait(isReady: () => boolean, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(abortedError(signal))
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waits = this.#waits.filter((other) => other !== wait)
        this.#stopTimerIfIdle()
        reject(abortedError(signal!))
      }
      const over = (): void => signal?.removeEventListener('abort', abort)
      const wait: Wait = {
        isReady,
        resolve: () => {
          over()
          resolve()
        },
        reject: (error) => {
          over()
          reject(error)
        },
        sinceMs: this.#clock.monotonicMs(),
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waits.push(wait)
      this.#startTimer(this.#maxBlockMs)
    })
  }

  /** Resolves when the sends that wait now are over. Rejects with ABORTED; the sends themselves have their own deadline. */
  sendsOver(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(abortedError(signal))
    if (this.sends === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(abortedError(signal!))
      signal?.addEventListener('abort', abort, { once: true })
      const over = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const attempt = (): SendProgress => {
        over()
        return SEND_TAKEN
      }
      // Stands behind them in the queue, and is over when its turn comes.
      this.#sends.push({ send: { attempt, failed: over }, sinceMs: Number.POSITIVE_INFINITY })
    })
  }

  /** Something changed: room was made, or a batch is done. */
  retry(): void {
    if (this.size === 0 || this.#retrying) return
    this.#retrying = true
    try {
      this.#retrySends()
      const ready = this.#waits.filter((wait) => wait.isReady())
      if (ready.length > 0) this.#waits = this.#waits.filter((wait) => !ready.includes(wait))
      for (const wait of ready) wait.resolve()
    } finally {
      this.#retrying = false
    }
    this.#stopTimerIfIdle()
  }

  failAll(error: Error): void {
    const sends = this.#sends.slice(this.#oldest)
    const waits = this.#waits
    this.#sends = []
    this.#oldest = 0
    this.#waits = []
    this.#stopTimerIfIdle()
    for (const waiting of sends) waiting?.send.failed(error)
    for (const wait of waits) wait.reject(error)
  }

  #retrySends(): void {
    while (this.#oldest < this.#sends.length) {
      const waiting = this.#sends[this.#oldest]!
      const progress = attempt(waiting.send)
      if (progress === SEND_MOVED) waiting.sinceMs = this.#clock.monotonicMs()
      // One that is behind must not pass it.
      if (progress !== SEND_TAKEN) break
      this.#sends[this.#oldest] = undefined
      this.#oldest++
    }
    if (this.#oldest === this.#sends.length || this.#oldest >= SPENT_SENDS_MAX) {
      this.#sends.splice(0, this.#oldest)
      this.#oldest = 0
    }
  }

  #startTimer(delayMs: number): void {
    this.#timer ??= this.#clock.setTimer(delayMs, this.#onTimer, { ref: true })
  }

  /** No timer may keep the process alive when nobody waits. */
  #stopTimerIfIdle(): void {
    if (this.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined
    const nowMs = this.#clock.monotonicMs()
    const isOver = ({ sinceMs }: { sinceMs: number }): boolean => nowMs - sinceMs >= this.#maxBlockMs
    const sends = this.#sends.slice(this.#oldest) as WaitingSend[]
    const waits = this.#waits
    this.#sends = sends.filter((waiting) => !isOver(waiting))
    this.#oldest = 0
    this.#waits = waits.filter((wait) => !isOver(wait))
    const oldestMs = [...(this.#sends as WaitingSend[]), ...this.#waits].reduce((least, { sinceMs }) => Math.min(least, sinceMs), nowMs)
    if (this.size > 0) this.#startTimer(Math.max(1, oldestMs + this.#maxBlockMs - nowMs))
    for (const waiting of sends) if (isOver(waiting)) waiting.send.failed(this.#exhausted())
    for (const wait of waits) if (isOver(wait)) wait.reject(this.#exhausted())
    // What stood behind may be over now.
    this.retry()
  }

  #exhausted(): MillraceError {
    const message =
      `the producer's memory stayed full for maxBlockMs (${this.#maxBlockMs} ms): ` +
      'its broker is slower than its producer, or gone; send less, raise bufferMemory, or wait longer'
    return new MillraceError('BUFFER_EXHAUSTED', message)
  }
}

function attempt(send: BlockedSend): SendProgress {
  try {
    return send.attempt()
  } catch (error) {
    send.failed(error as Error)
    return SEND_TAKEN
  }
}
