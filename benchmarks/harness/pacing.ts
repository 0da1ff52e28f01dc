// Pacing: how far the reader is, in one shared word that it stores once a batch, so that
// producers keep a bounded distance and nothing is overtaken. Waiting is part of every figure.
// Where several readers take the same records, the word says how far the last of them is.
//
//   int32 words, one cache line (16 words) each
//   +0     read      records read in this run, by every reader
//   +16    wanted    0, or the count of `read` at which the waiting producers are to be woken
//   +32    offered   records offered by producer 0, then +48 by producer 1, … up to 64
//   +1056  each      records read by reader 0, then +1072 by reader 1, … up to 16
//
// Memory order: the reader stores `read` and then looks at `wanted`; a producer stores `wanted`
// and then looks at `read` (both sequentially consistent), so one of the two sees the other.
// Of several readers, each stores its own word before it looks at all: the last to store sees
// the least of all, and `read` only grows.
// A producer never blocks its thread: its event loop has acks to read. It waits by an untimed
// `Atomics.waitAsync`, at most one at a time, and only until half of the window is free again.

const LINE_WORDS = 16
const READ = 0
const WANTED = LINE_WORDS
const OFFERED = 2 * LINE_WORDS

export const PRODUCERS_MAX = 64
export const READERS_MAX = 16

const EACH = OFFERED + PRODUCERS_MAX * LINE_WORDS

export function allocatePacing(): SharedArrayBuffer {
  return new SharedArrayBuffer((EACH + READERS_MAX * LINE_WORDS) * 4)
}

export class PacedReader {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #reader: number
  readonly #readers: number

  constructor(buffer: SharedArrayBuffer, reader = 0, readers = 1) {
    if (readers > READERS_MAX) throw new RangeError(`at most ${READERS_MAX} readers are paced, not ${readers}`)
    this.#words = new Int32Array(buffer)
    this.#reader = reader
    this.#readers = readers
  }

  /** Says, once a batch, how many records of this run this reader has read. */
  report(read: number): void {
    const words = this.#words
    if (this.#readers === 1) Atomics.store(words, READ, read)
    else this.#raise(read)
    for (;;) {
      const wanted = Atomics.load(words, WANTED)
      if (wanted === 0 || Atomics.load(words, READ) < wanted) return
      // Only what was looked at is taken back: another producer may have asked for more just now, and
      // is not asleep yet, so that the notification would pass it by.
      if (Atomics.compareExchange(words, WANTED, wanted, 0) !== wanted) continue
      Atomics.notify(words, READ)
      return
    }
  }

  /** Raises the common word to what every reader has read. */
  #raise(mine: number): void {
    const words = this.#words
    Atomics.store(words, EACH + this.#reader * LINE_WORDS, mine)
    let least = mine
    for (let i = 0; i < this.#readers; i++) least = Math.min(least, Atomics.load(words, EACH + i * LINE_WORDS))
    for (let read = Atomics.load(words, READ); read < least; ) {
      const found = Atomics.compareExchange(words, READ, read, least)
      if (found === read) return
      read = found
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
