// Windows of one partition: records go in, in the order of its log, and results come out; and
// what is committed beside an offset, so that it all comes to the same after a restart. Pure.
//
//                C pinned                        end
//   ─────────────┼──── records of open windows ────┤
//   stream time as of C      windows that close up to `releasedMs` are done with
//
// A replay from C moves stream time as the first time, so what was late is late again. Windows
// that close up to `releasedMs` are not made again; every other one that is open, or whose result
// was not done with, has its first record at C or behind.
// Holds: stream time and `releasedMs` never go back; `releasedMs` moves in steps of what one call
// brings about, and before the pins of that are released, also where one offset brings several
// calls; what stream time has passed, and nobody was handed yet, it never covers.

import { METADATA_MAX_BYTES, NO_MARKS, encodeMarks } from './commit-marks.ts'
import type { CommitMarks } from './commit-marks.ts'
import { OriginMarks } from './origin-marks.ts'
import type { OriginMark, RecordOrigin } from './origin-marks.ts'
import type { OpenWindow, Pin } from './open-windows.ts'
import { ReleaseQueue } from './release-queue.ts'
import type { Release } from './release-queue.ts'
import { SessionStore } from './session-store.ts'
import { SlidingStore } from './sliding-store.ts'
import { Snapshots } from './snapshots.ts'
import { TimeWindowsStore } from './time-windows-store.ts'
import type { AnyAggregator, WindowInput, WindowStore } from './window-store.ts'
import type { Windows } from './windows.ts'

const STREAM_TIMES_MAX = 8_192
const ORIGIN_SNAPSHOTS_MAX = 64
/** Marks of origins are noted once in so many records. */
const RECORDS_A_SNAPSHOT = 256

export class WindowedPartition<K> {
  readonly #store: WindowStore<K, unknown>
  readonly #origins: OriginMarks
  readonly #queue = new ReleaseQueue()
  /** Whether `commitMarks` will be asked: otherwise nothing of the past is kept. */
  readonly #isCommitted: boolean
  readonly #streamTimes: Snapshots<number>
  readonly #originSnapshots: Snapshots<readonly OriginMark[]>
  readonly #restoredMs: number
  /** As `releasedMs`, as far as it may be told in a commit; undefined: all of it. */
  #toldMs: number | undefined
  #streamTimeMs: number
  /** Before the record that has begun. */
  #beforeMs: number
  /** All that closes up to here was handed on, or is about to be. */
  #closedMs: number
  #offset = -1
  /** The last offset whose origin was looked at, and what came of that. */
  #originOffset = -1
  #isFirstOfOrigin = false
  /** One past the last record. */
  #position = -1
  #untilSnapshot = RECORDS_A_SNAPSHOT
  /** Windows that have the last record; sessions that went into others by it. Emptied by `begin`. */
  readonly updated: OpenWindow<K, unknown>[] = []
  readonly replaced: OpenWindow<K, unknown>[] = []

  constructor(windows: Windows, aggregator: AnyAggregator, marks: CommitMarks = NO_MARKS, isCommitted = true) {
    this.#isCommitted = isCommitted
    this.#store = storeOf<K>(windows, aggregator, marks.releasedMs)
    this.#restoredMs = marks.releasedMs
    this.#streamTimeMs = marks.streamTimeMs
    this.#beforeMs = marks.streamTimeMs
    this.#closedMs = marks.streamTimeMs
    this.#origins = new OriginMarks(marks.origins)
    this.#streamTimes = new Snapshots(STREAM_TIMES_MAX, marks.streamTimeMs)
    this.#originSnapshots = new Snapshots(ORIGIN_SNAPSHOTS_MAX, marks.origins)
  }

  /** The highest time of the records so far; -1 before the first. */
  get streamTimeMs(): number {
    return this.#streamTimeMs
  }

  /** Windows and records that are kept. */
  get size(): number {
    return this.#store.size
  }

  /** One past the last record. */
  get position(): number {
    return this.#position
  }

  /** Results that are not done with. */
  get unreleased(): number {
    return this.#queue.size
  }

