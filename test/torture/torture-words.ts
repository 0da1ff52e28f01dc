// The words that the threads of one torture round share.
//
//   of the round                          of one thread
//   words 0  tick: orders all that           words 0  1 it has attached and works
//            happens between threads               1  1 it is to finish
//         1  progress: counts jobs,                2  records acknowledged, or read
//            what the torture waits on             3  sends that failed
//   doubles from byte 64 on                        4  bytes of values sent, or read
//         by log: time of the last ack
//         by log: longest time between two
//
// Times are of the one clock that all threads share, in ms.

const TICK = 0
const PROGRESS = 1
const DOUBLES_AT = 64

const WORKING = 0
const FINISH = 1
const DONE = 2
const FAILED = 3
const BYTES = 4
const THREAD_WORDS = 8

/** Milliseconds, the same on every thread. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export class RoundWords {
  readonly buffer: SharedArrayBuffer
  readonly logs: number
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #lastAckMs: Float64Array<SharedArrayBuffer>
  readonly #gapMs: Float64Array<SharedArrayBuffer>

  static allocate(logs: number): RoundWords {
    return new RoundWords(new SharedArrayBuffer(DOUBLES_AT + logs * 16))
  }

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.logs = (buffer.byteLength - DOUBLES_AT) / 16
    this.#words = new Int32Array(buffer, 0, DOUBLES_AT / 4)
    this.#lastAckMs = new Float64Array(buffer, DOUBLES_AT, this.logs)
    this.#gapMs = new Float64Array(buffer, DOUBLES_AT + this.logs * 8, this.logs)
  }

  /** A number above all that were given before, on whatever thread. */
  tick(): number {
    return Atomics.add(this.#words, TICK, 1) >>> 0
  }

  // --- a producer's thread ----------------------------------------------------------

  acked(log: number): void {
    const nowMs = sharedNowMs()
    const gapMs = nowMs - this.#lastAckMs[log]!
    if (gapMs > this.#gapMs[log]!) this.#gapMs[log] = gapMs
    this.#lastAckMs[log] = nowMs
  }

  progressed(): void {
    Atomics.add(this.#words, PROGRESS, 1)
    Atomics.notify(this.#words, PROGRESS)
  }

  // --- the torture ------------------------------------------------------------------

  /** From now on gaps are measured anew. */
  watchGaps(): void {
    const nowMs = sharedNowMs()
    for (let log = 0; log < this.logs; log++) {
      this.#lastAckMs[log] = Math.max(this.#lastAckMs[log]!, nowMs)
      this.#gapMs[log] = 0
    }
  }

  /** Longest time between two acks of the log since `watchGaps`. */
  gapMs(log: number): number {
    return this.#gapMs[log]!
  }

  lastAckMs(log: number): number {
    return this.#lastAckMs[log]!
  }

  /** Resolves when it holds; looks again after each job of a thread. */
  async until(isSo: () => boolean): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, PROGRESS)
      if (isSo()) return
      const { async, value } = Atomics.waitAsync(this.#words, PROGRESS, seen)
      if (async) await value
    }
  }
}

/** What every thread under torture shares with who drives it: that it works, and that it is to finish. */
export class WorkWords {
  readonly buffer: SharedArrayBuffer
  protected readonly words: Int32Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.words = new Int32Array(buffer)
  }

  get isWorking(): boolean {
    return Atomics.load(this.words, WORKING) === 1
  }

  works(): void {
    Atomics.store(this.words, WORKING, 1)
  }

  get isToFinish(): boolean {
    return Atomics.load(this.words, FINISH) === 1
  }

  finish(): void {
    Atomics.store(this.words, FINISH, 1)
    Atomics.notify(this.words, FINISH)
  }

  /** Resolves, on the thread, when it is to finish. */
  async toFinish(): Promise<void> {
    const { async, value } = Atomics.waitAsync(this.words, FINISH, 0)
    if (async) await value
  }
}

export class ThreadWords extends WorkWords {
  constructor(buffer = new SharedArrayBuffer(THREAD_WORDS * 4)) {
    super(buffer)
  }

  get done(): number {
    return Atomics.load(this.words, DONE)
  }

  get failed(): number {
    return Atomics.load(this.words, FAILED)
  }

  get bytes(): number {
    return Atomics.load(this.words, BYTES) >>> 0
  }

  addBytes(count: number): void {
    Atomics.add(this.words, BYTES, count)
  }

  addDone(count = 1): void {
    Atomics.add(this.words, DONE, count)
  }

  addFailed(count = 1): void {
    Atomics.add(this.words, FAILED, count)
  }
}
