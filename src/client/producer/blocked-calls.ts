// Calls of a producer that wait for room: `drained`, and sends that found none.
// Private to the producer's thread.
// Holds: sends are tried again in the order of their calls; every call ends, at the
// latest `maxBlockMs` after it was made. One timer serves all of them.

import type { Clock, Timer } from '../../clock.ts'
import { MillraceError } from '../../errors.ts'

interface BlockedCall {
  /** True: the call is over. May throw: then it is over, with that error. */
  readonly attempt: () => boolean
  readonly failed: (error: Error) => void
  readonly sinceMs: number
  readonly isSend: boolean
}

export class BlockedCalls {
  readonly #clock: Clock
  readonly #maxBlockMs: number
  #calls: BlockedCall[] = []
  #sends = 0
  #timer: Timer | undefined

  constructor(clock: Clock, maxBlockMs: number) {
    this.#clock = clock
    this.#maxBlockMs = maxBlockMs
  }

  get size(): number {
    return this.#calls.length
  }

  /** Sends that wait. */
  get sends(): number {
    return this.#sends
  }

  send(attempt: () => boolean, failed: (error: Error) => void): void {
    this.#add(attempt, failed, true)
  }

  /** Resolves when `ready` is true; asked after each change. */
  wait(ready: () => boolean, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(abortedError(signal))
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#calls = this.#calls.filter((other) => other !== call)
        reject(abortedError(signal!))
      }
      const over = (): void => signal?.removeEventListener('abort', abort)
      const attempt = (): boolean => {
        if (!ready()) return false
        over()
        resolve()
        return true
      }
      const failed = (error: Error): void => {
        over()
        reject(error)
      }
      signal?.addEventListener('abort', abort)
      const call = this.#add(attempt, failed, false)
    })
  }

  /** Something changed: room was made, or a batch is done. */
  retry(): void {
    if (this.#calls.length === 0) return
    const calls = this.#calls
    this.#calls = []
    const kept: BlockedCall[] = []
    let sendWaits = false
    for (const call of calls) {
      // A send behind one that still waits must not pass it.
      if ((call.isSend && sendWaits) || !this.#isOver(call)) {
        kept.push(call)
        if (call.isSend) sendWaits = true
      }
    }
    // What was called meanwhile comes behind.
    this.#calls = kept.concat(this.#calls)
    if (this.#calls.length === 0) this.#timer?.cancel()
    if (this.#calls.length === 0) this.#timer = undefined
  }

  failAll(error: Error): void {
    const calls = this.#calls
    this.#calls = []
    this.#sends = 0
    this.#timer?.cancel()
    this.#timer = undefined
    for (const call of calls) call.failed(error)
  }

  #add(attempt: () => boolean, failed: (error: Error) => void, isSend: boolean): BlockedCall {
    const call: BlockedCall = { attempt, failed, sinceMs: this.#clock.monotonicMs(), isSend }
    this.#calls.push(call)
    if (isSend) this.#sends++
    this.#timer ??= this.#clock.setTimer(this.#maxBlockMs, this.#onTimer, { ref: true })
    return call
  }

  #isOver(call: BlockedCall): boolean {
    try {
      if (!call.attempt()) return false
    } catch (error) {
      call.failed(error as Error)
    }
    if (call.isSend) this.#sends--
    return true
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined
    const expiredMs = this.#clock.monotonicMs() - this.#maxBlockMs
    const expired = this.#calls.filter((call) => call.sinceMs <= expiredMs)
    this.#calls = this.#calls.filter((call) => call.sinceMs > expiredMs)
    const oldest = this.#calls[0]
    if (oldest !== undefined) this.#timer = this.#clock.setTimer(Math.max(1, oldest.sinceMs - expiredMs), this.#onTimer, { ref: true })
    for (const call of expired) {
      if (call.isSend) this.#sends--
      const message =
        `the producer's memory stayed full for maxBlockMs (${this.#maxBlockMs} ms): ` +
        'its broker is slower than its producer, or gone; send less, raise bufferMemory, or wait longer'
      call.failed(new MillraceError('BUFFER_EXHAUSTED', message))
    }
  }
}

function abortedError(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'waiting was aborted by its signal', { cause: signal.reason })
}
