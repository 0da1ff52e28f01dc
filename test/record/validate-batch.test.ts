import { describe, expect, test } from 'vitest'
import { writeCrc, writeInt32, writeInt64 } from '../../src/record/record-batch.ts'
import { validateBatch } from '../../src/record/validate-batch.ts'
import { compressedBatches, fromHex, goldenControls, uncompressedBatches } from './golden-batches.ts'
import { plainBatch } from './plain-batch.ts'
import type { Bytes, PlainBatchFields, PlainHeader, PlainRecord } from './plain-batch.ts'

const MS = 1_700_000_000_000
const AROUND = 9

function record(timestamp: number, headers: readonly PlainHeader[] = []): PlainRecord {
  return { timestamp, key: Uint8Array.of(1), value: Uint8Array.of(2, 3), headers }
}

function batch(fields: PlainBatchFields = {}): Bytes {
  return plainBatch([record(MS), record(MS + 5), record(MS + 2)], fields)
}

/** The code of the refusal of a batch that lies among other bytes; undefined when it passes. */
function refusal(batchBytes: Uint8Array, options: { crc?: boolean } = {}): string | undefined {
  const bytes = new Uint8Array(batchBytes.length + 2 * AROUND).fill(0x01)
  bytes.set(batchBytes, AROUND)
  try {
    validateBatch(bytes, AROUND, AROUND + batchBytes.length, { crc: options.crc ?? true })
    return undefined
  } catch (error) {
    expect(error).toMatchObject({ name: 'MillraceError' })
    return (error as { code: string }).code
  }
}

/** The refusal of a batch that was changed, with the CRC of the change. */
function refusalOf(change: (bytes: Bytes) => void, fields: PlainBatchFields = {}): string | undefined {
  const bytes = batch(fields)
  change(bytes)
  writeCrc(bytes, 0, bytes.length)
  return refusal(bytes)
}

describe('a batch passes', () => {
  test('that Kafka made', () => {
    for (const { name, bytes } of [...uncompressedBatches, ...goldenControls]) expect(refusal(fromHex(bytes)), name).toBeUndefined()
  })

  test('that compaction made smaller, or empty', () => {
    expect(refusal(batch({ offsetDeltas: [2, 4, 9], lastOffsetDelta: 20 }))).toBeUndefined()
    expect(refusal(plainBatch([], { lastOffsetDelta: 3, maxTimestamp: MS }))).toBeUndefined()
  })

  test('with any maximum timestamp if that is the append time', () => {
    expect(refusal(batch({ attributes: 8, maxTimestamp: MS - 1_000 }))).toBeUndefined()
  })
})

describe('a batch is refused', () => {
  test('that is compressed', () => {
    for (const { bytes } of compressedBatches) expect(refusal(fromHex(bytes))).toBe('UNSUPPORTED_COMPRESSION_TYPE')
  })

  test('with a bit flipped anywhere behind the magic; without the CRC it may be one that cannot be told', () => {
    const whole = batch()
    let untold = 0
    for (let bit = 17 * 8; bit < whole.length * 8; bit++) {
      const bytes = whole.slice()
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(refusal(bytes), `bit ${bit}`).toBe('CORRUPT_MESSAGE')
      if (refusal(bytes, { crc: false }) === undefined) untold++
    }
    expect(untold).toBeGreaterThan(0)
  })

  test('that is cut off, or has bytes behind it', () => {
    const whole = batch()
    for (let size = 0; size < whole.length; size++) expect(refusal(whole.slice(0, size), { crc: false })).toBe('CORRUPT_MESSAGE')
    expect(refusal(new Uint8Array([...whole, 0]), { crc: false })).toBe('CORRUPT_MESSAGE')
  })

  test('whose range holds more than it', () => {
    expect(refusal(new Uint8Array([...batch(), ...batch()]))).toBe('CORRUPT_MESSAGE')
  })

  test.each<[string, (bytes: Bytes) => void]>([
    ['another magic', (bytes) => (bytes[16] = 1)],
    ['another size', (bytes) => writeInt32(bytes, 8, bytes.length - 11)],
    ['a negative base offset', (bytes) => writeInt64(bytes, 0, -1)],
    ['offsets beyond safe integers', (bytes) => writeInt64(bytes, 0, Number.MAX_SAFE_INTEGER - 1)],
    ['an unsafe base offset', (bytes) => bytes.set([0x40], 0)],
    ['fewer offsets than records', (bytes) => writeInt32(bytes, 23, 1)],
    ['no offsets', (bytes) => writeInt32(bytes, 23, -1)],
    ['an unsafe base timestamp', (bytes) => bytes.set([0x40], 27)],
    ['timestamps beyond safe integers', (bytes) => writeInt64(bytes, 27, Number.MAX_SAFE_INTEGER)],
    ['a maximum timestamp above those of its records', (bytes) => writeInt64(bytes, 35, MS + 6)],
    ['a maximum timestamp below one of its records', (bytes) => writeInt64(bytes, 35, MS + 2)],
    ['an unsafe maximum timestamp', (bytes) => bytes.set([0x40], 35)],
    ['an unsafe producer id', (bytes) => bytes.set([0x40], 43)],
    ['too many records', (bytes) => writeInt32(bytes, 57, 4)],
    ['too few records', (bytes) => writeInt32(bytes, 57, 2)],
    ['no records, and bytes of them', (bytes) => writeInt32(bytes, 57, 0)],
  ])('with %s', (_, change) => {
    expect(refusalOf(change)).toBe('CORRUPT_MESSAGE')
  })

  test('with a timestamp too far before its maximum', () => {
    const least = -Number.MAX_SAFE_INTEGER
    expect(refusal(plainBatch([record(least), record(least)], { maxTimestamp: least }))).toBeUndefined()
    expect(refusal(plainBatch([record(least), record(least - 5)], { maxTimestamp: least }))).toBe('CORRUPT_MESSAGE')
  })

  test('whose offsets do not rise, or rise above the last', () => {
    for (const offsetDeltas of [
      [0, 2, 1],
      [0, 1, 1],
      [-1, 0, 1],
      [0, 1, 3],
    ]) {
      expect(refusal(batch({ offsetDeltas })), JSON.stringify(offsetDeltas)).toBe('CORRUPT_MESSAGE')
    }
  })

  test('without records, but for its size', () => {
    expect(refusal(plainBatch([], { lastOffsetDelta: -1 }))).toBe('CORRUPT_MESSAGE')
    expect(refusal(plainBatch([], { lastOffsetDelta: 0, attributes: 2 }))).toBe('UNSUPPORTED_COMPRESSION_TYPE')
  })

  test('with a header that is damaged, which a cursor leaves to the reader of headers', () => {
    const header = { key: Uint8Array.of(7, 7), value: Uint8Array.of(8, 8) }
    const whole = plainBatch([record(MS, [header, { key: header.key, value: null }]), record(MS)])
    expect(refusal(whole)).toBeUndefined()
    const at = whole.indexOf(7) - 1
    for (const lie of [0, 1, 3, 6, 0x7e, 0x80, 0xff]) {
      const bytes = whole.slice()
      bytes[at] = lie
      expect(refusal(bytes, { crc: false }), `a key length of ${lie}`).toBe('CORRUPT_MESSAGE')
    }
    for (const count of [1, 3, 5, 6, 0x40]) {
      const bytes = whole.slice()
      bytes[at - 1] = count
      expect(refusal(bytes, { crc: false }), `a header count of ${count}`).toBe('CORRUPT_MESSAGE')
    }
  })
})
