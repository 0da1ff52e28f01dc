// What the clients of a torture saw, as they write it down themselves: one tape of sends
// a producer, one tape of reads a consumer. A tape is a SharedArrayBuffer that one thread
// writes and the torture reads, also when that thread was terminated in the middle.
// Knows nothing of millrace, and imports nothing of it: a bug in millrace cannot hide here.
//
//   a tape:   words 0..15 │ column 0, a row each │ column 1 │ …
//   words:    0 rows · 1 ended (0 at work, 1 closed, 2 died) · 2 promises (0 none, 1 no doubles, 2 no gaps either) · 3 rows at most
//
//   a row of sends, one a record, its index the record's number among those of its producer
//     log i32, -1 as long as it is chosen by another · outcome i32 · hash u32 · offset f64, -1 not known · invoked f64 · completed f64 (ticks)
//
//   a row of reads
//     what i32 (producer number, or below 0 one of the marks) · number i32 · log i32 · hash u32 · epoch i32 · offset f64
//
// Holds: a row is counted only when it is whole, and a send stands there before it is made.

import type { GroupTape } from './group-history.ts'

/** Outcomes of a send. `DOUBT`: it may be in the log or not; `REFUSED`: it cannot be there. */
export const PENDING = 0
export const ACKED = 1
export const REFUSED = 2
export const DOUBT = 3
export type Outcome = typeof PENDING | typeof ACKED | typeof REFUSED | typeof DOUBT

/** How a thread came to its end. */
export const AT_WORK = 0
export const CLOSED = 1
export const DIED = 2
export type Ending = typeof AT_WORK | typeof CLOSED | typeof DIED

/** What a producer promises. */
export const NO_PROMISE = 0
export const ONCE = 1
export const GAPLESS = 2
export type Promises = typeof NO_PROMISE | typeof ONCE | typeof GAPLESS

/** The reader goes to this offset by itself; -1: to the first there is. */
export const MARK_START = -1
/** Retention has overtaken it: it was to read `offset` next … */
export const MARK_OVERTAKEN_FROM = -2
/** … and goes on at `offset`, having missed `number` records. */
export const MARK_OVERTAKEN_TO = -3
/** It has read all up to `offset`, the end that it found when it began. */
export const MARK_END = -4
/** The first offset that it was told of, under the leader epoch `epoch`. */
export const MARK_FIRST_SEEN = -5
/** The end that it was told of. */
export const MARK_END_SEEN = -6

const HEADER_WORDS = 16
const ROWS = 0
const ENDED = 1
const PROMISES = 2
const ROWS_MAX = 3

const SEND_ROW_BYTES = 3 * 4 + 3 * 8
const READ_ROW_BYTES = 5 * 4 + 8

/** Rows are counted in whole pairs, so that columns of 64 bits are aligned. */
function rowsOf(buffer: SharedArrayBuffer, rowBytes: number): number {
  return Math.floor((buffer.byteLength - HEADER_WORDS * 4) / rowBytes / 2) * 2
}

export function bytesFor(rows: number, rowBytes: number): number {
  return HEADER_WORDS * 4 + Math.ceil(rows / 2) * 2 * rowBytes
}

export class Tape {
  readonly buffer: SharedArrayBuffer
  readonly rowsMax: number
  protected readonly words: Int32Array<SharedArrayBuffer>
  #at = HEADER_WORDS * 4

  protected constructor(buffer: SharedArrayBuffer, rowBytes: number) {
    this.buffer = buffer
    this.words = new Int32Array(buffer, 0, HEADER_WORDS)
    this.rowsMax = this.words[ROWS_MAX] || rowsOf(buffer, rowBytes)
    this.words[ROWS_MAX] = this.rowsMax
  }

  get rows(): number {
    return Atomics.load(this.words, ROWS)
  }

  get isFull(): boolean {
    return this.rows >= this.rowsMax
  }

  get ended(): Ending {
    return Atomics.load(this.words, ENDED) as Ending
  }

  end(ended: Ending): void {
    Atomics.store(this.words, ENDED, ended)
  }

  protected column<T>(make: (buffer: SharedArrayBuffer, at: number, rows: number) => T, bytes: number): T {
    const column = make(this.buffer, this.#at, this.rowsMax)
    this.#at += this.rowsMax * bytes
    return column
  }
}

export const int32 = (buffer: SharedArrayBuffer, at: number, rows: number): Int32Array<SharedArrayBuffer> =>
  new Int32Array(buffer, at, rows)
const uint32 = (buffer: SharedArrayBuffer, at: number, rows: number): Uint32Array<SharedArrayBuffer> => new Uint32Array(buffer, at, rows)
export const float64 = (buffer: SharedArrayBuffer, at: number, rows: number): Float64Array<SharedArrayBuffer> =>
  new Float64Array(buffer, at, rows)

/** What one producer has sent. */
export class SendTape extends Tape {
  readonly offset = this.column(float64, 8)
  readonly invoked = this.column(float64, 8)
  readonly completed = this.column(float64, 8)
  readonly log = this.column(int32, 4)
  readonly outcome = this.column(int32, 4)
  readonly hash = this.column(uint32, 4)

