// Whether what is held is still this member's, and the signals that say when it is not.
// Runs on the subscriber's thread.
// Holds: records of several partitions held together are this member's as long as one of them is;
// a signal costs its partition nothing once its work is done.

import { Origin } from '../hold.ts'
import type { Hold } from '../hold.ts'
import type { SourcePartition } from '../source-partition.ts'

/** Whether all that is held went to another, or its source has ended: it comes again there. */
export function isGone({ origins }: Hold): boolean {
  if (origins instanceof Origin) return origins.partition.isGone
  return origins.length > 0 && origins.every(({ partition }) => partition.isGone)
}

/** Each once. */
export function partitionsOf({ origins }: Hold): SourcePartition[] {
  return origins instanceof Origin ? [origins.partition] : [...new Set(origins.map(({ partition }) => partition))]
}

/** Work that is left when what it is about has gone. */
export interface LeftWork {
  readonly hold: Hold
  leave(): void
}

/** Work under way, each to be left when its `isGone` comes to be true. */
export class HeldWorks {
  readonly #works = new Set<LeftWork>()
  /** One listener each: partitions live long, and forget none. */
  readonly #watched = new Set<SourcePartition>()
  #isOver = false

  /** All was left; what comes now is left at once. */
  get isOver(): boolean {
    return this.#isOver
  }

  add(work: LeftWork): void {
    this.#works.add(work)
    for (const partition of partitionsOf(work.hold)) this.#watch(partition)
  }

  delete(work: LeftWork): void {
    this.#works.delete(work)
  }

  leaveAll(): void {
    this.#isOver = true
    for (const work of [...this.#works]) work.leave()
  }

  #watch(partition: SourcePartition): void {
    if (this.#watched.has(partition)) return
    this.#watched.add(partition)
    partition.onGone(() => {
      this.#watched.delete(partition)
      for (const work of [...this.#works]) if (isGone(work.hold)) work.leave()
    })
  }
}
