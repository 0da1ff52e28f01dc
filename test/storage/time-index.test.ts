import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  TIME_INDEX_ENTRY_BYTES,
  TimeIndexAppender,
  checkTimeIndex,
  findTimeIndexEntry,
  lookUpOffset,
  timeIndexEntryCount,
  timeIndexRelativeOffset,
  timeIndexTimestamp,
  writeTimeIndexEntry,
} from '../../src/storage/time-index.ts'
import { PATH, damaged, damages, readOrRefused, refusalOf } from './damage.ts'

const SEED = 5
const BASE = 2 ** 40

interface Entry {
  readonly timestamp: number
  readonly offset: number
}

const someEntries: fc.Arbitrary<Entry[]> = fc
  .array(fc.record({ timestamp: fc.integer({ min: 1, max: 100 }), offset: fc.integer({ min: 1, max: 9_000 }) }), { maxLength: 60 })
  .map((steps) => {
    let at: Entry = { timestamp: -1, offset: -1 }
    return steps.map(({ timestamp, offset }) => (at = { timestamp: at.timestamp + timestamp, offset: at.offset + offset }))
  })
  // The one entry that is all zeros.
  .filter(([first]) => first === undefined || first.timestamp !== 0 || first.offset !== 0)

function indexOf(entries: readonly Entry[], room = entries.length): Uint8Array {
  const bytes = new Uint8Array(TIME_INDEX_ENTRY_BYTES * room)
  for (const [i, { timestamp, offset }] of entries.entries()) writeTimeIndexEntry(bytes, 12 * i, BASE, timestamp, BASE + offset)
  return bytes
}

test('an entry is these bytes', () => {
  expect(Buffer.from(indexOf([{ timestamp: 0x1a2_0668_e1d3, offset: 0x48 }])).toString('hex')).toBe('000001a20668e1d300000048')
})

test('what was written is found again, whatever room is left behind it', () => {
  fc.assert(
    fc.property(someEntries, fc.nat(200), fc.integer({ min: -5, max: 7_000 }), (entries, room, timestamp) => {
      const bytes = indexOf(entries, entries.length + room)
      const count = timeIndexEntryCount(bytes)
      expect(count).toBe(entries.length)
      const endOffset = BASE + (entries.at(-1)?.offset ?? -1) + 1
      expect(checkTimeIndex(PATH, bytes, BASE, endOffset)).toBe(count)
      const read = entries.map((_, i) => ({ timestamp: timeIndexTimestamp(bytes, i), offset: timeIndexRelativeOffset(bytes, i) }))
      expect(read).toEqual(entries)
      for (const sought of [timestamp, ...entries.flatMap((entry) => [entry.timestamp - 1, entry.timestamp])]) {
        const found = entries.findLastIndex((entry) => entry.timestamp <= sought)
        expect(findTimeIndexEntry(bytes, count, sought)).toBe(found)
        expect(lookUpOffset(bytes, count, BASE, sought)).toBe(BASE + (entries[found]?.offset ?? 0))
      }
    }),
    { seed: SEED, numRuns: 300 },
  )
})

test('an entry holds the largest timestamp so far, once, with the first batch that has it', () => {
  const appender = new TimeIndexAppender(10)
  const bytes = new Uint8Array(36)
  expect(appender.append(bytes, 0)).toBe(0)
  appender.observe(-1, 11)
  expect(appender.append(bytes, 0)).toBe(0)
  appender.observe(500, 14)
  appender.observe(500, 15)
  appender.observe(400, 16)
  expect([appender.maxTimestampMs, appender.offsetOfMaxTimestamp]).toEqual([500, 14])
  expect(appender.append(bytes, 0)).toBe(12)
  expect(appender.append(bytes, 12)).toBe(0)
  appender.observe(501, 20)
  expect(appender.append(bytes, 12)).toBe(12)
  const again = new TimeIndexAppender(10, 501, 20)
  again.observe(501, 22)
  expect(again.append(bytes, 24)).toBe(0)
  again.observe(502, 23)
  expect(again.append(bytes, 24)).toBe(12)
  expect([0, 1, 2].map((entry) => [timeIndexTimestamp(bytes, entry), timeIndexRelativeOffset(bytes, entry)])).toEqual([
    [500, 4],
    [501, 10],
    [502, 13],
  ])
})

test('a first record at time 0 makes an entry that reads as none, and the look-up answers the same', () => {
  const appender = new TimeIndexAppender(10)
  const bytes = new Uint8Array(12)
  appender.observe(0, 10)
  expect(appender.append(bytes, 0)).toBe(12)
  expect(timeIndexEntryCount(bytes)).toBe(0)
  expect(checkTimeIndex(PATH, bytes, 10, 11)).toBe(0)
  expect([lookUpOffset(bytes, 0, 10, 0), lookUpOffset(bytes, 1, 10, 0)]).toEqual([10, 10])
})

const TWO = [
  { timestamp: 5, offset: 5 },
  { timestamp: 6, offset: 6 },
]

test.each([
  ['a size of no whole entries', new Uint8Array(13), '13 bytes'],
  ['a timestamp that does not rise', indexOf([TWO[0]!, { timestamp: 5, offset: 6 }]), 'byte 12'],
  ['an offset that does not rise', indexOf([TWO[0]!, { timestamp: 6, offset: 5 }]), 'byte 12'],
  ['an offset behind the segment', indexOf([...TWO, { timestamp: 9, offset: 100 }]), 'byte 24'],
  ['a negative offset', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 255, 0, 0, 0), 'byte 0'],
  ['a timestamp beyond 2^53', Uint8Array.of(0x7f, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1), 'byte 0'],
  ['an entry behind empty ones', Uint8Array.from({ length: 36 }, (_, i) => (i === 35 ? 1 : 0)), 'byte 24'],
])('%s is refused, with what to do', (_, bytes, place) => {
  const error = refusalOf(() => checkTimeIndex(PATH, bytes, BASE, BASE + 100))
  expect(error.code).toBe('KAFKA_STORAGE_ERROR')
  expect(error.message).toContain(place)
  expect(error.message).toMatch(/Delete it while the log is closed: it is made again/)
})

test('damage is refused or gives rising entries within the segment, and a look-up gives some offset', () => {
  let refused = 0
  fc.assert(
    fc.property(someEntries, fc.nat(20), damages, fc.nat(7_000), (entries, room, done, timestamp) => {
      const bytes = damaged(indexOf(entries, entries.length + room), done)
      const endOffset = BASE + (entries.at(-1)?.offset ?? -1) + 1
      const count = readOrRefused(() => checkTimeIndex(PATH, bytes, BASE, endOffset))
      const offset = lookUpOffset(bytes, count ?? timeIndexEntryCount(bytes), BASE, timestamp)
      expect(Number.isInteger(offset)).toBe(true)
      if (count === undefined) refused++
      if (count === undefined) return
      expect(offset).toBeLessThan(Math.max(endOffset, BASE + 1))
      for (let i = 1; i < count; i++) {
        expect(timeIndexTimestamp(bytes, i)).toBeGreaterThan(timeIndexTimestamp(bytes, i - 1))
        expect(timeIndexRelativeOffset(bytes, i)).toBeGreaterThan(timeIndexRelativeOffset(bytes, i - 1))
      }
    }),
    { seed: SEED, numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})
