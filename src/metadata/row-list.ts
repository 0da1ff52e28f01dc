// The rows of the partition table as the active controller gives them out: those that topics
// have left, and those that nobody ever had. Pure.
// Holds: it is kept up with what changes, so that a topic costs its own partitions and not
// those of all others.
//
//   FIRST_TOPIC_SLOT              high                partitionsMax
//   | taken, or left by a topic   | never used …      |

import { FIRST_TOPIC_SLOT } from './metadata-records.ts'
import type { TopicImage } from './metadata-image.ts'

export class RowList {
  /** Rows below `#high` that no topic has. */
  readonly #left = new Set<number>()
  #high: number

  /** `high`: one past the highest row that was ever used. */
  constructor(topics: Iterable<TopicImage>, high: number) {
    this.#high = Math.max(FIRST_TOPIC_SLOT, high)
    for (let slot = FIRST_TOPIC_SLOT; slot < this.#high; slot++) this.#left.add(slot)
    for (const { partitions } of topics) for (const { slot } of partitions) this.take(slot)
  }

  /** Rows that topics have left; whether they can be given again is not said here. */
  get left(): ReadonlySet<number> {
    return this.#left
  }

  /** A partition has the row. */
  take(slot: number): void {
    this.#left.delete(slot)
    for (; this.#high <= slot; this.#high++) if (this.#high < slot) this.#left.add(this.#high)
  }

  /** Its topic is deleted. */
  leave(slot: number): void {
    if (slot >= FIRST_TOPIC_SLOT) this.#left.add(slot)
  }

  /** Rows that no topic has, below `end`: those that were left first, so that tables stay short. */
  *untaken(end: number): Generator<number> {
    yield* this.#left
    for (let slot = this.#high; slot < end; slot++) yield slot
  }
}
