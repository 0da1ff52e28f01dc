// Requests whose answer is held back until there is news (as a fetch waits for bytes): so a
// member of this process hears of its new assignment at once, and nobody polls.
// Pure: the clock is given. Holds: one is answered once; at the latest when its time is over.

import type { Clock, Timer } from '../clock.ts'
import type { RequestId } from './coordinator-shard.ts'

/** How an answer may be held back. */
export interface Hold<Response> {
  /** Who asks: of each, one request is held at the most. */
  readonly key: string
  /** 0: answered at once; one that is held is answered too. */
  readonly holdMs: number
  /** Whether the answer says nothing that the one who asks does not know. */
  readonly isNothingNew: (response: Response) => boolean
}

interface HeldRequest {
  readonly requestId: RequestId
  readonly response: unknown
  readonly again: () => void
  readonly timer: Timer
}

export class HeldRequests {
  readonly #clock: Clock
  readonly #answer: (requestId: RequestId, response: unknown) => void
  readonly #held = new Map<string, HeldRequest>()

  constructor(clock: Clock, answer: (requestId: RequestId, response: unknown) => void) {
    this.#clock = clock
    this.#answer = answer
  }

  hold({ key, holdMs }: Hold<unknown>, requestId: RequestId, response: unknown, again: () => void): void {
    this.end(key)
    const timer = this.#clock.setTimer(holdMs, () => this.end(key))
    this.#held.set(key, { requestId, response, again, timer })
  }

  /** The answer that was held back is given as it was. */
  end(key: string): void {
    const held = this.#take(key)
    if (held !== undefined) this.#answer(held.requestId, held.response)
  }

  /** There may be another answer now. */
  lookAgain(key: string): void {
    this.#take(key)?.again()
  }

  /** Nobody is answered any more. */
  close(): void {
    for (const { timer } of this.#held.values()) timer.cancel()
    this.#held.clear()
  }

  #take(key: string): HeldRequest | undefined {
    const held = this.#held.get(key)
    if (held === undefined) return undefined
    this.#held.delete(key)
    held.timer.cancel()
    return held
  }
}
