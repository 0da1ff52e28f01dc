import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DECOMPRESSED_BYTES_MAX,
  appendDecompressed,
  compressBatch,
  decompressBatch,
  hasCompressed,
} from '../../src/record/batch-compression.ts'
import type { GrowingBytes } from '../../src/record/batch-compression.ts'
import { batchSizeInBytes, checkBatchHeader, compressionType, isCrcValid, writeCrc } from '../../src/record/record-batch.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { readHeaders } from '../../src/record/record.ts'
import { validateBatch } from '../../src/record/validate-batch.ts'
import { CODECS } from './codec-inputs.ts'
import { compressedBatches, fromHex, goldenBatches, toHex, uncompressedBatches } from './golden-batches.ts'
import type { GoldenRecord } from './golden-batches.ts'
import { plainBatch } from './plain-batch.ts'
import { sentRecords, toPlain } from './record-arbitraries.ts'

const SEED = 20_261_130
const AROUND = 9

function recordsOf(bytes: Uint8Array, start = 0, end = bytes.length): GoldenRecord[] {
  const cursor = new RecordCursor()
  cursor.reset(bytes, start, end, 0)
  const records: GoldenRecord[] = []
  while (cursor.next()) {
    const { offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = cursor
    records.push({
      offset,
      timestamp,
      key: keyStart < 0 ? null : toHex(bytes, keyStart, keyEnd),
      value: valueStart < 0 ? null : toHex(bytes, valueStart, valueEnd),
      headers: readHeaders(bytes, cursor.headersStart, cursor.headersEnd, cursor.headerCount).map(({ key, value }) => [
        key,
        value === null ? null : toHex(value),
      ]),
    })
  }
  return records
}

function embed(batch: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(batch.length + 2 * AROUND).fill(0xa5)
  bytes.set(batch, AROUND)
  return bytes
}

test('the golden file holds each codec', () => {
  expect(new Set(compressedBatches.map(({ compression }) => compression))).toEqual(new Set(['gzip', 'snappy', 'lz4', 'zstd']))
})

describe.each(compressedBatches)('$name, which Kafka compressed with $compression', ({ bytes, records }) => {
  const batch = fromHex(bytes)

  test('gives its records exactly, wherever it lies', () => {
    const around = embed(batch)
    const whole = decompressBatch(around, AROUND, AROUND + batch.length)
    expect(recordsOf(whole)).toEqual(records)
    expect(() => validateBatch(whole, 0, whole.length, { crc: false })).not.toThrow()
    expect(around).toEqual(embed(batch))
  })

  test('keeps its header but for length, attributes and CRC', () => {
    const whole = decompressBatch(batch, 0, batch.length)
    const plain = batch.slice(0, 61)
    plain.set(whole.subarray(8, 12), 8)
    plain.set([0, 0, 0, 0], 17)
    plain[22]! &= ~7
    expect(toHex(whole, 0, 61)).toBe(toHex(plain))
  })
})

describe.each(CODECS)('a batch and $name', ({ type, levels }) => {
  const compression = { type, level: levels[0] }

  test("Kafka's batches compressed and decompressed are what they were", () => {
    for (const { bytes, name } of uncompressedBatches) {
      const batch = fromHex(bytes)
      const around = embed(batch)
      const compressed = compressBatch(around, AROUND, AROUND + batch.length, compression, { withCrc: true })
      expect(compressionType(compressed, 0), name).toBe(type)
      expect(batchSizeInBytes(compressed, 0)).toBe(compressed.length)
      expect(isCrcValid(compressed, 0, compressed.length)).toBe(true)
      const whole = decompressBatch(compressed, 0, compressed.length)
      writeCrc(whole, 0, whole.length)
      expect(toHex(whole), name).toBe(bytes)
    }
  })

  test('any records come back', () => {
    fc.assert(
      fc.property(fc.array(sentRecords, { minLength: 1, maxLength: 20 }), (sent) => {
        const batch = plainBatch(sent.map(toPlain), { baseOffset: 7, producerId: 3, producerEpoch: 1, baseSequence: 2 })
        const compressed = compressBatch(batch, 0, batch.length, compression, { withCrc: false })
        expect(checkBatchHeader(compressed, 0, compressed.length)).toBe(0)
        expect(recordsOf(decompressBatch(compressed, 0, compressed.length))).toEqual(recordsOf(batch))
      }),
      { seed: SEED, numRuns: 60 },
    )
  })

  test('what holds more than is allowed is refused', () => {
    const batch = plainBatch([{ timestamp: 1, key: null, value: new Uint8Array(50_000), headers: [] }])
    const compressed = compressBatch(batch, 0, batch.length, compression, { withCrc: false })
    const records = batch.length - 61
    expect(decompressBatch(compressed, 0, compressed.length, records)).toHaveLength(batch.length)
    expect(() => decompressBatch(compressed, 0, compressed.length, records - 1)).toThrow(
      expect.objectContaining({ code: 'RECORD_LIST_TOO_LARGE', message: expect.stringContaining('seeking') as string }),
    )
  })
})

test('batches of all kinds are decompressed one behind the other, and memory grows as they need it', () => {
  const target: GrowingBytes = { bytes: new Uint8Array(0), length: 0 }
  const all = goldenBatches.map(({ bytes }) => fromHex(bytes))
  for (const batch of all) appendDecompressed(batch, 0, batch.length, target)
  expect(hasCompressed(target.bytes, 0, target.length)).toBe(false)
  const given: GoldenRecord[] = []
  for (let at = 0; at < target.length; ) {
    const end = at + batchSizeInBytes(target.bytes, at)
    given.push(...recordsOf(target.bytes, at, end))
    at = end
  }
  expect(given).toEqual(goldenBatches.flatMap(({ records }) => records))
  expect(hasCompressed(Buffer.concat(all), 0, Buffer.concat(all).length)).toBe(true)
})

test('a batch that compaction left empty has no stream, and stays as it is but for that', () => {
  const empty = plainBatch([], { lastOffsetDelta: 3, attributes: 4 })
  const whole = decompressBatch(empty, 0, empty.length)
  expect(whole).toHaveLength(61)
  expect(recordsOf(whole)).toEqual([])
  expect(DECOMPRESSED_BYTES_MAX).toBe(67_108_864)
})
