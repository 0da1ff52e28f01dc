// Which batches a compaction may discard because of how their transaction ended (Kafka:
// CleanedTransactionMetadata). Private to one walk over batches in the order of their offsets.
//
//   a batch of an aborted transaction   nothing of it stays
//   an abort or commit marker           stays while the walk found any batch of its transaction
//                                       before it; of one whose batches are gone it may go, as a
//                                       tombstone does
//
// Holds: an aborted transaction of which anything was found stays in the new transaction index.

import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { looseInt64, looseLastOffset } from '../log/batch-walk.ts'
import { readControlRecord } from '../record/control-record.ts'
import { PRODUCER_ID } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, isControlBatch, isTransactional, recordCount } from '../record/record-batch.ts'
import { logFileName, parseLogFileName } from './log-file-names.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, readTransactionIndex } from './transaction-index.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** Many times what a full segment of abort markers has. */
const INDEX_BYTES_MAX = 2 ** 30

/** The aborted transactions of all segments from `baseOffset` on, the one that is appended to as well. */
export function readAbortedTransactions(disk: Disk, directory: string, baseOffset: number): AbortedTransaction[] {
  const all: AbortedTransaction[] = []
  for (const name of disk.list(directory)) {
    const parsed = parseLogFileName(directory, name)
    if (parsed?.kind !== 'txnindex' || parsed.state !== undefined || parsed.baseOffset < baseOffset) continue
    const path = `${directory}/${logFileName(parsed.baseOffset, 'txnindex')}`
    const bytes = readWhole(disk, path, INDEX_BYTES_MAX)
    // The last entry may just be written: then it is of a transaction that was open when this began.
    const whole = bytes.subarray(0, bytes.length - (bytes.length % TRANSACTION_INDEX_ENTRY_BYTES))
    all.push(...readTransactionIndex(path, whole, parsed.baseOffset, Number.POSITIVE_INFINITY))
  }
  return all
}

export class CleanedTransactions {
  /** By producer, in the order of their offsets: those of one producer do not overlap. */
  readonly #aborted = new Map<number, AbortedTransaction[]>()
  readonly #foundAborted = new Set<AbortedTransaction>()
  /** Producers of whose committed, or still open, transaction a batch was found. */
  readonly #foundOthers = new Set<number>()
  #kept: AbortedTransaction[] = []

  constructor(aborted: Iterable<AbortedTransaction>) {
    for (const transaction of aborted) {
      const ofProducer = this.#aborted.get(transaction.producerId)
      if (ofProducer === undefined) this.#aborted.set(transaction.producerId, [transaction])
      else ofProducer.push(transaction)
    }
    for (const ofProducer of this.#aborted.values()) ofProducer.sort((a, b) => a.lastOffset - b.lastOffset)
  }

  /** The next batch, in bytes[at, …): whether nothing of it need stay, or of a marker, whether it may go in time. */
  isDiscardable(bytes: Uint8Array, at: number): boolean {
    if (isControlBatch(bytes, at)) return this.#mayMarkerGo(bytes, at)
    if (!isTransactional(bytes, at)) return false
    const producerId = looseInt64(bytes, at + PRODUCER_ID)
    const aborted = this.#abortedAt(producerId, looseInt64(bytes, at))
    if (aborted === undefined) this.#foundOthers.add(producerId)
    else this.#foundAborted.add(aborted)
    return aborted !== undefined
  }

  /** The aborted transactions whose markers were met since the last call, and must be known. */
  takeKept(): AbortedTransaction[] {
    const kept = this.#kept
    this.#kept = []
    return kept
  }

  #mayMarkerGo(bytes: Uint8Array, at: number): boolean {
    // Emptied by another cleaner.
    if (recordCount(bytes, at) === 0) return true
    const { type } = readControlRecord(bytes, at, at + batchSizeInBytes(bytes, at))
    const producerId = looseInt64(bytes, at + PRODUCER_ID)
    if (type === 'COMMIT') return !this.#foundOthers.delete(producerId)
    if (type !== 'ABORT') return false
    const aborted = this.#abortedAt(producerId, looseLastOffset(bytes, at))
    if (aborted === undefined || !this.#foundAborted.has(aborted)) return true
    this.#kept.push(aborted)
    return false
  }

  /** The producer's aborted transaction that holds the offset; its last is its marker's. */
  #abortedAt(producerId: number, offset: number): AbortedTransaction | undefined {
    const ofProducer = this.#aborted.get(producerId)
    if (ofProducer === undefined) return undefined
    let low = 0
    let high = ofProducer.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ofProducer[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    const found = ofProducer[low]
    return found !== undefined && found.firstOffset <= offset ? found : undefined
  }
}
