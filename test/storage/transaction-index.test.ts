import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  TRANSACTION_INDEX_ENTRY_BYTES,
  collectAbortedTransactions,
  readTransactionIndex,
  truncatedTransactionIndexBytes,
  writeAbortedTransaction,
} from '../../src/storage/transaction-index.ts'
import { PATH, damaged, damages, readOrRefused, refusalOf } from './damage.ts'
import type { AbortedTransaction } from '../../src/storage/transaction-index.ts'

const SEED = 5
const END = 2 ** 50

function indexOf(transactions: readonly AbortedTransaction[]): Uint8Array {
  const bytes = new Uint8Array(TRANSACTION_INDEX_ENTRY_BYTES * transactions.length)
  for (const [i, transaction] of transactions.entries()) writeAbortedTransaction(bytes, TRANSACTION_INDEX_ENTRY_BYTES * i, transaction)
  return bytes
}

/** A partition where producers begin transactions at some offsets, and abort or commit them at others. */
const someTransactions: fc.Arbitrary<AbortedTransaction[]> = fc
  .array(fc.record({ producer: fc.nat(5), commits: fc.boolean(), step: fc.integer({ min: 1, max: 20 }) }), { maxLength: 80, size: 'max' })
  .map((steps) => {
    const open = new Map<number, number>()
    const aborted: AbortedTransaction[] = []
    let offset = 0
    for (const { producer, commits, step } of steps) {
      offset += step
      const firstOffset = open.get(producer)
      if (firstOffset === undefined) {
        open.set(producer, offset)
        continue
      }
      open.delete(producer)
      const lastStableOffset = Math.min(offset + 1, ...open.values())
      if (!commits) aborted.push({ producerId: producer, firstOffset, lastOffset: offset, lastStableOffset })
    }
    return aborted
  })

test('an entry is these bytes', () => {
  const bytes = indexOf([{ producerId: 5, firstOffset: 0x12, lastOffset: 0x17, lastStableOffset: 0x18 }])
  expect(Buffer.from(bytes).toString('hex')).toBe(
    `0000${'0000000000000005'}${'0000000000000012'}${'0000000000000017'}${'0000000000000018'}`,
  )
})

test('what was written is read', () => {
  fc.assert(
    fc.property(someTransactions, (transactions) => {
      expect(readTransactionIndex(PATH, indexOf(transactions), 0, END)).toEqual(transactions)
    }),
    { seed: SEED, numRuns: 200 },
  )
})

test('those that overlap a range are found, and a search that may end misses none', () => {
  let ended = 0
  fc.assert(
    fc.property(someTransactions, fc.nat(400), fc.nat(200), fc.nat(80), (transactions, from, length, cut) => {
      const to = from + length
      const segments = [transactions.slice(0, cut), transactions.slice(cut)]
      const found: AbortedTransaction[] = []
      for (const segment of segments) {
        const isEnd = collectAbortedTransactions(segment, from, to, found)
        if (isEnd) ended++
        if (isEnd) break
      }
      expect(found).toEqual(transactions.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < to))
    }),
    { seed: SEED, numRuns: 500 },
  )
  expect(ended).toBeGreaterThan(50)
})

test('a log that is cut keeps the transactions whose markers stay', () => {
  const transactions = [4, 9, 12].map((lastOffset) => ({ producerId: 1, firstOffset: 0, lastOffset, lastStableOffset: 0 }))
  expect([4, 5, 9, 10, 13].map((offset) => truncatedTransactionIndexBytes(transactions, offset))).toEqual([0, 34, 34, 68, 102])
})

const ONE = { producerId: 5, firstOffset: 3, lastOffset: 7, lastStableOffset: 8 }
const changed = (bytes: Uint8Array, at: number, byte: number): Uint8Array => bytes.with(at, byte)

test.each([
  ['a rest', new Uint8Array(40), 'KAFKA_STORAGE_ERROR', 'byte 34'],
  ['a newer version', changed(indexOf([ONE]), 1, 2), 'UNSUPPORTED_VERSION', 'version 2'],
  ['a negative version', changed(indexOf([ONE]), 0, 0x80), 'KAFKA_STORAGE_ERROR', 'byte 0'],
  ['a producer without an id', changed(indexOf([ONE]), 2, 0xff), 'KAFKA_STORAGE_ERROR', 'byte 0'],
  ['an offset beyond 2^53', changed(indexOf([ONE]), 26, 0x7f), 'KAFKA_STORAGE_ERROR', 'byte 0'],
  ['an end before its beginning', changed(indexOf([ONE]), 17, 8), 'KAFKA_STORAGE_ERROR', 'byte 0'],
  ['last offsets that do not rise', indexOf([ONE, ONE]), 'KAFKA_STORAGE_ERROR', 'byte 34'],
  ['a marker behind the segment', indexOf([{ ...ONE, lastOffset: 100 }]), 'KAFKA_STORAGE_ERROR', 'byte 0'],
  ['zeros', new Uint8Array(68), 'KAFKA_STORAGE_ERROR', 'byte 0'],
])('%s is refused', (_, bytes, code, place) => {
  const error = refusalOf(() => readTransactionIndex(PATH, bytes, 2, 100))
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(place)])
})

test('damage is refused or gives transactions', () => {
  let refused = 0
  fc.assert(
    fc.property(someTransactions, damages, (transactions, done) => {
      const read = readOrRefused(() => readTransactionIndex(PATH, damaged(indexOf(transactions), done), 0, END))
      if (read === undefined) refused++
      for (const { firstOffset, lastOffset } of read ?? []) expect(firstOffset).toBeLessThanOrEqual(lastOffset)
    }),
    { seed: SEED, numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})
