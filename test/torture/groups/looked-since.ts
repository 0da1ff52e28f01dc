// When a thread began to look whether its members may hand out: a batch that its user has seen
// was found to be its member's own in the same turn of the event loop, after the first look of
// that turn. What the operating system does with the thread between the look and the user is
// nobody's fault, so the checker is told both ticks.

import type { EmbeddedEngine } from '../../../src/engine/embedded-engine.ts'
import type { RoundWords } from '../torture-words.ts'

export interface Looks {
  /** The tick of the first look of this turn. */
  readonly since: number
  /** The turn is over. */
  ended(): void
}

export function watchLooks(engine: EmbeddedEngine, round: RoundWords): Looks {
  const looks = {
    since: -1,
    isOpen: false,
    ended() {
      looks.isOpen = false
    },
  }
  const calls = engine.groups
  const fenceCount = calls.fenceCount.bind(calls)
  calls.fenceCount = () => {
    if (!looks.isOpen) {
      looks.isOpen = true
      looks.since = round.tick()
      setImmediate(looks.ended)
    }
    return fenceCount()
  }
  return looks
}
