// Where leaders go: always to the living broker that leads fewest partitions, the
// lowest id first, so that leaders spread evenly. Pure.

export class LeaderPlacement {
  readonly #leaders = new Map<number, number>()

  /** `living`: broker ids; `leaders`: the broker of every partition that keeps its leader. */
  constructor(living: Iterable<number>, leaders: Iterable<number>) {
    for (const brokerId of [...living].sort((a, b) => a - b)) this.#leaders.set(brokerId, 0)
    for (const leader of leaders) {
      const count = this.#leaders.get(leader)
      if (count !== undefined) this.#leaders.set(leader, count + 1)
    }
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
