// Stream time where records of several partitions are aggregated together in one thread: that of
// the slowest partition that is not read up to its end; when all are, the highest. Pure.
// Holds: it never goes back.

import type { SourcePartition } from '../source-partition.ts'

export class LocalWatermark {
  readonly #times = new Map<SourcePartition, number>()
  /** All that are read; undefined: not known yet. */
  readonly #partitions: () => readonly SourcePartition[] | undefined
  #highestMs = -1
  #timeMs = -1

  constructor(partitions: () => readonly SourcePartition[] | undefined) {
    this.#partitions = partitions
  }

  /** A record of this time has come. */
  take(partition: SourcePartition, timeMs: number): number {
    if (timeMs > (this.#times.get(partition) ?? -1)) this.#times.set(partition, timeMs)
    if (timeMs > this.#highestMs) this.#highestMs = timeMs
    return this.look()
  }

  /** Stream time now: -1 before there is any. */
  look(): number {
    if (this.#highestMs <= this.#timeMs) return this.#timeMs
    const partitions = this.#partitions()
    if (partitions === undefined) return this.#timeMs
    let lowestMs = this.#highestMs
    for (const partition of partitions) {
      const timeMs = this.#times.get(partition) ?? -1
      if (timeMs < lowestMs && !partition.isCaughtUp) lowestMs = timeMs
    }
    if (lowestMs > this.#timeMs) this.#timeMs = lowestMs
    return this.#timeMs
  }
}
