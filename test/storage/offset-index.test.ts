import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  OFFSET_INDEX_ENTRY_BYTES,
  OffsetIndexAppender,
  checkOffsetIndex,
  findOffsetIndexEntry,
  lookUpPosition,
  offsetIndexEntryCount,
  offsetIndexPosition,
  offsetIndexRelativeOffset,
  writeOffsetIndexEntry,
} from '../../src/storage/offset-index.ts'
import { PATH, damaged, damages, readOrRefused, refusalOf } from './damage.ts'

const SEED = 5
const BASE = 2 ** 40
const LOG_BYTES = 2 ** 31 - 1

interface Entry {
  readonly offset: number
  readonly position: number
}

/** Rising entries of a segment that begins at BASE, their offsets counted from it. */
const someEntries: fc.Arbitrary<Entry[]> = fc
  .array(fc.record({ offset: fc.integer({ min: 1, max: 9_000 }), position: fc.integer({ min: 61, max: 70_000 }) }), { maxLength: 60 })
  .map((steps) => {
    let at: Entry = { offset: 0, position: 0 }
    return steps.map(({ offset, position }) => (at = { offset: at.offset + offset, position: at.position + position }))
  })

function indexOf(entries: readonly Entry[], room = entries.length): Uint8Array {
  const bytes = new Uint8Array(OFFSET_INDEX_ENTRY_BYTES * room)
  for (const [i, { offset, position }] of entries.entries()) writeOffsetIndexEntry(bytes, 8 * i, BASE, BASE + offset, position)
  return bytes
}

test('an entry is these bytes', () => {
  expect(Buffer.from(indexOf([{ offset: 0x48, position: 0x103e }])).toString('hex')).toBe('000000480000103e')
})

test('what was written is found again, whatever room is left behind it', () => {
  fc.assert(
    fc.property(someEntries, fc.nat(200), fc.nat(600_000), (entries, room, offset) => {
      const bytes = indexOf(entries, entries.length + room)
      const count = offsetIndexEntryCount(bytes)
      expect(count).toBe(entries.length)
      expect(checkOffsetIndex(PATH, bytes, LOG_BYTES)).toBe(count)
      const read = entries.map((_, i) => ({ offset: offsetIndexRelativeOffset(bytes, i), position: offsetIndexPosition(bytes, i) }))
      expect(read).toEqual(entries)
      for (const sought of [offset, ...entries.flatMap((entry) => [entry.offset - 1, entry.offset])]) {
        const found = entries.findLastIndex((entry) => entry.offset <= sought)
        expect(findOffsetIndexEntry(bytes, count, BASE, BASE + sought)).toBe(found)
        expect(lookUpPosition(bytes, count, BASE, BASE + sought)).toBe(entries[found]?.position ?? 0)
      }
    }),
    { seed: SEED, numRuns: 300 },
  )
})

test('an entry is due when more than the interval came since the last one, and never for the first batch', () => {
  const appender = new OffsetIndexAppender(0, 100)
  const bytes = new Uint8Array(64)
  const sizes = [500, 61, 39, 61, 40, 100, 101, 1]
  let position = 0
  let at = 0
  const due: boolean[] = []
  for (const [i, size] of sizes.entries()) {
    due.push(appender.isDue)
    at += appender.append(i, position, size, bytes, at)
    position += size
  }
  // 61 + 39 is the interval and does not exceed it.
  expect(due).toEqual([false, true, false, false, true, false, true, true])
  expect(at).toBe(8 * 4)
  expect([0, 1, 2, 3].map((entry) => offsetIndexRelativeOffset(bytes, entry))).toEqual([1, 4, 6, 7])
  expect([0, 1, 2, 3].map((entry) => offsetIndexPosition(bytes, entry))).toEqual([500, 661, 801, 902])
})

test('a segment that is opened again goes on counting where it is told to', () => {
  expect(new OffsetIndexAppender(0, 100, 101).isDue).toBe(true)
  expect(new OffsetIndexAppender(0, 100, 100).isDue).toBe(false)
})

test.each([
  ['a size of no whole entries', new Uint8Array(9), LOG_BYTES, '9 bytes'],
  ['an offset that does not rise', Uint8Array.of(0, 0, 0, 5, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 2, 0), LOG_BYTES, 'byte 8'],
  ['a position that does not rise', Uint8Array.of(0, 0, 0, 5, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 1, 0), LOG_BYTES, 'byte 8'],
  ['a negative offset', Uint8Array.of(255, 0, 0, 5, 0, 0, 1, 0), LOG_BYTES, 'byte 0'],
  ['a position where no batch fits', Uint8Array.of(0, 0, 0, 5, 0, 0, 1, 0), 256 + 60, '316 bytes'],
  ['an entry behind empty ones', Uint8Array.from({ length: 24 }, (_, i) => (i === 23 ? 1 : 0)), LOG_BYTES, 'byte 16'],
])('%s is refused, with what to do', (_, bytes, logBytes, place) => {
  const error = refusalOf(() => checkOffsetIndex(PATH, bytes, logBytes))
  expect(error.code).toBe('KAFKA_STORAGE_ERROR')
  expect(error.message).toContain(place)
  expect(error.message).toMatch(/Delete it while the log is closed: it is made again/)
})

test('an entry that its bytes cannot hold is a defect', () => {
  const bytes = new Uint8Array(8)
  expect(() => writeOffsetIndexEntry(bytes, 0, 0, 2 ** 31, 61)).toThrow(/too far/)
  expect(() => writeOffsetIndexEntry(bytes, 0, 0, 1, 2 ** 31)).toThrow(/position/)
  expect(() => writeOffsetIndexEntry(bytes, 0, 0, 1, 0)).toThrow(/position/)
  expect(() => writeOffsetIndexEntry(bytes, 1, 0, 1, 61)).toThrow(/no room/)
  expect(bytes).toEqual(new Uint8Array(8))
})

test('damage is refused or gives rising entries within the log, and a look-up gives some position', () => {
  let refused = 0
  fc.assert(
    fc.property(someEntries, fc.nat(20), damages, fc.nat(600_000), (entries, room, done, offset) => {
      const bytes = damaged(indexOf(entries, entries.length + room), done)
      const logBytes = (entries.at(-1)?.position ?? 0) + 61
      const count = readOrRefused(() => checkOffsetIndex(PATH, bytes, logBytes))
      const position = lookUpPosition(bytes, count ?? offsetIndexEntryCount(bytes), BASE, BASE + offset)
      expect(Number.isInteger(position)).toBe(true)
      if (count === undefined) refused++
      else expect(position).toBeLessThan(logBytes)
      if (count === undefined) return
      for (let i = 1; i < count; i++) {
        expect(offsetIndexRelativeOffset(bytes, i)).toBeGreaterThan(offsetIndexRelativeOffset(bytes, i - 1))
        expect(offsetIndexPosition(bytes, i)).toBeGreaterThan(offsetIndexPosition(bytes, i - 1))
      }
    }),
    { seed: SEED, numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})
