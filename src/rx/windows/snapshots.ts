// What something was at positions of a log, thinned out with age: the one at a position, or the
// last before it. Pure.
// Holds: at most `max` are kept, and two more for each of those that must be; those of the newer half are
// all there; one costs the same however many there are, taken together.

interface Snapshot<T> {
  /** Holds for positions from here on. */
  readonly position: number
  value: T
  isKept: boolean
}

export class Snapshots<T> {
  readonly #max: number
  #snapshots: Snapshot<T>[]
  /** Thinned out above it: behind those that must be kept there is room for `max` more, lest each one goes over all. */
  #limit: number

  constructor(max: number, first: T) {
    this.#max = max
    this.#limit = max
    this.#snapshots = [{ position: -1, value: first, isKept: false }]
  }

  get size(): number {
    return this.#snapshots.length
  }

  /** From `position` on, which is not before the last one, it is this. */
  set(position: number, value: T): void {
    const last = this.#snapshots.at(-1)!
    if (position <= last.position) {
      last.value = value
      return
    }
    this.#snapshots.push({ position, value, isKept: false })
    if (this.#snapshots.length > this.#limit) this.#thin()
  }

  /** What it is at this position, near the end, stays until `forgetBefore` passes it. */
  keepAt(position: number): void {
    const snapshots = this.#snapshots
    let at = snapshots.length - 1
    while (at > 0 && snapshots[at]!.position > position) at--
    snapshots[at]!.isKept = true
  }

  at(position: number): T {
    return this.#snapshots[this.#indexAt(position)]!.value
  }

  /** No position below will be asked for. */
  forgetBefore(position: number): void {
    const at = this.#indexAt(position)
    // Not each time: what is taken off the front moves the rest.
    if (at > 64 && at > this.#snapshots.length >> 1) this.#snapshots.splice(0, at)
  }

  #indexAt(position: number): number {
    const snapshots = this.#snapshots
    let low = 0
    let high = snapshots.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (snapshots[middle]!.position <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  #thin(): void {
    const older = this.#snapshots.length >> 1
    this.#snapshots = this.#snapshots.filter((one, at) => at === 0 || at >= older || one.isKept || at % 2 === 0)
    let kept = 0
    for (const { isKept } of this.#snapshots) if (isKept) kept++
    this.#limit = this.#max + 2 * kept
  }
}
