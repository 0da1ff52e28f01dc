// When a broker that died is started again: a while later, as long as another lives. That one takes over
// at once, and to load a broker's code would take a core from it. When none lives, the restart is the failover.
// Runs on the opener's thread; the cluster wires it.
// Holds: each broker that was added is started once, unless `cancel` comes first.

import type { Clock, Timer } from '../clock.ts'

/** A take-over is done by then, if the machine has time for it at all. */
export const RESTART_DELAY_MS = 50

export interface BrokerRestartsOptions {
  readonly clock: Clock
  /** Whether a broker's thread lives, as far as is known. */
  readonly isAnyAlive: () => boolean
  readonly restart: (brokerId: number) => void
}

export class BrokerRestarts {
  readonly #options: BrokerRestartsOptions
  /** By broker id, in the order of their deaths. */
  readonly #due = new Map<number, Timer>()

  constructor(options: BrokerRestartsOptions) {
    this.#options = options
  }

  add(brokerId: number): void {
    const { clock, restart } = this.#options
    const timer = clock.setTimer(RESTART_DELAY_MS, () => {
      this.#due.delete(brokerId)
      restart(brokerId)
    })
    this.#due.set(brokerId, timer)
  }

  /** A broker has died, whether it is to be started again or not: the last one leaves nobody to wait for. */
  look(): void {
    if (this.#options.isAnyAlive()) return
    const due = [...this.#due.keys()]
    this.cancel()
    for (const brokerId of due) this.#options.restart(brokerId)
  }

  /** Nobody is started any more. */
  cancel(): void {
    for (const timer of this.#due.values()) timer.cancel()
    this.#due.clear()
  }
}
