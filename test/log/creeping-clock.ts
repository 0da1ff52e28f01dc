// Virtual time that creeps on as it is looked at, so that work which is given a
// millisecond pauses after some looks, as it does in real time.

import { VirtualClock } from '../../src/clock.ts'

export class CreepingClock extends VirtualClock {
  /** By how much each look at the monotonic clock moves it on. */
  creepMs = 0

  override monotonicMs(): number {
    if (this.creepMs > 0) this.advance(this.creepMs)
    return super.monotonicMs()
  }
}
