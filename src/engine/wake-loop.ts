// Everything on one thread that waits for shared memory to change: producers for
// room and acks, consumers for records. They share the thread's one bell.
// Runs on the thread that attached.
// Holds: before the thread parks, the bell is armed, then every waiter has said what it
// waits for, and then every waiter has looked once more. So no change is slept through.

import type { Sleeper, ThreadParker } from '../actor/thread-parker.ts'

/** Something that waits. Both methods are called on the waiter's own thread. */
export interface Waiter {
  /** Leaves a mark in shared memory, so that whoever changes it rings this thread. */
  prepareWait(): void
  /** Looks whether there is something to do, and does it; true: it waits no longer. */
  poll(): boolean
  /** Whether the process must stay alive while this waits. */
  readonly keepsAlive: boolean
}

export class WakeLoop {
  readonly #parker: ThreadParker
  readonly #sleeper: Sleeper
  readonly #waiters = new Set<Waiter>()
  #settling = false
  #again = false

  constructor(parker: ThreadParker) {
    this.#parker = parker
    this.#sleeper = parker.onRing(() => this.#settle())
  }

  /**
   * Starts to wait; `poll` is called at once, so it may be over when this returns. One that
   * waits already says anew what it waits for, since that may have grown, and looks again.
   */
  wait(waiter: Waiter): void {
    if (this.#waiters.has(waiter)) {
      this.#lookAgain(waiter)
      return
    }
    this.#waiters.add(waiter)
    if (waiter.keepsAlive) this.#parker.hold()
    this.#settle()
  }

  /** Stops waiting without a result. */
  cancel(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return
    if (waiter.keepsAlive) this.#parker.release()
    if (this.#waiters.size === 0) this.#sleeper.disarm()
  }

  /** Something changed that rings no bell (a broker died, a close): everybody looks again. */
  wake(): void {
    if (this.#waiters.size > 0) this.#settle()
  }

  #lookAgain(waiter: Waiter): void {
    if (this.#settling) {
      this.#again = true
      return
    }
    // The bell is armed, or a ring is on its way that will make everybody look.
    waiter.prepareWait()
    if (waiter.poll()) this.cancel(waiter)
  }

  #settle(): void {
    // A poll may run user code that starts or ends other waits: those come in the next round.
    if (this.#settling) {
      this.#again = true
      return
    }
    this.#settling = true
    try {
      do {
        this.#again = false
        // The bell first: whoever answers a mark that was left before would ring a bell that does not listen yet.
        if (this.#waiters.size > 0) this.#sleeper.arm()
        for (const waiter of this.#waiters) waiter.prepareWait()
        for (const waiter of [...this.#waiters]) if (this.#waiters.has(waiter) && waiter.poll()) this.cancel(waiter)
      } while (this.#again)
    } finally {
      this.#settling = false
    }
  }
}
