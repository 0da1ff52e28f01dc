// When settled records may be committed: one timer turn after they were settled. RxJS
// reports what a subscriber throws on a timer of its own, set in the call that threw; so an
// exception that ends the process does so before the record that it is about is committed.
// Runs on the subscriber's thread.
// Holds: the timers of both have the same delay, so they fire in the order in which they were
// set; one is set only while something is settled and not committable.

import type { Clock } from '../clock.ts'

/** What it moves on. */
export interface Committable {
  /** What is settled by now, as what lets it be committed; undefined: nothing was emitted yet. */
  settled(): (() => void) | undefined
}

export class SettlingTurns {
  readonly #clock: Clock
  readonly #noted = new Set<Committable>()
  #isSet = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Its position may have moved. Often. */
  note(partition: Committable): void {
    this.#noted.add(partition)
    if (!this.#isSet) this.#set()
  }

  /** Resolves when what is settled now may be committed. */
  passed(partition: Committable): Promise<void> {
    const mayCommit = partition.settled()
    return new Promise((resolve) => {
      const onTurn = (): void => {
        mayCommit?.()
        resolve()
      }
      this.#clock.setTimer(0, onTurn, { ref: true })
    })
  }

  #set(): void {
    this.#isSet = true
    const settled = [...this.#noted].map((partition) => partition.settled())
    this.#noted.clear()
    this.#clock.setTimer(0, () => {
      this.#isSet = false
      for (const mayCommit of settled) mayCommit?.()
      if (this.#noted.size > 0) this.#set()
    })
  }
}
