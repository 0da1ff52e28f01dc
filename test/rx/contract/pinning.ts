// An operator as stateful ones are: it pins what comes by, and emits later under the pins.

import { Observable } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { abandonHolds, newChain, subscribeUpstream } from '../../../src/rx/chain.ts'
import type { Chain } from '../../../src/rx/chain.ts'
import { emitWith, pinCurrent } from '../../../src/rx/hold.ts'
import type { Hold } from '../../../src/rx/hold.ts'

export interface Pinned<T> {
  readonly value: T
  readonly pin: Hold
}

export interface Pinning<T> {
  /** What is pinned now. */
  readonly pinned: Pinned<T>[]
  readonly chain: Chain
  /** Emits the oldest under its pin, and releases it. */
  emitOldest(): void
  readonly operator: OperatorFunction<T, T>
}

/** With `flushes`, what is pinned is emitted when the source has completed. */
export function pinning<T>({ flushes = true } = {}): Pinning<T> {
  const pinned: Pinned<T>[] = []
  const chain = newChain()
  let emitOldest = (): void => undefined
  const operator: OperatorFunction<T, T> = (source) =>
    new Observable<T>((subscriber) => {
      emitOldest = () => {
        const { value, pin } = pinned.shift()!
        emitWith(pin, () => subscriber.next(value))
        pin.release()
      }
      const subscription = subscribeUpstream(chain, () =>
        source.subscribe({
          next: (value) => void pinned.push({ value, pin: pinCurrent(chain) }),
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            if (!flushes) return
            while (pinned.length > 0) emitOldest()
            subscriber.complete()
          },
        }),
      )
      return () => {
        subscription.unsubscribe()
        if (pinned.length > 0) abandonHolds(chain)
      }
    })
  return { pinned, chain, operator, emitOldest: () => emitOldest() }
}
