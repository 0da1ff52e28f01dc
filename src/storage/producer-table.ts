// What the batch headers of a partition say of the producers that wrote them, as Kafka keeps it
// in its snapshots (ProducerStateManager, ProducerStateEntry): who may go on with which sequence,
// and which transactions are open. Pure; runs on the thread that appends or recovers.
//
//   a data batch with a producer id   its epoch, last sequence, last offset, delta, timestamp; a
//                                     transactional one opens the producer's transaction
//   a transaction's marker            its epoch (a later one forgets the sequence), timestamp and
//                                     coordinator epoch; the transaction is over
//
// Holds: it is what a walk over all headers gives, up to those expired or forgotten. A batch of
// a known producer allocates nothing.

import { looseInt64, looseMaxTimestamp } from '../log/batch-walk.ts'
import { readControlRecord } from '../record/control-record.ts'
import { NO_SEQUENCE, PRODUCER_ID } from '../record/record-batch-layout.ts'
import { baseSequence, isControlBatch, isTransactional, lastOffsetDelta, producerEpoch, recordCount } from '../record/record-batch.ts'
import { sequenceAfter } from '../record/sequence.ts'
import type { ProducerSnapshotEntry } from './producer-snapshot.ts'
import type { AbortedTransaction } from './transaction-index.ts'

type ProducerEntry = { -readonly [Field in keyof ProducerSnapshotEntry]: ProducerSnapshotEntry[Field] }

/** Producers that are remembered; beyond, who wrote least lately and has no open transaction is forgotten. */
export const PRODUCERS_MAX = 4_096

/** Whether the header names a producer as one may be, or none: nobody goes on from any other. */
function isProducerOrNone(bytes: Uint8Array, at: number): boolean {
  const producerId = looseInt64(bytes, at + PRODUCER_ID)
  if (producerId < 0) return true
  return Number.isSafeInteger(producerId) && producerEpoch(bytes, at) >= 0 && baseSequence(bytes, at) >= NO_SEQUENCE
}

export class ProducerTable {
  readonly #entries = new Map<number, ProducerEntry>()
  readonly #producersMax: number

  constructor(entries: Iterable<ProducerSnapshotEntry> = [], producersMax: number = PRODUCERS_MAX) {
    this.#producersMax = producersMax
    for (const entry of entries) {
      if (this.#entries.size >= producersMax) this.#forgetOldest()
      this.#entries.set(entry.producerId, { ...entry })
    }
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): Iterable<ProducerSnapshotEntry> {
    return this.#entries.values()
  }

  find(producerId: number): ProducerSnapshotEntry | undefined {
    return this.#entries.get(producerId)
  }

  /** The batch in bytes[at, at + sizeInBytes) is the log's next; a control batch must be whole. The transaction that it aborted. */
  append(bytes: Uint8Array, at: number, sizeInBytes: number): AbortedTransaction | undefined {
    const producerId = looseInt64(bytes, at + PRODUCER_ID)
    if (producerId < 0 || !isProducerOrNone(bytes, at)) return undefined
    if (isControlBatch(bytes, at)) return this.#endTransaction(bytes, at, sizeInBytes)
    const sequence = baseSequence(bytes, at)
    if (sequence === NO_SEQUENCE) return undefined
    const entry = this.#entries.get(producerId) ?? this.#add(producerId)
    const delta = lastOffsetDelta(bytes, at)
    const baseOffset = looseInt64(bytes, at)
    entry.producerEpoch = producerEpoch(bytes, at)
    entry.lastSequence = sequenceAfter(sequence, delta)
    entry.lastOffset = baseOffset + delta
    entry.offsetDelta = delta
    entry.timestampMs = looseMaxTimestamp(bytes, at)
    if (isTransactional(bytes, at) && entry.currentTransactionFirstOffset < 0) entry.currentTransactionFirstOffset = baseOffset
    return undefined
  }

  /** Forgets who has written nothing for so long and has no open transaction (`producer.id.expiration.ms`). */
  expire(nowMs: number, expirationMs: number): void {
    for (const [producerId, entry] of this.#entries) {
      if (entry.currentTransactionFirstOffset < 0 && nowMs - entry.timestampMs >= expirationMs) this.#entries.delete(producerId)
    }
  }

  #endTransaction(bytes: Uint8Array, at: number, sizeInBytes: number): AbortedTransaction | undefined {
    // Emptied by compaction.
    if (recordCount(bytes, at) === 0) return undefined
    const marker = readControlRecord(bytes, at, at + sizeInBytes)
    if (marker.type !== 'ABORT' && marker.type !== 'COMMIT') return undefined
    const entry = this.#entries.get(marker.producerId) ?? this.#add(marker.producerId)
    if (marker.producerEpoch !== entry.producerEpoch) {
      entry.producerEpoch = marker.producerEpoch
      entry.lastSequence = -1
      entry.lastOffset = -1
      entry.offsetDelta = 0
    }
    entry.timestampMs = looseMaxTimestamp(bytes, at)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    const firstOffset = entry.currentTransactionFirstOffset
    entry.currentTransactionFirstOffset = -1
    if (marker.type === 'COMMIT' || firstOffset < 0) return undefined
    const lastOffset = looseInt64(bytes, at) + lastOffsetDelta(bytes, at)
    return { producerId: marker.producerId, firstOffset, lastOffset, lastStableOffset: this.#firstOpenOffset() ?? lastOffset + 1 }
  }

  #firstOpenOffset(): number | undefined {
    let first = Number.POSITIVE_INFINITY
    for (const { currentTransactionFirstOffset: offset } of this.#entries.values()) if (offset >= 0 && offset < first) first = offset
    return first === Number.POSITIVE_INFINITY ? undefined : first
  }

  #add(producerId: number): ProducerEntry {
    if (this.#entries.size >= this.#producersMax) this.#forgetOldest()
    const entry: ProducerEntry = {
      producerId,
      producerEpoch: -1,
      lastSequence: -1,
      lastOffset: -1,
      offsetDelta: 0,
      timestampMs: -1,
      coordinatorEpoch: -1,
      currentTransactionFirstOffset: -1,
    }
    this.#entries.set(producerId, entry)
    return entry
  }

  #forgetOldest(): void {
    let oldest: ProducerEntry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.currentTransactionFirstOffset < 0 && (oldest === undefined || entry.lastOffset < oldest.lastOffset)) oldest = entry
    }
    if (oldest !== undefined) this.#entries.delete(oldest.producerId)
  }
}
