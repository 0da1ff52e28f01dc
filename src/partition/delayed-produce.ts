// Acks that wait for the high watermark (Kafka: DelayedProduce), oldest first.
// Pure; runs on the partition's broker thread.
// Holds: entries are in order of offset, so release stops at the first that must wait; a
// duplicate stands behind later ones, and waits a little longer than it must.
// The arrays are reused and grow only to the largest number ever waiting.

import type { LaneReader } from '../lane/lane-reader.ts'
import { answerBatch } from './batch-answer.ts'

const START_CAPACITY = 64

export class DelayedProduce {
  #lanes: (LaneReader | undefined)[] = new Array<LaneReader | undefined>(START_CAPACITY).fill(undefined)
  #batchIds = new Int32Array(START_CAPACITY)
  #baseOffsets = new Float64Array(START_CAPACITY)
  #endOffsets = new Float64Array(START_CAPACITY)
  #timestamps = new Float64Array(START_CAPACITY)
  #head = 0
  #count = 0

  get size(): number {
    return this.#count
  }

  /** Remembers an appended batch; `endOffset` is one past its last record. */
  add(lane: LaneReader, batchId: number, baseOffset: number, endOffset: number, timestampMs: number): void {
    if (this.#count === this.#lanes.length) this.#grow()
    const at = (this.#head + this.#count) & (this.#lanes.length - 1)
    this.#lanes[at] = lane
    this.#batchIds[at] = batchId
    this.#baseOffsets[at] = baseOffset
    this.#endOffsets[at] = endOffset
    this.#timestamps[at] = timestampMs
    this.#count++
  }

  /** Acknowledges every batch that lies wholly below `highWatermark`. */
  release(highWatermark: number): void {
    const mask = this.#lanes.length - 1
    while (this.#count > 0) {
      const at = this.#head
      if (this.#endOffsets[at]! > highWatermark) return
      const lane = this.#lanes[at]!
      this.#lanes[at] = undefined
      this.#head = (at + 1) & mask
      this.#count--
      answerBatch(lane, this.#batchIds[at]!, 0, this.#baseOffsets[at]!, this.#timestamps[at]!)
    }
  }

  /** Answers all that wait with an error: the partition is led elsewhere, or closes. */
  failAll(errorCode: number): void {
    while (this.#count > 0) {
      const at = this.#head
      const lane = this.#lanes[at]!
      this.#lanes[at] = undefined
      this.#head = (at + 1) & (this.#lanes.length - 1)
      this.#count--
      answerBatch(lane, this.#batchIds[at]!, errorCode, -1, -1)
    }
  }

  #grow(): void {
    const old = this.#lanes.length
    const order = (i: number): number => (this.#head + i) & (old - 1)
    const lanes = new Array<LaneReader | undefined>(old * 2).fill(undefined)
    const batchIds = new Int32Array(old * 2)
    const baseOffsets = new Float64Array(old * 2)
    const endOffsets = new Float64Array(old * 2)
    const timestamps = new Float64Array(old * 2)
    for (let i = 0; i < this.#count; i++) {
      const from = order(i)
      lanes[i] = this.#lanes[from]
      batchIds[i] = this.#batchIds[from]!
      baseOffsets[i] = this.#baseOffsets[from]!
      endOffsets[i] = this.#endOffsets[from]!
      timestamps[i] = this.#timestamps[from]!
    }
    this.#lanes = lanes
    this.#batchIds = batchIds
    this.#baseOffsets = baseOffsets
    this.#endOffsets = endOffsets
    this.#timestamps = timestamps
    this.#head = 0
  }
}
