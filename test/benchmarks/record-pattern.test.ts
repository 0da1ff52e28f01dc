import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectedChecksum, patternValue, stampValue } from '../../benchmarks/harness/record-pattern.ts'
import { packRecords, PACKED_BYTES, recordsPerBuffer, walkPacked } from '../../benchmarks/peers/packed-records.ts'

const SEED = 20_261_123

function summed(records: number, valueBytes: number): number {
  const value = patternValue(valueBytes)
  let sum = 0
  for (let i = 0; i < records; i++) {
    stampValue(value, i)
    sum += value[0]! + value[valueBytes - 1]!
  }
  return sum
}

describe('the pattern of values', () => {
  test('the expected checksum is the sum of first and last bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), (records) => {
        expect(expectedChecksum(records)).toBe(summed(records, 100))
      }),
      { seed: SEED, numRuns: 40 },
    )
    for (const edge of [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 131_072]) expect(expectedChecksum(edge)).toBe(summed(edge, 2))
  })

  test('one record more or less shows in it', () => {
    for (const records of [2, 300, 70_000]) expect(expectedChecksum(records)).not.toBe(expectedChecksum(records - 1))
  })

  test('a value has room for both stamps', () => {
    expect(() => patternValue(1)).toThrow(RangeError)
    expect(patternValue(2)).toHaveLength(2)
  })
})

describe('hand-packed buffers', () => {
  test.each([2, 10, 100, 1_024, 10_240])('values of %i bytes come out as they went in', (valueBytes) => {
    const value = patternValue(valueBytes)
    const buffer = new Uint8Array(PACKED_BYTES)
    const walk = { records: 0, checksum: 0 }
    const records = recordsPerBuffer(valueBytes) * 2 + 3
    let buffers = 0
    for (let sent = 0; sent < records; buffers++) {
      sent = packRecords(buffer, value, sent, records)
      walkPacked(buffer, walk)
    }
    expect(walk).toEqual({ records, checksum: expectedChecksum(records) })
    expect(buffers).toBe(3)
  })

  test('a buffer used again says where its new records end', () => {
    const buffer = new Uint8Array(PACKED_BYTES)
    const value = patternValue(100)
    packRecords(buffer, value, 0, 600)
    packRecords(buffer, value, 0, 5)
    const walk = { records: 0, checksum: 0 }
    walkPacked(buffer, walk)
    expect(walk).toEqual({ records: 5, checksum: expectedChecksum(5) })
  })
})
