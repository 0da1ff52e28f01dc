// What results of windows are held by: an origin of its own for all that one record has brought
// about, so that the operator hears when all of it is done with. Runs on the subscriber's thread.
// Holds: while a result is held or pinned further down, the record that brought it about is
// pinned; while it is held, that record counts for maxInFlight.

import { Origin, holdAll, pinAll } from '../hold.ts'
import type { Hold } from '../hold.ts'
import type { BatchShare, OriginKeeper, SourcePartition } from '../source-partition.ts'

/** The partition that results come from, as operators further down see it. */
export class ResultPartition implements SourcePartition {
  readonly topic: string
  readonly partition: number
  readonly committedMetadata: string
  metadata: ((position: number) => string) | undefined
  whenSettled: (() => () => void) | undefined
  readonly #source: SourcePartition

  /** `committedMetadata` is what an operator further down had committed. */
  constructor(source: SourcePartition, committedMetadata: string) {
    this.topic = source.topic
    this.partition = source.partition
    this.committedMetadata = committedMetadata
    this.#source = source
  }

  get isCommitted(): boolean {
    return this.#source.isCommitted
  }

  get isGone(): boolean {
    return this.#source.isGone
  }

  get signal(): AbortSignal {
    return this.#source.signal
  }

  onGone(listener: () => void): void {
    this.#source.onGone(listener)
  }

  get isCaughtUp(): boolean {
    return this.#source.isCaughtUp
  }
}

export class ResultOrigin extends Origin {
  readonly #results: ResultPartition

  /** `trigger` is the record that brought it about, if any. Made for the emissions that follow, then `passed()`. */
  constructor(results: ResultPartition, offset: number, trigger: Origin | undefined, onDone: () => void) {
    super(new ResultKeeper(results, trigger, onDone), offset, { bytes: 0, held: 0 })
    this.#results = results
  }

  override get partition(): SourcePartition {
    return this.#results
  }
}

/** Of one origin. */
class ResultKeeper implements OriginKeeper {
  readonly isLossy: boolean
  readonly #results: ResultPartition
  readonly #trigger: Origin | undefined
  readonly #onDone: () => void
  #pin: Hold | undefined
  #room: Hold | undefined

  constructor(results: ResultPartition, trigger: Origin | undefined, onDone: () => void) {
    this.#results = results
    this.#trigger = trigger
    this.isLossy = trigger?.isLossy ?? false
    this.#onDone = onDone
  }

  passed(): void {
    this.#onDone()
  }

  keep(): void {
    if (this.#trigger !== undefined) this.#pin = pinAll(this.#trigger)
  }

  settle(): void {
    this.#onDone()
    this.#pin?.release()
  }

  takeRoom(_share: BatchShare): void {
    if (this.#pin !== undefined) this.#room = holdAll(this.#trigger!)
  }

  giveRoom(_share: BatchShare): void {
    this.#room?.release()
    this.#room = undefined
  }

  get isCommitted(): boolean {
    return this.#results.isCommitted
  }

  get topic(): string {
    return this.#results.topic
  }

  get partition(): number {
    return this.#results.partition
  }

  get committedMetadata(): string {
    return this.#results.committedMetadata
  }

  get isGone(): boolean {
    return this.#results.isGone
  }

  get signal(): AbortSignal {
    return this.#results.signal
  }

  onGone(listener: () => void): void {
    this.#results.onGone(listener)
  }

  get isCaughtUp(): boolean {
    return this.#results.isCaughtUp
  }

  get metadata(): ((position: number) => string) | undefined {
    return this.#results.metadata
  }

  set metadata(metadata: ((position: number) => string) | undefined) {
    this.#results.metadata = metadata
  }

  get whenSettled(): (() => () => void) | undefined {
    return this.#results.whenSettled
  }

  set whenSettled(whenSettled: (() => () => void) | undefined) {
    this.#results.whenSettled = whenSettled
  }
}
