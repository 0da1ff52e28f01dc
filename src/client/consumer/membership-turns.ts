// Tells a membership what has happened, one thing after the other, and does what it says, in
// the order in which it says it. Pure; private to the consumer's thread.
//
//   tell(a) ──▶ membership asks what can be read ──▶ metadata have changed: tell(b)
//      │                                                  │ waits
//      └── effects of a are done ◀── all of a ────────────┴──▶ then b
//
// Holds: it hears of nothing while it makes up its mind about what came before: of a partition
// that it is about to take, it would take it twice.

import type { MembershipEffect } from './group-membership.ts'

export class MembershipTurns {
  readonly #perform: (effect: MembershipEffect) => void
  readonly #untold: (() => readonly MembershipEffect[])[] = []
  readonly #effects: MembershipEffect[] = []
  #isTelling = false
  #isPerforming = false

  constructor(perform: (effect: MembershipEffect) => void) {
    this.#perform = perform
  }

  /** `happened` tells it, and gives what it says: at once, or behind what it is being told. */
  tell(happened: () => readonly MembershipEffect[]): void {
    this.#untold.push(happened)
    if (this.#isTelling) return
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
      this.#isTelling = true
      try {
        this.#effects.push(...next())
      } finally {
        this.#isTelling = false
      }
      this.#performAll()
    }
  }

  #performAll(): void {
    if (this.#isPerforming) return
    this.#isPerforming = true
    try {
      for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) this.#perform(next)
    } finally {
      this.#isPerforming = false
    }
  }
}
