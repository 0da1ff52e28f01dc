// Batches that were taken off a lane but cannot be appended yet, in order, bounded
// in bytes. They are copies: the lane's memory goes back to the producer at once,
// so a partition that must wait never blocks another partition's batches.
// Pure; runs on the partition's broker thread.

import type { BatchFields } from './batch-answer.ts'
import type { LaneReader } from '../lane/lane-reader.ts'

export interface ParkedBatch extends BatchFields {
  readonly lane: LaneReader
  readonly deadlineMs: number
  readonly bytes: Uint8Array
}

/** What one partition may park: enough for a trim of log memory to finish (a few ms), no more. */
export const PARKED_BYTES_MAX = 8 * 1024 * 1024

export class ParkedBatches {
  readonly #queue: ParkedBatch[] = []
  #bytes = 0

  get size(): number {
    return this.#queue.length
  }

  get sizeInBytes(): number {
    return this.#bytes
  }

  /** False when the bound is reached: the batch was not taken. */
  park(lane: LaneReader, fields: BatchFields & { deadlineMs: number }, source: Uint8Array, start: number, end: number): boolean {
    if (this.#bytes + (end - start) > PARKED_BYTES_MAX) return false
    // A typed array made from another one copies it into private memory.
    const { batchId, acks, flags, deadlineMs } = fields
    this.#queue.push({ lane, batchId, acks, flags, deadlineMs, bytes: new Uint8Array(source.subarray(start, end)) })
    this.#bytes += end - start
    return true
  }

  oldest(): ParkedBatch | undefined {
    return this.#queue[0]
  }

  shift(): void {
    const batch = this.#queue.shift()
    if (batch !== undefined) this.#bytes -= batch.bytes.length
  }
}
