// One chunk ahead of whoever takes chunks out of segment files, so that the next is being
// read while he works on the one before. Runs on the reader's thread; `take` never waits.
//
//   idle ──take──▶ reading ──▶ ready ──take: the memory is exchanged──▶ reading, the next
//                     └──────▶ failed ──take: throws──▶ idle
//
// Holds: a chunk is handed out only for the position it was read from; what was read for
// another (a seek, a log start that moved) is dropped. One read is in flight, one chunk is
// kept; after `close` neither, and nobody is called any more.

import type { ReadTarget } from '../log/shared-log-reader.ts'
import type { SegmentReader } from './segment-reader.ts'

export interface SegmentReadAheadOptions {
  readonly reader: SegmentReader
  /** Bytes of a chunk; a larger batch is a chunk of its own. */
  readonly maxBytes: number
  /** What was waited for has come, or has failed: take again. */
  readonly onRead: () => void
}

type State = 'idle' | 'reading' | 'ready' | 'failed' | 'closed'

export class SegmentReadAhead {
  readonly #options: SegmentReadAheadOptions
  readonly #chunk: ReadTarget = { bytes: new Uint8Array(0), length: 0 }
  #state: State = 'idle'
  #position = -1
  /** Of the chunk that is ready, the offset behind it. */
  #nextOffset = -1
  #error: unknown
  /** Whether somebody came for what was not there yet. */
  #isAwaited = false

  constructor(options: SegmentReadAheadOptions) {
    this.#options = options
  }

  /**
   * Puts the batches from `position` on into the target, as `SegmentReader.read` does, and gives the
   * offset behind them; -1 when they are being read: `onRead` will be called. Throws what reading them threw.
   * Unless it `goesOn` the next are not read ahead.
   */
  take(position: number, endOffset: number, target: ReadTarget, goesOn = true): number {
    if (!this.#isAt(position, endOffset)) return -1
    if (this.#state === 'failed') {
      this.#state = 'idle'
      throw this.#error
    }
    const { bytes } = this.#chunk
    this.#chunk.bytes = target.bytes
    target.bytes = bytes
    target.length = this.#chunk.length
    const next = this.#nextOffset
    this.#state = 'idle'
    if (goesOn && next < endOffset) this.#read(next, endOffset)
    return next
  }

  /** Bytes that `take` would give now, up to `nextOffset`; -1 when they are being read. Infinity: `take` would throw. */
  readyBytes(position: number, endOffset: number): number {
    if (!this.#isAt(position, endOffset)) return -1
    return this.#state === 'failed' ? Number.POSITIVE_INFINITY : this.#chunk.length
  }

  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Drops what was read, and lets go of the file; resolves when it is closed. */
  close(): Promise<void> {
    this.#state = 'closed'
    return this.#options.reader.close().catch(() => undefined)
  }

  /** Whether what was read is from this position; otherwise it is read, or the read that is in flight is awaited. */
  #isAt(position: number, endOffset: number): boolean {
    const isOver = this.#state === 'ready' || this.#state === 'failed'
    if (isOver && this.#position === position) return true
    if (isOver || this.#state === 'idle') this.#read(position, endOffset)
    this.#isAwaited = true
    return false
  }

  #read(position: number, endOffset: number): void {
    const { reader, maxBytes } = this.#options
    this.#state = 'reading'
    this.#position = position
    this.#isAwaited = false
    reader.read(position, endOffset, this.#chunk, maxBytes).then(
      (next) => this.#over('ready', next),
      (error: unknown) => this.#over('failed', -1, error),
    )
  }

  #over(state: 'ready' | 'failed', next: number, error?: unknown): void {
    if (this.#state === 'closed') return
    // Nothing was read, for the log start is above the position: there is nothing to take.
    this.#state = next === this.#position ? 'idle' : state
    this.#nextOffset = next
    this.#error = error
    if (this.#isAwaited) this.#options.onRead()
  }
}
