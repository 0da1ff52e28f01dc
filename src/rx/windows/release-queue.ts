// Results that were handed on and are not done with yet, in the order in which they were. Pure.
// Holds: pins are released in that order only, each together with all before it: so when a
// commit passes a record of a window, that window's result is done with, and so are those of all
// that closed before.

import type { Pin } from './open-windows.ts'

/** What one record has brought about. */
export class Release {
  /** Stream time before it. */
  readonly streamTimeMs: number
  readonly pins: readonly Pin[]
  readonly #queue: ReleaseQueue
  isDone = false

  constructor(queue: ReleaseQueue, streamTimeMs: number, pins: readonly Pin[]) {
    this.#queue = queue
    this.streamTimeMs = streamTimeMs
    this.pins = pins
  }

  /** All that was handed on is done with. */
  done(): void {
    this.isDone = true
    this.#queue.advance()
  }
}

export class ReleaseQueue {
  readonly #waiting: Release[] = []
  #from = 0

  /** Stream time before the first that is not done; undefined when all are. */
  get releasedMs(): number | undefined {
    return this.#waiting[this.#from]?.streamTimeMs
  }

  get size(): number {
    return this.#waiting.length - this.#from
  }

  push(streamTimeMs: number, pins: readonly Pin[]): Release {
    const release = new Release(this, streamTimeMs, pins)
    this.#waiting.push(release)
    return release
  }

  advance(): void {
    while (this.#waiting[this.#from]?.isDone) {
      const { pins } = this.#waiting[this.#from++]!
      if (this.#from > 512 && this.#from * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#from)
        this.#from = 0
      }
      for (const pin of pins) pin.release()
    }
  }
}
