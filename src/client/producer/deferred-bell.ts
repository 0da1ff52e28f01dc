// When a producer rings a broker that sleeps: not for every batch. Waking a thread costs
// several microseconds here and a switch there, and a broker that is woken for one batch
// is asleep again before the next. So batches that leave in one job are announced
// together, at its end at the latest, or after so many bytes.
// Private to the producer's thread.
// Holds: every published batch is followed by a ring, in this job.

import type { Bells } from '../../bells.ts'
import type { ThreadId } from '../../ids.ts'

/** Enough for the broker to do a turn's work, and less than the smallest lane holds. Waking a sleeping core takes about 20 µs. */
const RING_BYTES = 384 * 1024

export class DeferredBell {
  readonly #bells: Bells
  readonly #thread: ThreadId
  #unrungBytes = 0
  #scheduled = false

  constructor(bells: Bells, thread: ThreadId) {
    this.#bells = bells
    this.#thread = thread
  }

  /** A batch of so many bytes stands in the lane. */
  published(bytes: number): void {
    this.#unrungBytes += bytes
    if (this.#unrungBytes >= RING_BYTES) {
      this.ring()
    } else if (!this.#scheduled) {
      this.#scheduled = true
      queueMicrotask(this.#onJobEnd)
    }
  }

  /** Rings now, if anything was published since the last ring. */
  ring(): void {
    if (this.#unrungBytes > 0) this.now()
  }

  now(): void {
    this.#unrungBytes = 0
    this.#bells.ring(this.#thread)
  }

  readonly #onJobEnd = (): void => {
    this.#scheduled = false
    this.ring()
  }
}
