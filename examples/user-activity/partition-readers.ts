// Which consumer thread counts a partition, and how far it is counted, as the main thread
// knows it. Consumers of a group hand partitions on among themselves; main gives the next
// one its start when the one before has said that it is done, or is dead, so that what a
// thread has told counts once, and nothing of it is read again.

import type { ActivityShare } from './activity-view.ts'
import type { PartitionPosition } from './messages.ts'

interface Partition {
  /** The thread that has it; undefined: nobody, at the moment. */
  reader: number | undefined
  /** The thread that had it last, for the table. */
  lastReader: number
  position: number
}

export class PartitionReaders {
  readonly #partitions: Partition[]

  constructor(partitions: number) {
    this.#partitions = Array.from({ length: partitions }, () => ({ reader: undefined, lastReader: 0, position: 0 }))
  }

  isFree(partitions: readonly number[]): boolean {
    return partitions.every((partition) => this.#partitions[partition]!.reader === undefined)
  }

  /** They are this thread's, from these positions on. */
  take(reader: number, partitions: readonly number[]): PartitionPosition[] {
    return partitions.map((partition) => {
      const taken = this.#partitions[partition]!
      taken.reader = reader
      taken.lastReader = reader
      return { partition, position: taken.position }
    })
  }

  release(reader: number, partitions: Iterable<number>): void {
    for (const partition of partitions) if (this.#partitions[partition]!.reader === reader) this.#partitions[partition]!.reader = undefined
  }

  /** False: it is not this thread's to count. Throws when records are missing before it. */
  count(reader: number, { partition, firstOffset, nextOffset }: ActivityShare): boolean {
    const counted = this.#partitions[partition]!
    if (counted.reader !== reader) return false
    if (firstOffset !== counted.position) throw new Error(`records of partition ${partition} went before they were read`)
    counted.position = nextOffset
    return true
  }

  partitionsOf(reader: number): number[] {
    return [...this.#partitions.keys()].filter((partition) => this.#partitions[partition]!.reader === reader)
  }

  lastReaderOf(partition: number): number {
    return this.#partitions[partition]!.lastReader
  }

  /** Records of a partition that are counted: its offsets begin with 0, and none is left out. */
  position(partition: number): number {
    return this.#partitions[partition]!.position
  }
}
