// Pacing: how far the reader is, in one shared word that it stores once a batch, so that
// producers keep a bounded distance and nothing is overtaken. Waiting is part of every figure.
//
//   int32 words, one cache line (16 words) each
//   +0   read      records read in this run
//   +16  wanted    0, or the count of `read` at which the waiting producers are to be woken
//   +32  offered   records offered by producer 0, then +48 by producer 1, …
//
// Memory order: the reader stores `read` and then looks at `wanted`; a producer stores `wanted`
// and then looks at `read` (both sequentially consistent), so one of the two sees the other.
// A producer never blocks its thread: its event loop has acks to read. It waits by an untimed
// `Atomics.waitAsync`, at most one at a time, and only until half of the window is free again.

const LINE_WORDS = 16
const READ = 0
const WANTED = LINE_WORDS
const OFFERED = 2 * LINE_WORDS

export const PRODUCERS_MAX = 64

export function allocatePacing(): SharedArrayBuffer {
  return new SharedArrayBuffer((2 + PRODUCERS_MAX) * LINE_WORDS * 4)
}

export class PacedReader {
  readonly #words: Int32Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  /** Says, once a batch, how many records of this run have been read. */
  report(read: number): void {
    Atomics.store(this.#words, READ, read)
    const wanted = Atomics.load(this.#words, WANTED)
    if (wanted !== 0 && read >= wanted && Atomics.exchange(this.#words, WANTED, 0) !== 0) {
      Atomics.notify(this.#words, READ)
    }
  }
}

export class PacedProducer {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #mine: number
  readonly #producers: number
  readonly #windowRecords: number
  /** How often this producer had to wait in this run. */
  waits = 0

  /** `windowRecords`: how many records all producers together may be ahead of the reader. */
  constructor(buffer: SharedArrayBuffer, producer: number, producers: number, windowRecords: number) {
    if (producers > PRODUCERS_MAX) throw new RangeError(`at most ${PRODUCERS_MAX} producers are paced, not ${producers}`)
    this.#words = new Int32Array(buffer)
    this.#mine = OFFERED + producer * LINE_WORDS
    this.#producers = producers
    this.#windowRecords = windowRecords
  }

  /** Says how many records this producer has offered in this run. */
  report(offered: number): void {
    Atomics.store(this.#words, this.#mine, offered)
  }

  /** Records offered by all and not read yet. */
  ahead(): number {
    let offered = 0
    for (let i = 0; i < this.#producers; i++) offered += Atomics.load(this.#words, OFFERED + i * LINE_WORDS)
    return offered - Atomics.load(this.#words, READ)
  }

  mayOffer(): boolean {
    return this.ahead() < this.#windowRecords
  }

  /** Resolves once half of the window is free. */
  async room(): Promise<void> {
    while (!this.mayOffer()) {
      this.waits++
      const read = Atomics.load(this.#words, READ)
      const excess = this.ahead() - (this.#windowRecords >> 1)
      if (excess <= 0) return
      Atomics.store(this.#words, WANTED, read + excess)
      const waited = Atomics.waitAsync(this.#words, READ, read)
      if (waited.async) await waited.value
    }
  }
}

/** Before a run, on the main thread, while every producer and the reader rest. */
export function resetPacing(buffer: SharedArrayBuffer): void {
  const words = new Int32Array(buffer)
  for (let i = 0; i < words.length; i += LINE_WORDS) Atomics.store(words, i, 0)
}
