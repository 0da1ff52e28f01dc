// What operators that keep values beyond `next` are built on: it takes the hold, emits under it,
// and lets go of everything when the operator ends. Runs on the subscriber's thread.
// Holds: a value is held from when it comes in until `release`; one that ends unreleased was
// not worked on, and its record comes again; the operator completes when the source has, and
// nothing is held any more.

import { Observable } from 'rxjs'
import type { OperatorFunction, Subscriber } from 'rxjs'
import { abandonHolds, newChain, subscribeUpstream } from '../chain.ts'
import type { Chain } from '../chain.ts'
import { emitWith, holdCurrent, isOutsideHold } from '../hold.ts'
import type { Hold, Origins } from '../hold.ts'
import { MillraceRecord } from '../millrace-record.ts'

/** What an operator does with what comes in; a throw ends the Observable with it. */
export interface Intake<T> {
  /** What is above is known: once, before anything comes. */
  start?(): void
  next(value: T, hold: Hold): void
  /** The source has completed; what is kept may still be emitted. */
  complete?(): void
  /** The Observable has ended, however: timers go. */
  close?(): void
}

/** Where an operator emits, and what it has in its hands. */
export class Outlet<R> {
  /** What is above; complete once the operator has subscribed to it. */
  readonly chain: Chain = newChain()
  readonly #subscriber: Subscriber<R>
  #held = 0
  #isSourceOver = false

  /** Made by `heldOperator`. */
  constructor(subscriber: Subscriber<R>) {
    this.#subscriber = subscriber
  }

  get isClosed(): boolean {
    return this.#subscriber.closed
  }

  /** Values that were taken in, and not released. */
  get held(): number {
    return this.#held
  }

  /** Holds what comes by. A record that its user holds may come at any time. Throws SETTLED_EARLY. */
  take(value: unknown): Hold {
    const hold = value instanceof MillraceRecord && isOutsideHold() ? value.hold() : holdCurrent(this.chain)
    this.#held++
    return hold
  }

  /** Emits what came of one value, or of several: whoever keeps it longer holds them too. */
  emit(value: R, ...holds: readonly Hold[]): void {
    if (this.isClosed) return
    emitWith(originsOf(holds), () => this.#subscriber.next(value))
  }

  /** Emits under what is current: within the call that brought it. */
  pass(value: R): void {
    this.#subscriber.next(value)
  }

  /** Something else than what is held keeps it from completing. */
  waitFor(): void {
    this.#held++
  }

  waitedFor(): void {
    this.#held--
    this.#lookComplete()
  }

  /** The work on these is done. When the subscriber is found closed, they come again. */
  release(...holds: readonly Hold[]): void {
    if (this.isClosed) return
    this.#held -= holds.length
    for (const hold of holds) hold.release()
    this.#lookComplete()
  }

  fail(error: unknown): void {
    this.#subscriber.error(error)
  }

  /** Ends the Observable before its source has. */
  complete(): void {
    this.#subscriber.complete()
  }

  sourceIsOver(): void {
    this.#isSourceOver = true
    this.#lookComplete()
  }

  #lookComplete(): void {
    if (this.#isSourceOver && this.#held === 0) this.#subscriber.complete()
  }
}

/**
 * An operator that keeps what comes in, and says so; `build` is called at each subscription. With `isHidden` what is below hears of
 * what is above by the operator's own chains alone, which `noteChain`.
 */
export function heldOperator<T, R>(
  build: (outlet: Outlet<R>) => Intake<T>,
  { isHidden = false }: { isHidden?: boolean } = {},
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((subscriber) => {
      const outlet = new Outlet<R>(subscriber)
      const intake = build(outlet)
      const attempt = (work: () => void): void => {
        try {
          work()
        } catch (error) {
          subscriber.error(error)
        }
      }
      let isStarted = false
      // With the first value of a source that emits while it is subscribed to, or behind that.
      const start = (): void => {
        if (isStarted) return
        isStarted = true
        intake.start?.()
      }
      const observer = {
        next(value: T): void {
          // A synchronous source goes on for a while after an error.
          if (subscriber.closed) return
          attempt(() => {
            start()
            intake.next(value, outlet.take(value))
          })
        },
        error: (error: unknown): void => subscriber.error(error),
        complete(): void {
          attempt(() => {
            start()
            intake.complete?.()
            outlet.sourceIsOver()
          })
        },
      }
      const subscription = subscribeUpstream(outlet.chain, () => source.subscribe(observer), { isHidden })
      if (!subscriber.closed) attempt(start)
      return () => {
        subscription.unsubscribe()
        intake.close?.()
        if (outlet.held > 0) abandonHolds(outlet.chain)
      }
    })
}

/** Several of them together. */
function originsOf(holds: readonly Hold[]): Origins {
  return holds.length === 1 ? holds[0]!.origins : holds.flatMap(({ origins }) => origins)
}
