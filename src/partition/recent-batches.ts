// The latest batches of one producer in one partition, so that one that is sent again is
// answered with the offset that it has (Kafka: the batch metadata of ProducerStateEntry,
// five of them). Pure; runs on the partition's broker thread.
//
//   a ring of (last sequence, base offset, append time), oldest first; it starts small and
//   doubles only when its producer has more batches in flight than it has places
//
// Holds: a batch whose ack its producer may not have read is never forgotten, for a lane has
// at most RECENT_BATCHES_MAX ack slots. Once the ring is as large as its producer's lane is
// busy, nothing is allocated.

import { sequenceDistance } from '../record/sequence.ts'

const START_CAPACITY = 8
/** As many as a lane has ack slots: no producer has more batches of a partition in flight. */
export const RECENT_BATCHES_MAX = 1_024

export class RecentBatches {
  #lastSequences = new Int32Array(START_CAPACITY)
  #baseOffsets = new Float64Array(START_CAPACITY)
  #timestamps = new Float64Array(START_CAPACITY)
  /** Batches that were ever added; the newest stands at the place of this less 1. */
  #added = 0
  #size = 0
  /** So many of the oldest may go: their acks were read when this was counted. */
  #spare = 0

  get size(): number {
    return this.#size
  }

  get capacity(): number {
    return this.#lastSequences.length
  }

  /** Whether there is room for one more only after `makeRoom`. */
  get isFull(): boolean {
    return this.#spare === 0 && this.#size === this.#lastSequences.length
  }

  /** Makes room for one more, while at least the newest `inFlight` stay, up to what a lane may have in flight. */
  makeRoom(inFlight: number): void {
    const capacity = this.#lastSequences.length
    if (inFlight < capacity) this.#spare = capacity - inFlight
    else if (capacity < RECENT_BATCHES_MAX) this.#grow()
    else this.#spare = 1
  }

  /** `timestampMs`: what was answered beside the offset. */
  add(lastSequence: number, baseOffset: number, timestampMs: number): void {
    const at = this.#added & (this.#lastSequences.length - 1)
    this.#lastSequences[at] = lastSequence
    this.#baseOffsets[at] = baseOffset
    this.#timestamps[at] = timestampMs
    this.#added = (this.#added + 1) | 0
    if (this.#size < this.#lastSequences.length) this.#size++
    else this.#spare--
  }

  /** The place of the batch that ends with this sequence number; -1 when it is not remembered. */
  find(lastSequence: number): number {
    const mask = this.#lastSequences.length - 1
    for (let i = 1; i <= this.#size; i++) {
      const at = (this.#added - i) & mask
      if (this.#lastSequences[at] === lastSequence) return at
    }
    return -1
  }

  /** Whether a batch that ends with this sequence number was added, if it was, before all that are remembered. */
  isBefore(lastSequence: number): boolean {
    const oldest = (this.#added - this.#size) & (this.#lastSequences.length - 1)
    return this.#size > 0 && sequenceDistance(lastSequence, this.#lastSequences[oldest]!) < 0
  }

  baseOffsetAt(place: number): number {
    return this.#baseOffsets[place]!
  }

  timestampAt(place: number): number {
    return this.#timestamps[place]!
  }

  clear(): void {
    this.#size = 0
    this.#spare = 0
  }

  #grow(): void {
    const mask = this.#lastSequences.length - 1
    const lastSequences = new Int32Array((mask + 1) * 2)
    const baseOffsets = new Float64Array((mask + 1) * 2)
    const timestamps = new Float64Array((mask + 1) * 2)
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#added - this.#size + i) & mask
      lastSequences[i] = this.#lastSequences[at]!
      baseOffsets[i] = this.#baseOffsets[at]!
      timestamps[i] = this.#timestamps[at]!
    }
    this.#lastSequences = lastSequences
    this.#baseOffsets = baseOffsets
    this.#timestamps = timestamps
    this.#added = this.#size
    this.#spare = 0
  }
}
