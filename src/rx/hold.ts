// Who still works with a record: the hold contract. RxJS tells a source nothing about
// what an operator keeps, so millrace's operators say it: they take a hold inside the
// call of `next` that brought the record, and release it when they are done.
// One thread; the current origins are set only while a source or operator emits.
// Holds: a record without a hold, whose `next` has returned, is settled, once.

import { MillraceError } from '../errors.ts'

/** Counts the holds of one record; when none is left the record is settled. */
export class Origin {
  readonly #onSettled: () => void
  #holds = 0
  #settled = false

  constructor(onSettled: () => void) {
    this.#onSettled = onSettled
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Keeps the record unsettled until the hold is released. Throws SETTLED_EARLY when it is settled already. */
  hold(): Hold {
    if (this.#settled) throw settledEarly()
    this.#holds++
    return new Hold([this])
  }

  release(): void {
    if (--this.#holds > 0 || this.#settled) return
    this.#settled = true
    this.#onSettled()
  }
}

/**
 * Keeps records unsettled until `release()`, which may be called any number of times.
 * `record.hold()` gives one for one record; operators hold several together.
 */
export class Hold {
  readonly origins: readonly Origin[]
  #released = false

  constructor(origins: readonly Origin[]) {
    this.origins = origins
  }

  /** The work is done: what was held may be settled, unless somebody else holds it. A second call does nothing. */
  release(): void {
    if (this.#released) return
    this.#released = true
    for (const origin of this.origins) origin.release()
  }
}

const NONE: readonly Origin[] = []
/** What comes by has a source that tracks nothing: there is nothing to hold, and nothing wrong with that. */
export const UNTRACKED: readonly Origin[] = []
let current: readonly Origin[] = NONE

/** Calls `emit` with these records current: operators downstream can hold them. */
export function emitWith(origins: readonly Origin[], emit: () => void): void {
  const before = current
  current = origins
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
export function holdCurrent(upstream: Upstream): Hold {
  if (current === NONE && upstream.tracked) throw settledEarly()
  if (current.length > 0) upstream.tracked = true
  const hold = new Hold(current)
  for (const origin of current) origin.hold()
  return hold
}

/** Whether no millrace source or operator emits now: what comes by was kept for later by somebody. */
export function isOutsideHold(): boolean {
  return current === NONE
}

/** What an operator learns of its sources when it subscribes to them. */
export interface Upstream {
  /** Whether a source of records is among them, so that what comes by must be held. */
  tracked: boolean
}

let subscribing: Upstream | undefined

/** Subscribes upstream, and notes whether a source of records was subscribed to in it. */
export function subscribeUpstream<T>(upstream: Upstream, subscribe: () => T): T {
  const outer = subscribing
  subscribing = upstream
  try {
    return subscribe()
  } finally {
    subscribing = outer
    // The operator further down has the same source.
    if (outer !== undefined && upstream.tracked) outer.tracked = true
  }
}

/** Said by sources of records when they are subscribed to. */
export function noteTrackedSource(): void {
  if (subscribing !== undefined) subscribing.tracked = true
}

function settledEarly(): MillraceError {
  const message =
    'a record reached a millrace operator after it was settled: an RxJS operator before it (mergeMap, concatMap, delay, bufferTime …) ' +
    'kept it beyond its call, and millrace cannot know. Do that work within the call, or take record.hold() in it, hand on that very record, ' +
    'and release() the hold when its work is done; or set lossless: false on fromTopic, and lose records when the process ends'
  return new MillraceError('SETTLED_EARLY', message)
}
