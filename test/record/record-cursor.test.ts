import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeInt32 } from '../../src/record/record-batch.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { readHeaders } from '../../src/record/record.ts'
import { validateBatch } from '../../src/record/validate-batch.ts'
import { compressedBatches, fromHex, goldenControls, toHex, uncompressedBatches } from './golden-batches.ts'
import type { GoldenRecord } from './golden-batches.ts'
import { plainBatch } from './plain-batch.ts'
import type { Bytes, PlainBatchFields, PlainRecord } from './plain-batch.ts'
import { sentRecords, toEncoded, toPlain } from './record-arbitraries.ts'

const SEED = 20_261_207
const CORRUPT = expect.objectContaining({ name: 'MillraceError', code: 'CORRUPT_MESSAGE' }) as Error
const MS = 1_700_000_000_000
const BEHIND = 7
const BEFORE = 11

/** The batches end to end, in the middle of other bytes. */
function embed(...batches: Uint8Array[]): { bytes: Bytes; start: number; end: number } {
  const whole = Buffer.concat(batches)
  const bytes = new Uint8Array(BEFORE + whole.length + BEHIND).fill(0x02)
  bytes.set(whole, BEFORE)
  return { bytes, start: BEFORE, end: BEFORE + whole.length }
}

function cursorOf(batches: Uint8Array[], fromOffset = 0, withControl = false): RecordCursor {
  const { bytes, start, end } = embed(...batches)
  const cursor = new RecordCursor(withControl)
  cursor.reset(bytes, start, end, fromOffset)
  return cursor
}

