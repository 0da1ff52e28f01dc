// The answer to a batch, through the ack ring of the lane that it came by (Kafka: the
// Produce response). Runs on the partition's broker thread.
// Holds: a lane that cannot take an answer, because its producer scribbled on it, costs
// that producer the lane and nobody else anything.

import { MillraceError } from '../errors.ts'
import type { LaneReader } from '../lane/lane-reader.ts'

/** What a leader needs to know of a batch beside its bytes: of its frame, or kept since. */
export interface BatchFields {
  readonly batchId: number
  readonly acks: number
  readonly flags: number
}

/** `errorCode` 0: the batch is in the log at `baseOffset`. Nobody is answered who asked with acks 0. */
export function answerBatch(lane: LaneReader, batchId: number, errorCode: number, baseOffset: number, timestampMs: number): void {
  try {
    lane.ack(batchId, errorCode, baseOffset, timestampMs)
  } catch (error) {
    // The lane knows that it is damaged, and its broker drops it.
    if (!(error instanceof MillraceError) || error.code !== 'CORRUPT_MESSAGE') throw error
  }
}

/** The batch was not written. */
export function refuseBatch(lane: LaneReader, batchId: number, acks: number, errorCode: number): void {
  if (acks !== 0) answerBatch(lane, batchId, errorCode, -1, -1)
}
