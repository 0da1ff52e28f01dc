// Who still works with a record: the hold contract. RxJS tells a source nothing about
// what an operator keeps, so millrace's operators say it: they take a hold inside the
// call of `next` that brought the record, and release it when they are done.
//
//   in next ──nobody keeps it──▶ settled
//      └──held──▶ in flight ⇄ pinned only ──▶ settled
//
// One thread; the current origins are set only while a source or operator emits.
// Holds: a record without a hold or pin, whose `next` has returned, is settled, once.

import { MillraceError } from '../errors.ts'
import type { Chain } from './chain.ts'
import type { BatchShare, OriginKeeper, SourcePartition } from './source-partition.ts'

/** Where a record came from, and how many hold it. One a record of a source; it keeps no record, and no batch. */
export class Origin {
  readonly offset: number
  private readonly keeper: OriginKeeper
  private readonly share: BatchShare
  // The source's own: for as long as its call of next runs.
  private holds = 1
  private pins = 0
  private isSettled = false

  /** Made by a source, for the call of `next` that follows. */
  constructor(keeper: OriginKeeper, offset: number, share: BatchShare) {
    this.keeper = keeper
    this.offset = offset
    this.share = share
  }

  get partition(): SourcePartition {
    return this.keeper
  }

  get settled(): boolean {
    return this.isSettled
  }

  /** Holds of it are counted, and settle nothing. */
  get isLossy(): boolean {
    return this.keeper.isLossy
  }

  get mayHold(): boolean {
    return !this.isSettled || this.keeper.isLossy
  }

  /** Once for each `release()`. Throws SETTLED_EARLY when it is settled already. */
  hold(): void {
    if (!this.mayHold) throw settledEarly()
    if (this.holds++ === 0) this.keeper.takeRoom(this.share)
  }

  release(): void {
    if (--this.holds > 0) return
    this.keeper.giveRoom(this.share)
    if (this.pins === 0) this.#settle()
  }

  /** As `hold`, but it does not count for maxInFlight; once for each `unpin()`. Throws SETTLED_EARLY. */
  pin(): void {
    if (!this.mayHold) throw settledEarly()
    this.pins++
  }

  unpin(): void {
    if (--this.pins === 0 && this.holds === 0) this.#settle()
  }

  /** The source's call of `next` has returned, and found its subscriber open. */
  passed(): void {
    const { keeper, offset } = this
    if (--this.holds === 0 && this.pins === 0) {
      this.isSettled = true
      keeper.passed(offset)
      return
    }
    keeper.keep(offset)
    if (this.holds > 0) keeper.takeRoom(this.share)
  }

  #settle(): void {
    this.isSettled = true
    this.keeper.settle(this.offset)
  }
}

/** One record, or several together: what comes out of a batch or a window. */
export type Origins = Origin | readonly Origin[]

/**
 * Keeps records unsettled until `release()`, which may be called any number of times.
 * `record.hold()` gives one for one record; operators hold several together.
 */
export class Hold {
  readonly origins: Origins
  readonly #isPin: boolean
  #released = false

  /** Made by `record.hold()`. Throws SETTLED_EARLY when one of them is settled already. */
  constructor(origins: Origins, isPin = false) {
    this.origins = origins
    this.#isPin = isPin
    if (origins instanceof Origin) take(origins, isPin)
    else {
      // All of them or none.
      for (const origin of origins) if (!origin.mayHold) throw settledEarly()
      for (const origin of origins) take(origin, isPin)
    }
  }

  /** The work is done: what was held may be settled, unless somebody else holds it. A second call does nothing. */
  release(): void {
    if (this.#released) return
    this.#released = true
    const { origins } = this
    if (origins instanceof Origin) give(origins, this.#isPin)
    else for (const origin of origins) give(origin, this.#isPin)
  }
}

function take(origin: Origin, isPin: boolean): void {
  if (isPin) origin.pin()
  else origin.hold()
}

function give(origin: Origin, isPin: boolean): void {
  if (isPin) origin.unpin()
  else origin.release()
}

const NONE: readonly Origin[] = []
/** What comes by has a source that tracks nothing: there is nothing to hold, and nothing wrong with that. */
export const UNTRACKED: readonly Origin[] = []
let current: Origins = NONE

/**
 * Makes these current, and gives those that were: for a source, that emits without a closure a
 * record. Between this and `restoreCurrent` stands a try.
 */
export function makeCurrent(origins: Origins): Origins {
  const before = current
  current = origins
  return before
}

export function restoreCurrent(before: Origins): void {
  current = before
}

/** Calls `emit` with these records current: operators downstream can hold them. */
export function emitWith(held: Hold | Origins, emit: () => void): void {
  const before = current
  const origins = held instanceof Hold ? held.origins : held
  // What was taken where nothing is tracked is nobody's wherever it comes later.
  current = origins instanceof Origin || origins.length > 0 ? origins : UNTRACKED
  try {
    emit()
  } finally {
    current = before
  }
}

/**
 * Holds the records that are current, for an operator that keeps them beyond this call.
 * Throws SETTLED_EARLY outside any hold, where a source of records is upstream: something
 * between kept the record for later. A chain without such a source has nothing to hold.
 */
export function holdCurrent(chain: Chain): Hold {
  checkCurrent(chain)
  return new Hold(current)
}

/**
 * Pins the records that are current: none behind them is committed before they are released,
 * but they do not count for maxInFlight, as with an open window. Throws as `holdCurrent`.
 */
export function pinCurrent(chain: Chain): Hold {
  checkCurrent(chain)
  return new Hold(current, true)
}

/** Holds all of these. Throws SETTLED_EARLY when one of them is settled already. */
export function holdAll(origins: Origins): Hold {
  return new Hold(origins)
}

/** As `pinCurrent`, for these. Throws SETTLED_EARLY when one of them is settled already. */
export function pinAll(origins: Origins): Hold {
  return new Hold(origins, true)
}

/** The records that are current; none outside any hold, and behind a source that tracks nothing. */
export function currentOrigins(): readonly Origin[] {
  return current instanceof Origin ? [current] : current
}

/** Whether no millrace source or operator emits now: what comes by was kept for later by somebody. */
export function isOutsideHold(): boolean {
  return current === NONE
}

function checkCurrent(chain: Chain): void {
  if (current === NONE) {
    if (chain.tracked) throw settledEarly()
  } else if (!chain.tracked && current !== UNTRACKED) {
    chain.tracked = currentOrigins().some(({ isLossy }) => !isLossy)
  }
}

function settledEarly(): MillraceError {
  const message =
    'a record reached a millrace operator after it was settled: an RxJS operator before it (mergeMap, concatMap, delay, bufferTime …) ' +
    'kept it beyond its call, and millrace cannot know. Do that work inside process(…), or take record.hold() in the call, hand on that very ' +
    'record, and release() the hold when its work is done; or set lossless: false on fromTopic, and lose records when the process ends'
  return new MillraceError('SETTLED_EARLY', message)
}
