// What members of consumer groups saw, as they write it down themselves: one tape a thread, on
// which all of its members write, and one for whoever asks what a group has committed.
// As history.ts: knows nothing of millrace, and a row is counted only when it is whole.
//
//   a row:  what i32 · group i32 · member i32 · log i32 · epoch i32 · offset f64 · end f64 · since f64 · tick f64 · ms f64
//
// Members are numbered through: one that comes again is another. Ticks order all that happens
// between threads; ms are of the clock that all threads share.

import { Tape, bytesFor, float64, int32 } from './history.ts'

/** It is told that the log is its own, before it reads it. */
export const ASSIGNED = 1
/** It is told that the log goes; `offset`: up to there it must be committed by now, -1: it does not say. */
export const REVOKED = 2
/** `end` of REVOKED: it is a static member that comes back, and nobody may take the log meanwhile. */
export const KEPT_FOR_IT = -2
/** It is told that the log is another's already. */
export const LOST = 3
/** It was given the records of [offset, end). That it may have them was found out after `since`. */
export const HANDED_OUT = 4
/** It is done with all below `end`, and says so next. */
export const SETTLED = 5
export const COMMIT_ASKED = 6
/** The commit that it asked for before is made. */
export const COMMIT_ACKED = 7
/** Asked at `since`, the group had committed `offset`; -1: nothing. */
export const COMMITTED = 8
/** It has ended by itself, and has come to that end: no log. */
export const LEFT = 9
/** A static member is about to join, as instance number `offset` of its group: no log. */
export const ARRIVED = 10
export type GroupEvent =
  | typeof ASSIGNED
  | typeof REVOKED
  | typeof LOST
  | typeof HANDED_OUT
  | typeof SETTLED
  | typeof COMMIT_ASKED
  | typeof COMMIT_ACKED
  | typeof COMMITTED
  | typeof LEFT
  | typeof ARRIVED

/** By event. */
export const EVENT_NAMES = [
  '',
  'assigned',
  'revoked',
  'lost',
  'handed out',
  'settled',
  'commit asked',
  'commit acked',
  'committed',
  'left',
  'arrived',
]

const ROWS = 0
const GROUP_ROW_BYTES = 5 * 4 + 5 * 8
/** Rows of a tape that are kept for what is no batch. */
const OTHERS_MAX = 2_000

export interface GroupRow {
  readonly group: number
  readonly member: number
  readonly log: number
  readonly epoch?: number
  readonly offset?: number
  readonly end?: number
  readonly since?: number
  readonly tick: number
  readonly ms?: number
}

export class GroupTape extends Tape {
  readonly offset = this.column(float64, 8)
  readonly endOffset = this.column(float64, 8)
  readonly since = this.column(float64, 8)
  readonly tick = this.column(float64, 8)
  readonly ms = this.column(float64, 8)
  readonly what = this.column(int32, 4)
  readonly group = this.column(int32, 4)
  readonly member = this.column(int32, 4)
  readonly log = this.column(int32, 4)
  readonly epoch = this.column(int32, 4)

  static allocate(rows: number): GroupTape {
    return new GroupTape(new SharedArrayBuffer(bytesFor(rows + OTHERS_MAX, GROUP_ROW_BYTES)))
  }

  constructor(buffer: SharedArrayBuffer) {
    super(buffer, GROUP_ROW_BYTES)
  }

  /** Its members are to end: there is room for that, and for no more batches. */
  override get isFull(): boolean {
    return this.rows >= this.rowsMax - OTHERS_MAX
  }

  write(what: GroupEvent, { group, member, log, epoch = -1, offset = -1, end = -1, since = -1, tick, ms = 0 }: GroupRow): void {
    const row = this.rows
    if (row >= this.rowsMax) throw new Error('the tape of a group is full')
    this.what[row] = what
    this.group[row] = group
    this.member[row] = member
    this.log[row] = log
    this.epoch[row] = epoch
    this.offset[row] = offset
    this.endOffset[row] = end
    this.since[row] = since
    this.tick[row] = tick
    this.ms[row] = ms
    Atomics.store(this.words, ROWS, row + 1)
  }
}
