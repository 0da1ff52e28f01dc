// The turns of everything that runs inline: brokers, their actors, messages between them. All take turns in the event loop of the one
// thread, in the order in which they asked for them.
//
// Holds: microtasks run between two turns; who waits in `settle` goes on when nobody has asked for a turn for a few rounds of the event
// loop, in which what a user's code does by immediates and promises has had its turns too.

// Of node:timers itself: fake timers of a test replace the globals.
import { setImmediate } from 'node:timers'
import type { TurnScheduler } from '../actor/turn-scheduler.ts'
import { MillraceError } from '../errors.ts'

/** Rounds of the event loop without a turn, after which all is quiet: a yield of the client takes two. */
const QUIET_ROUNDS = 4
/** Rounds without rest, after which a test is told so: a few seconds of them. */
const ROUNDS_MAX = 1_000_000

export class InlineTurns implements TurnScheduler {
  readonly #roundsMax: number
  #waiting = 0
  #asked = 0

  constructor(roundsMax = ROUNDS_MAX) {
    this.#roundsMax = roundsMax
  }

  schedule(callback: () => void): void {
    this.#waiting++
    this.#asked++
    setImmediate(() => {
      this.#waiting--
      callback()
    })
  }

  /** Resolves when nothing more happens unless time moves. */
  async settle(): Promise<void> {
    let seen = -1
    for (let quiet = 0, rounds = 0; quiet < QUIET_ROUNDS; rounds++) {
      if (rounds > this.#roundsMax) throw restless()
      await new Promise<void>((resolve) => setImmediate(resolve))
      quiet = this.#waiting === 0 && this.#asked === seen ? quiet + 1 : 0
      seen = this.#asked
    }
  }
}

function restless(): MillraceError {
  const message =
    'inline millrace does not come to rest, so its time cannot move on: something sends or reads without end; ' +
    'let it wait for a while of virtual time (inline.sleep) in between'
  return new MillraceError('REQUEST_TIMED_OUT', message, { retriable: false })
}