  /** All results of windows that close up to here are done with. */
  get releasedMs(): number {
    return Math.max(this.#restoredMs, this.#queue.releasedMs ?? this.#closedMs)
  }

  /** What is done with by now is told in commits when what this gives is called; until the first of these, all is at once. */
  settled(): () => void {
    const { releasedMs } = this
    this.#toldMs ??= this.#restoredMs
    return () => {
      this.#toldMs = Math.max(this.#toldMs!, releasedMs)
    }
  }

  /** A record comes, whether it is counted or not; one offset may come several times in a row. */
  begin(offset: number): void {
    this.updated.length = 0
    this.replaced.length = 0
    this.#beforeMs = this.#streamTimeMs
    if (offset === this.#offset) return
    this.#offset = offset
    this.#position = Math.max(this.#position, offset + 1)
  }

  /** Whether a repartitioned record is the first of its origin: all that came of it, for what comes of one has one origin. */
  takeOrigin(origin: RecordOrigin): boolean {
    if (this.#offset === this.#originOffset) return this.#isFirstOfOrigin
    this.#originOffset = this.#offset
    this.#isFirstOfOrigin = this.#origins.take(origin)
    if (!this.#isFirstOfOrigin) return false
    if (--this.#untilSnapshot <= 0) {
      this.#untilSnapshot = RECORDS_A_SNAPSHOT
      this.#originSnapshots.set(this.#position, this.#origins.list())
    }
    return true
  }

  /** Stream time comes to this, unless it is there. */
  advanceTo(timeMs: number): void {
    if (timeMs > this.#streamTimeMs) this.#streamTimeMs = timeMs
  }

  /** Adds the record that has begun to its windows; they are in `updated` then. False: it is late. */
  add(input: WindowInput<K>, pin: () => Pin | undefined): boolean {
    let isPinned = false
    const isTaken = this.#store.add(
      input,
      this.#streamTimeMs,
      () => {
        isPinned = true
        return pin()
      },
      this,
    )
    if (isPinned) this.#streamTimes.keepAt(this.#offset)
    return isTaken
  }

  /** What stream time has closed, in order of closing; undefined: nothing. To be given to `handOn`. */
  close(): ClosedWindows<K> | undefined {
    if (this.#store.dueMs > this.#streamTimeMs) return undefined
    const closed: ClosedWindows<K> = { windows: [], pins: [] }
    this.#store.close(this.#streamTimeMs, closed)
    return closed
  }

  /** Closes all windows, as if stream time had come to the end of the last. */
  closeAll(): ClosedWindows<K> | undefined {
    let closed: ClosedWindows<K> | undefined
    this.updated.length = 0
    this.replaced.length = 0
    this.#beforeMs = this.#streamTimeMs
    while (this.#store.dueMs < Number.POSITIVE_INFINITY) {
      this.#streamTimeMs = this.#store.dueMs
      closed ??= { windows: [], pins: [] }
      this.#store.close(this.#streamTimeMs, closed)
    }
    this.#note()
    return closed
  }

  /** What the record has brought about is handed on now: with the pins of what has closed, until it is done. */
  handOn(pins: readonly Pin[]): Release {
    return this.#queue.push(this.#beforeMs, pins)
  }

  /** The record is over. */
  end(): void {
    this.#note()
  }

  /** What goes with a commit of this position. */
  commitMarks(position: number, inner = ''): CommitMarks {
    this.#streamTimes.forgetBefore(position)
    this.#originSnapshots.forgetBefore(position)
    const isAll = position >= this.#position
    return {
      streamTimeMs: isAll ? this.#streamTimeMs : this.#streamTimes.at(position),
      releasedMs: this.#toldMs ?? this.releasedMs,
      origins: isAll ? this.#origins.list() : this.#originSnapshots.at(position),
      inner,
    }
  }

  commitText(position: number, inner = '', maxBytes = METADATA_MAX_BYTES): string {
    return encodeMarks(this.commitMarks(position, inner), maxBytes)
  }

  #note(): void {
    this.#closedMs = this.#streamTimeMs
    if (this.#isCommitted && this.#streamTimeMs !== this.#beforeMs) this.#streamTimes.set(this.#position, this.#streamTimeMs)
  }
}

/** Windows that have closed, and what kept their records. */
export interface ClosedWindows<K> {
  readonly windows: OpenWindow<K, unknown>[]
  readonly pins: Pin[]
}

function storeOf<K>(windows: Windows, aggregator: AnyAggregator, releasedMs: number): WindowStore<K, unknown> {
  switch (windows.kind) {
    case 'time':
      return new TimeWindowsStore(windows, aggregator, releasedMs)
    case 'sliding':
      return new SlidingStore(windows, aggregator, releasedMs)
    case 'session':
      return new SessionStore(windows, aggregator, releasedMs)
  }
}