/** The record that a cursor stands on. */
function found(cursor: RecordCursor): GoldenRecord {
  const { bytes, offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = cursor
  const headers = readHeaders(bytes, cursor.headersStart, cursor.headersEnd, cursor.headerCount)
  expect([keyStart < 0, valueStart < 0]).toEqual([keyEnd < 0, valueEnd < 0])
  return {
    offset,
    timestamp,
    key: keyStart < 0 ? null : toHex(bytes, keyStart, keyEnd),
    value: valueStart < 0 ? null : toHex(bytes, valueStart, valueEnd),
    headers: headers.map(({ key, value }) => [key, value === null ? null : toHex(value)]),
  }
}

function walk(cursor: RecordCursor): GoldenRecord[] {
  const records: GoldenRecord[] = []
  while (cursor.next()) records.push(found(cursor))
  return records
}

function offsets(cursor: RecordCursor): number[] {
  return walk(cursor).map(({ offset }) => offset)
}

function record(value: string, timestamp = MS): PlainRecord {
  return { timestamp, key: null, value: new TextEncoder().encode(value), headers: [] }
}

function batch(count: number, fields: PlainBatchFields = {}): Bytes {
  return plainBatch(
    Array.from({ length: count }, (_, i) => record(`value ${i}`, MS + i)),
    fields,
  )
}

describe('golden batches', () => {
  test.each(uncompressedBatches.map((golden) => [golden.name, golden] as const))('%s: exactly its records', (_, golden) => {
    expect(walk(cursorOf([fromHex(golden.bytes)]))).toEqual(golden.records)
  })

  test('one behind the other, as in a log', () => {
    const ordered = uncompressedBatches.toSorted((a, b) => a.baseOffset - b.baseOffset)
    const all = ordered.map(({ bytes }) => fromHex(bytes))
    expect(walk(cursorOf(all))).toEqual(ordered.flatMap(({ records }) => records))
  })

  test('that are compressed are refused, with their compression by name', () => {
    for (const { compression, bytes } of compressedBatches) {
      const refused = {
        name: 'MillraceError',
        code: 'UNSUPPORTED_COMPRESSION_TYPE',
        message: expect.stringContaining(compression) as string,
      }
      const cursor = cursorOf([batch(1), fromHex(bytes)])
      expect(cursor.next()).toBe(true)
      for (let i = 0; i < 3; i++) expect(() => cursor.next()).toThrow(expect.objectContaining(refused))
    }
    expect(compressedBatches.length).toBe(4)
  })

  test('of transaction markers are passed over, or given on demand', () => {
    const [commit, abort] = goldenControls.map(({ bytes }) => fromHex(bytes))
    expect(offsets(cursorOf([batch(1), commit!, batch(2, { baseOffset: 501 }), abort!]))).toEqual([0, 501, 502])
    expect(offsets(cursorOf([commit!]))).toEqual([])
    const withControl = walk(cursorOf([batch(1), commit!], 0, true))
    expect(withControl[1]).toEqual({ offset: 500, timestamp: MS, key: '00000001', value: '00000000000c', headers: [] })
  })
})

describe('a walk', () => {
  test('of nothing ends', () => {
    const cursor = new RecordCursor()
    expect(cursor.next()).toBe(false)
    cursor.reset(new Uint8Array(100), 50, 50, 0)
    for (let i = 0; i < 3; i++) expect(cursor.next()).toBe(false)
  })

  test('begins at the asked offset, in any batch', () => {
    const batches = [batch(3, { baseOffset: 10 }), batch(2, { baseOffset: 13 }), batch(4, { baseOffset: 20 })]
    const all = [10, 11, 12, 13, 14, 20, 21, 22, 23]
    for (let from = 0; from < 26; from++)
      expect(offsets(cursorOf(batches, from)), `from ${from}`).toEqual(all.filter((offset) => offset >= from))
    expect(offsets(cursorOf(batches, Number.MAX_SAFE_INTEGER))).toEqual([])
  })

  test('says where each batch begins', () => {
    const first = batch(1)
    const cursor = cursorOf([first, batch(1, { baseOffset: 1 })])
    expect(cursor.next() && cursor.batchStart).toBe(BEFORE)
    expect(cursor.next() && cursor.batchStart).toBe(BEFORE + first.length)
  })

  test('passes over the gaps that compaction leaves, and batches that it emptied', () => {
    const compacted = batch(3, { baseOffset: 100, offsetDeltas: [2, 5, 6], lastOffsetDelta: 9 })
    const emptied = plainBatch([], { baseOffset: 110, lastOffsetDelta: 4 })
    expect(offsets(cursorOf([compacted, emptied, batch(1, { baseOffset: 115 })]))).toEqual([102, 105, 106, 115])
    expect(offsets(cursorOf([compacted], 103))).toEqual([105, 106])
  })

  test('reads a batch beyond the counts that the short way takes', () => {
    const count = 20_000
    const records = walk(cursorOf([batch(count, { baseOffset: 2 ** 52 })]))
    expect(records.length).toBe(count)
    expect(records.every(({ offset, timestamp }, i) => offset === 2 ** 52 + i && timestamp === MS + i)).toBe(true)
  })

  test('starts again with each reset, also after a refusal', () => {
    const { bytes, start, end } = embed(batch(2))
    const cursor = new RecordCursor()
    for (let i = 0; i < 2; i++) {
      cursor.reset(bytes, start, end - 1, 0)
      expect(() => cursor.next()).toThrow(CORRUPT)
      cursor.reset(bytes, start, end, 0)
      expect(offsets(cursor)).toEqual([0, 1])
    }
    cursor.reset(bytes, start, end, 0)
    cursor.next()
    cursor.reset(bytes, start, end, 1)
    expect(offsets(cursor)).toEqual([1])
  })
})

test('what a builder wrote comes back, whatever it was', () => {
  const builder = new RecordBatchBuilder(1 << 20)
  fc.assert(
    fc.property(fc.array(fc.array(sentRecords, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }), (sent) => {
      const expected: GoldenRecord[] = []
      const batches = sent.map((records) => {
        builder.reset()
        for (const { timestamp, key, value, headers } of records) {
          expect(builder.append(timestamp, key, value, toEncoded(headers))).toBe(true)
          const plain = toPlain({ timestamp, key, value, headers })
          expected.push({
            offset: builder.recordCount - 1,
            timestamp,
            key: plain.key && toHex(plain.key),
            value: plain.value && toHex(plain.value),
            // A lone surrogate is written as U+FFFD.
            headers: plain.headers.map((header) => [
              new TextDecoder('utf-8', { ignoreBOM: true }).decode(header.key),
              header.value && toHex(header.value),
            ]),
          })
        }
        const bytes = builder.bytes.slice(0, builder.seal({ withCrc: true }))
        validateBatch(bytes, 0, bytes.length, { crc: true })
        return bytes
      })
      expect(walk(cursorOf(batches))).toEqual(expected)
    }),
    { seed: SEED, numRuns: 300 },
  )
})

describe('batches that are damaged', () => {
  /** How many records are given before the refusal, which is the same at every call. */
  function refusedAfter(batches: Uint8Array[]): number {
    const cursor = cursorOf(batches)
    let records = 0
    for (;;) {
      try {
        if (!cursor.next()) expect.fail(`not refused, after ${records} records`)
      } catch (error) {
        expect(error).toEqual(CORRUPT)
        for (let i = 0; i < 5; i++) expect(() => cursor.next()).toThrow(CORRUPT)
        return records
      }
      records++
    }
  }

  function changed(change: (bytes: Bytes) => void, fields: PlainBatchFields = {}): Bytes {
    const bytes = batch(3, fields)
    change(bytes)
    return bytes
  }

  test('cut off anywhere', () => {
    const whole = batch(3)
    for (let size = 1; size < whole.length; size++) expect(refusedAfter([whole.slice(0, size)])).toBe(0)
    expect(refusedAfter([whole, whole.slice(0, 60)])).toBe(3)
    expect(refusedAfter([whole, new Uint8Array(1)])).toBe(3)
  })

  test('that lie about their size', () => {
    for (const size of [-(2 ** 31), -1, 0, 48, 49, 50, 2 ** 31 - 1]) {
      expect(refusedAfter([changed((bytes) => writeInt32(bytes, 8, size))]), `${size}`).toBe(0)
    }
    const longer = changed((bytes) => writeInt32(bytes, 8, bytes.length - 12 + 1))
    expect(refusedAfter([longer])).toBe(0)
    // It swallows a byte of the next batch.
    expect(refusedAfter([longer, batch(1)])).toBe(2)
    expect(refusedAfter([changed((bytes) => writeInt32(bytes, 8, bytes.length - 12 - 1))])).toBe(2)
  })

  test('that lie about their records', () => {
    for (const count of [-(2 ** 31), -1, 0, 4, 2 ** 31 - 1]) {
      expect(refusedAfter([changed((bytes) => writeInt32(bytes, 57, count))]), `${count}`).toBe(0)
    }
    // Bytes of a record are left over; a record is missing where offsets are not.
    expect(refusedAfter([changed((bytes) => writeInt32(bytes, 57, 2))])).toBe(1)
    expect(refusedAfter([changed((bytes) => writeInt32(bytes, 57, 4), { lastOffsetDelta: 3 })])).toBe(3)
  })

  test('of another magic', () => {
    for (const magic of [0, 1, 3, 255]) expect(refusedAfter([changed((bytes) => (bytes[16] = magic))])).toBe(0)
  })

  test('whose offsets fall, repeat, go beyond the last or beyond safe integers', () => {
    expect(refusedAfter([batch(3, { offsetDeltas: [0, 2, 1] })])).toBe(2)
    expect(refusedAfter([batch(3, { offsetDeltas: [0, 0, 1] })])).toBe(1)
    expect(refusedAfter([batch(3, { offsetDeltas: [-1, 0, 1] })])).toBe(0)
    expect(refusedAfter([batch(3, { offsetDeltas: [0, 1, 3] })])).toBe(2)
    expect(refusedAfter([batch(3, { lastOffsetDelta: 1 })])).toBe(0)
    expect(refusedAfter([batch(3, { lastOffsetDelta: -1 })])).toBe(0)
    expect(refusedAfter([batch(3, { baseOffset: -1 })])).toBe(0)
    expect(refusedAfter([batch(3, { baseOffset: Number.MAX_SAFE_INTEGER - 1 })])).toBe(0)
    expect(offsets(cursorOf([batch(3, { baseOffset: Number.MAX_SAFE_INTEGER - 2 })]))).toHaveLength(3)
    expect(refusedAfter([changed((bytes) => bytes.set([0x7f, 0xff]))])).toBe(0)
    expect(refusedAfter([changed((bytes) => bytes.set([0x00, 0x20], 27))])).toBe(0)
    expect(refusedAfter([changed((bytes) => bytes.set([0x00, 0x20], 35), { attributes: 8 })])).toBe(0)
  })

  test.each<[string, readonly number[]]>([
    ['a length beyond the batch', [0x40, 0, 0, 0, 1, 1, 0]],
    ['a length below its fields', [0x0a, 0, 0, 0, 1, 1, 0]],
    ['a length above its fields', [0x0e, 0, 0, 0, 1, 1, 0, 0]],
    ['a negative length', [0x0d, 0, 0, 0, 1, 1, 0]],
    ['a length of six bytes', [0x8c, 0x80, 0x80, 0x80, 0x80, 0x00, 0, 0, 0, 1, 1, 0]],
    ['a length of 2^31 - 1', [0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 1, 1, 0]],
    ['an endless timestamp', [0x1a, 0, ...new Array<number>(10).fill(0xff), 0, 1, 1, 0]],
    ['an offset that is negative', [0x0c, 0, 0, 1, 1, 1, 0]],
    ['a key beyond the record', [0x0c, 0, 0, 0, 6, 1, 0]],
    ['a key length below null', [0x0c, 0, 0, 0, 3, 1, 0]],
    ['a key of two thousand bytes', [0x0e, 0, 0, 0, 0xa0, 0x1f, 1, 0]],
    ['a key that leaves no room for a value', [0x0c, 0, 0, 0, 4, 1, 0]],
    ['a value beyond the record', [0x0c, 0, 0, 0, 1, 4, 0]],
    ['a value length below null', [0x0c, 0, 0, 0, 1, 5, 0]],
    ['a value that leaves no room for headers', [0x0c, 0, 0, 0, 1, 2, 0]],
    ['a negative number of headers', [0x0c, 0, 0, 0, 1, 1, 1]],
    ['no headers, and bytes of them', [0x10, 0, 0, 0, 1, 1, 0, 0, 1]],
    ['a header count that does not end', [0x0c, 0, 0, 0, 1, 1, 0x80]],
  ])('with a record of %s', (_, lie) => {
    const one = plainBatch([{ timestamp: MS, key: null, value: null, headers: [] }])
    expect(toHex(one, 61)).toBe('0c000000010100')
    // Once as the last bytes, once far from the end, where the short way is taken.
    for (const behind of [0, 40]) {
      const bytes = new Uint8Array(61 + lie.length + behind)
      bytes.set(one.subarray(0, 61))
      bytes.set(lie, 61)
      writeInt32(bytes, 8, bytes.length - 12)
      expect(refusedAfter([bytes])).toBe(0)
    }
  })
})
