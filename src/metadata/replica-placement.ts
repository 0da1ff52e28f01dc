// Where leaders go: always to the living broker that leads fewest partitions, the
// lowest id first, so that leaders spread evenly. Pure.

export class LeaderPlacement {
  readonly #leaders = new Map<number, number>()

  /** `living`: broker ids; `leads`: how many partitions each leads and keeps. */
  constructor(living: Iterable<number>, leads: (brokerId: number) => number) {
    for (const brokerId of [...living].sort((a, b) => a - b)) this.#leaders.set(brokerId, leads(brokerId))
  }

  /** The broker for one more leader; -1 when no broker lives. */
  next(): number {
    let best = -1
    let fewest = Number.POSITIVE_INFINITY
    for (const [brokerId, count] of this.#leaders) {
      if (count < fewest) {
        best = brokerId
        fewest = count
      }
    }
    if (best >= 0) this.#leaders.set(best, fewest + 1)
    return best
  }
}
