// What the cold reads of one topic's partitions share: how many may have a file open and
// memory for a chunk at once. Runs on the consumer's thread.
// Holds: nobody is passed over. Who found no place is called when there is one, and who
// has one gives it up with each chunk that he hands out while others wait for it.

import type { Clock } from '../../clock.ts'
import type { PartitionFiles } from '../../storage/segment-files.ts'

export interface ColdReadsOptions extends PartitionFiles {
  readonly clock: Clock
  /** Bytes that are read at a time; a larger batch is still read whole. */
  readonly chunkBytes: number
  /** Something that was waited for has come: a chunk, a place. */
  readonly onRead: () => void
  /** Partitions at once; 16 unless given. */
  readonly placesMax?: number
}

const PLACES_MAX = 16

export class ColdReads {
  readonly options: ColdReadsOptions
  readonly #placesMax: number
  #taken = 0
  #isWanted = false

  constructor(options: ColdReadsOptions) {
    this.options = options
    this.#placesMax = options.placesMax ?? PLACES_MAX
  }

  /** Whether somebody found no place since one was last given back. */
  get isWanted(): boolean {
    return this.#isWanted
  }

  tryEnter(): boolean {
    if (this.#taken === this.#placesMax) {
      this.#isWanted = true
      return false
    }
    this.#taken++
    return true
  }

  leave(): void {
    this.#taken--
    if (!this.#isWanted) return
    this.#isWanted = false
    this.options.onRead()
  }
}
