// The sequence numbers of one partition's batches in one producer (Kafka: TxnPartitionEntry,
// KIP-98, KIP-360). Private to the producer's thread.
//
// A batch gets its number when it first leaves, and keeps it however often it is sent. One
// that is given up after that leaves a gap: the leader takes none that follow it. Once
// nothing is in flight, and none that follow may be in the log, they get new numbers, from 0
// under the next epoch.
//
// Holds: two batches never leave under one number and epoch.

import { NO_PRODUCER_ID } from '../../record/record-batch-layout.ts'
import { sequenceAfter } from '../../record/sequence.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** The last there is: after it comes another producer id. */
export const PRODUCER_EPOCH_MAX = 0x7fff

export class PartitionSequence {
  /** -1: none yet. */
  producerId = NO_PRODUCER_ID
  epoch = 0
  /** Of the first record of the next batch. */
  next = 0
  /** Place of the last batch that has a number, will not be sent again, and is not known to be in the log; -1: there is none. */
  #gapPlace = -1
  /** Its epochs are used up: the producer's id is no longer its own. */
  needsOwnId = false

  /** A batch that has a number will not be sent again, and is not known to be in the log. */
  get hasGap(): boolean {
    return this.#gapPlace >= 0
  }

  /** This batch will not be sent again. */
  leaveGap({ place }: ProducerBatch): void {
    this.#gapPlace = Math.max(this.#gapPlace, place)
  }

  /** This batch is in the log: so there is no gap before it. */
  written({ place }: ProducerBatch): void {
    if (place > this.#gapPlace) this.#gapPlace = -1
  }

  /** Writes its number into a batch that is about to leave. */
  stamp(batch: ProducerBatch): void {
    if (!batch.hasSequence) batch.stamp(this.producerId, this.epoch, this.next)
  }

  /** The batch has left, under the number that was stamped. */
  left(batch: ProducerBatch): void {
    if (batch.hasSequence) return
    batch.hasSequence = true
    this.next = sequenceAfter(this.next, batch.builder.recordCount)
  }

  /** Begins anew after a gap; `queued`: the batches that follow it, none of them in flight or in the log. */
  bump(queued: readonly ProducerBatch[]): void {
    this.#gapPlace = -1
    this.next = 0
    if (this.epoch === PRODUCER_EPOCH_MAX) {
      this.producerId = NO_PRODUCER_ID
      this.epoch = 0
      this.needsOwnId = true
    } else {
      this.epoch++
    }
    for (const batch of queued) batch.forgetSequence()
  }
}
