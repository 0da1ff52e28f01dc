// The transaction index of a segment, `<base offset>.txnindex`: the transactions that
// were aborted, each in the segment that holds its abort marker. Without one there is no
// file.
// Pure; any thread.
//
//   entries of 34 bytes end to end, big-endian
//   +0   int16  version           0
//   +2   int64  producerId
//   +10  int64  firstOffset       of the transaction's first record
//   +18  int64  lastOffset        of its abort marker
//   +26  int64  lastStableOffset  of the partition once the marker is written: no transaction that was open then began below
//
// Holds: last offsets rise. First offsets need not: a transaction may be open while many
// others come and go.

import { assert } from '../assert.ts'
import { readInt16, writeInt16, writeInt64 } from '../record/record-batch.ts'
import { damagedFile, newerFileFormat } from './file-errors.ts'
import { readSafeInt64 } from './safe-int64.ts'

export const TRANSACTION_INDEX_ENTRY_BYTES = 34

const VERSION = 0
const PRODUCER_ID = 2
const FIRST_OFFSET = 10
const LAST_OFFSET = 18
const LAST_STABLE_OFFSET = 26
const REMEDY = 'Delete it while the log is closed: it is made again from the .log beside it.'

/** A transaction that was aborted (Kafka: AbortedTxn). */
export interface AbortedTransaction {
  readonly producerId: number
  /** Of its first record. */
  readonly firstOffset: number
  /** Of its abort marker. */
  readonly lastOffset: number
  /** The partition's last stable offset once the marker is written. */
  readonly lastStableOffset: number
}

/** Writes an entry into into[at, at + 34). */
export function writeAbortedTransaction(into: Uint8Array, at: number, transaction: AbortedTransaction): void {
  const { producerId, firstOffset, lastOffset, lastStableOffset } = transaction
  assert(firstOffset >= 0 && firstOffset <= lastOffset, 'an aborted transaction ends before it begins')
  assert(at + TRANSACTION_INDEX_ENTRY_BYTES <= into.length, 'a transaction index has no room for an entry')
  writeInt16(into, at, VERSION)
  writeInt64(into, at + PRODUCER_ID, producerId)
  writeInt64(into, at + FIRST_OFFSET, firstOffset)
  writeInt64(into, at + LAST_OFFSET, lastOffset)
  writeInt64(into, at + LAST_STABLE_OFFSET, lastStableOffset)
}

/**
 * All entries, in order. Throws UNSUPPORTED_VERSION for an entry of a newer format, and
 * KAFKA_STORAGE_ERROR for anything else that is none, or lies outside [baseOffset, endOffset),
 * the offsets of the segment; the first offset may lie before them.
 */
export function readTransactionIndex(path: string, bytes: Uint8Array, baseOffset: number, endOffset: number): AbortedTransaction[] {
  const rest = bytes.length % TRANSACTION_INDEX_ENTRY_BYTES
  if (rest !== 0) throw damagedFile(path, `${rest} bytes behind the last whole entry, at byte ${bytes.length - rest}`, REMEDY)
  const transactions: AbortedTransaction[] = []
  let last = baseOffset - 1
  for (let at = 0; at < bytes.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
    const version = readInt16(bytes, at)
    if (version > VERSION) throw newerFileFormat(path, version, VERSION)
    const producerId = readSafeInt64(bytes, at + PRODUCER_ID)
    const firstOffset = readSafeInt64(bytes, at + FIRST_OFFSET)
    const lastOffset = readSafeInt64(bytes, at + LAST_OFFSET)
    const lastStableOffset = readSafeInt64(bytes, at + LAST_STABLE_OFFSET)
    // Written so that NaN is refused too.
    const isEntry = version === VERSION && producerId >= 0 && firstOffset >= 0 && firstOffset <= lastOffset && lastStableOffset >= 0
    if (!isEntry) throw damagedFile(path, `no aborted transaction at byte ${at}`, REMEDY)
    if (lastOffset <= last || lastOffset >= endOffset) {
      throw damagedFile(path, `last offset ${lastOffset} at byte ${at}, which is not between ${last} and ${endOffset}`, REMEDY)
    }
    last = lastOffset
    transactions.push({ producerId, firstOffset, lastOffset, lastStableOffset })
  }
  return transactions
}

/**
 * Adds to `into` those of a segment's transactions that overlap [fromOffset, toOffset).
 * Gives true when no later segment can hold another one, so that the search may end.
 */
export function collectAbortedTransactions(
  transactions: readonly AbortedTransaction[],
  fromOffset: number,
  toOffset: number,
  into: AbortedTransaction[],
): boolean {
  for (const transaction of transactions) {
    if (transaction.lastOffset >= fromOffset && transaction.firstOffset < toOffset) into.push(transaction)
    // Those that come later were open then, or not begun: they begin at or above it.
    if (transaction.lastStableOffset >= toOffset) return true
  }
  return false
}

/** Bytes that stay of an index when its log is cut to end before `offset`: entries whose marker stays. */
export function truncatedTransactionIndexBytes(transactions: readonly AbortedTransaction[], offset: number): number {
  const cut = transactions.findIndex(({ lastOffset }) => lastOffset >= offset)
  return (cut < 0 ? transactions.length : cut) * TRANSACTION_INDEX_ENTRY_BYTES
}
