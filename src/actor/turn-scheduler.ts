// The effect by which a loop asks for its next turn of the thread's event loop.
//
// Runs on whichever thread is handed it. Holds: a scheduled callback runs once,
// later, never inside `schedule`; between two callbacks of a real scheduler the
// event loop has served messages, timers and I/O. The one that does so with
// setImmediate is `immediateScheduler` in thread-parker.ts.

export interface TurnScheduler {
  /** Runs `callback` once, in a later turn. Nothing is ever cancelled: a stopped loop lets its last turn run empty. */
  schedule(callback: () => void): void
}

/** Turns that run only when told to: for tests, and for everything that runs without threads. */
export class StepScheduler implements TurnScheduler {
  #queue: (() => void)[] = []

  schedule(callback: () => void): void {
    this.#queue.push(callback)
  }

  /** Callbacks that wait for their turn. */
  get pending(): number {
    return this.#queue.length
  }

  /** Runs what was scheduled before this call, as one turn of an event loop would; says how many ran. */
  step(): number {
    const turn = this.#queue
    this.#queue = []
    for (const callback of turn) callback()
    return turn.length
  }

  /** Steps, and lets promises settle in between, until nothing waits; at most `limit` turns. Says how many turns it took. */
  async settle(limit = 1_000): Promise<number> {
    for (let turns = 0; turns < limit; turns++) {
      // A promise settled by one turn may schedule another: look only after the microtasks have run.
      for (let i = 0; i < 8; i++) await Promise.resolve()
      if (this.#queue.length === 0) return turns
      this.step()
    }
    return limit
  }
}