  static allocate(rows: number, { promises = NO_PROMISE }: { promises?: Promises } = {}): SendTape {
    const tape = new SendTape(new SharedArrayBuffer(bytesFor(rows, SEND_ROW_BYTES)))
    tape.words[PROMISES] = promises
    return tape
  }

  constructor(buffer: SharedArrayBuffer) {
    super(buffer, SEND_ROW_BYTES)
  }

  /** Whether each of its records is in a log once at most, whatever dies (Kafka: enable.idempotence). */
  get isOnce(): boolean {
    return this.words[PROMISES]! >= ONCE
  }

  /** Whether a record is there only when all are that it sent to the log before: it gives none up. */
  get isGapless(): boolean {
    return this.words[PROMISES] === GAPLESS
  }

  /** Writes down a send that is about to be made; its number. */
  invoke(log: number, hash: number, tick: number): number {
    const number = this.rows
    if (number >= this.rowsMax) throw new Error('the tape of sends is full')
    this.log[number] = log
    this.hash[number] = hash
    this.offset[number] = -1
    this.invoked[number] = tick
    Atomics.store(this.words, ROWS, number + 1)
    return number
  }

  /** The record was not taken after all: it was never sent. Only for the one written down last. */
  revoke(number: number): void {
    if (number !== this.rows - 1) throw new Error('only the last send can be taken back')
    Atomics.store(this.words, ROWS, number)
  }

  /** `log`: the log that was chosen for it, when the send named none. */
  complete(number: number, outcome: Outcome, tick: number, offset = -1, log = -1): void {
    if (log >= 0) this.log[number] = log
    this.offset[number] = offset
    this.completed[number] = tick
    Atomics.store(this.outcome, number, outcome)
  }
}

/** Rows of a tape of reads that are kept for marks. */
const MARKS_MAX = 64

/** What one consumer has read. */
export class ReadTape extends Tape {
  readonly offset = this.column(float64, 8)
  readonly what = this.column(int32, 4)
  readonly number = this.column(int32, 4)
  readonly log = this.column(int32, 4)
  readonly hash = this.column(uint32, 4)
  readonly epoch = this.column(int32, 4)

  static allocate(rows: number): ReadTape {
    return new ReadTape(new SharedArrayBuffer(bytesFor(rows + MARKS_MAX, READ_ROW_BYTES)))
  }

  /** Takes no more records; marks still. */
  override get isFull(): boolean {
    return this.rows >= this.rowsMax - MARKS_MAX
  }

  constructor(buffer: SharedArrayBuffer) {
    super(buffer, READ_ROW_BYTES)
  }

  /** A record, as it was read; a record that names no producer is written down as the number 2^31 - 1's. */
  read(log: number, offset: number, producer: number, number: number, hash: number, epoch = -1): void {
    const row = this.#row(log, offset, producer >= 0 && producer < 0x7fff_ffff ? producer : 0x7fff_ffff)
    this.number[row] = number
    this.hash[row] = hash
    this.epoch[row] = epoch
    Atomics.store(this.words, ROWS, row + 1)
  }

  mark(mark: number, log: number, offset: number, number = 0, epoch = -1): void {
    const row = this.#row(log, offset, mark)
    this.number[row] = number
    this.epoch[row] = epoch
    Atomics.store(this.words, ROWS, row + 1)
  }

  overtaken(log: number, from: number, to: number, missed: number): void {
    this.mark(MARK_OVERTAKEN_FROM, log, from)
    this.mark(MARK_OVERTAKEN_TO, log, to, missed)
  }

  #row(log: number, offset: number, what: number): number {
    const row = this.rows
    if (row >= this.rowsMax) throw new Error('the tape of reads is full')
    this.log[row] = log
    this.offset[row] = offset
    this.what[row] = what
    return row
  }
}

/** A whole run: every log is the partition of some topic, numbered through. */
export interface History {
  readonly logs: number
  /** By producer number: a thread that starts again is another producer. */
  readonly sends: readonly SendTape[]
  /** Consumers while it ran, each in the order of its own reads. */
  readonly reads: readonly ReadTape[]
  /**
   * After the last send was answered: one consumer that reads every log from its first offset
   * to its end, and of each says at last where it begins (MARK_FIRST_SEEN) and ends (MARK_END).
   */
  readonly drain: ReadTape
  /** Logs that must keep every record. */
  readonly keepsAll: (log: number) => boolean
  /** By log, where it began when all threads died, which readers may have been told of; undefined where none did. */
  readonly firstAtDeath?: readonly number[] | undefined
  /** What members of groups saw, where there are any: the groups are numbered through. */
  readonly groups?:
    | {
        readonly count: number
        readonly tapes: readonly GroupTape[]
        /** Whether the group reads the log; all, where it is not said. */
        readonly reads?: (group: number, log: number) => boolean
      }
    | undefined
}
