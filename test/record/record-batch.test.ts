import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../src/errors.ts'
import {
  attributes,
  baseOffset,
  baseSequence,
  baseTimestamp,
  batchCrc,
  batchSizeInBytes,
  checkBatchHeader,
  compressionType,
  isControlBatch,
  isCrcValid,
  isLogAppendTime,
  isTransactional,
  lastOffsetDelta,
  leaderEpoch,
  maxTimestamp,
  nextOffset,
  producerEpoch,
  producerId,
  readInt16,
  readInt32,
  readInt64,
  recordCount,
  stampBatch,
  stampLogAppendTime,
  stampProducer,
  writeCrc,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../../src/record/record-batch.ts'
import { COMPRESSION_NAMES } from '../../src/record/record-batch-layout.ts'
import { compressedBatches, fromHex, goldenBatches, goldenControls, toHex, uncompressedBatches } from './golden-batches.ts'
import { plainBatch } from './plain-batch.ts'
import type { PlainBatchFields, PlainRecord } from './plain-batch.ts'

const SEED = 20_261_204
const CORRUPT = expect.objectContaining({ name: 'MillraceError', code: 'CORRUPT_MESSAGE' }) as Error
const AROUND = 13

/** The bytes in the middle of others. */
function embed(bytes: Uint8Array, memory: ArrayBufferLike = new ArrayBuffer(bytes.length + 2 * AROUND)): Uint8Array {
  const around = new Uint8Array(memory).fill(0xa5)
  around.set(bytes, AROUND)
  return around
}

function record(timestamp = 1_700_000_000_000): PlainRecord {
  return { timestamp, key: null, value: new Uint8Array([1, 2, 3]), headers: [] }
}

function twoRecords(fields: PlainBatchFields = {}): Uint8Array {
  return plainBatch([record(), record(1_700_000_000_009)], fields)
}

describe('the header of a golden batch', () => {
  test('is read where it lies', () => {
    for (const golden of goldenBatches) {
      const bytes = embed(fromHex(golden.bytes))
      const start = AROUND
      expect(batchSizeInBytes(bytes, start), golden.name).toBe(golden.bytes.length / 2)
      expect(baseOffset(bytes, start)).toBe(golden.baseOffset)
      expect(lastOffsetDelta(bytes, start)).toBe(golden.records.length - 1)
      expect(nextOffset(bytes, start)).toBe(golden.baseOffset + golden.records.length)
      expect(recordCount(bytes, start)).toBe(golden.records.length)
      expect(leaderEpoch(bytes, start)).toBe(golden.leaderEpoch)
      expect(producerId(bytes, start)).toBe(golden.producerId)
      expect(producerEpoch(bytes, start)).toBe(golden.producerEpoch)
      expect(baseSequence(bytes, start)).toBe(golden.baseSequence)
      expect(isTransactional(bytes, start)).toBe(golden.transactional)
      expect(isLogAppendTime(bytes, start)).toBe(golden.logAppendTime)
      expect(isControlBatch(bytes, start)).toBe(false)
      expect(COMPRESSION_NAMES[compressionType(bytes, start)]).toBe(golden.compression)
      expect(maxTimestamp(bytes, start)).toBe(Math.max(...golden.records.map(({ timestamp }) => timestamp)))
      if (!golden.logAppendTime) expect(baseTimestamp(bytes, start)).toBe(golden.records[0]!.timestamp)
    }
    expect(goldenBatches.length).toBe(19)
  })

  test('has the CRC of the bytes, and only of those', () => {
    for (const { name, bytes: hex } of [...compressedBatches, ...goldenControls]) {
      const bytes = embed(fromHex(hex))
      const end = AROUND + hex.length / 2
      expect(isCrcValid(bytes, AROUND, end), name).toBe(true)
      stampBatch(bytes, AROUND, 2 ** 50 + 1, 77)
      expect(isCrcValid(bytes, AROUND, end), name).toBe(true)
      const crc = batchCrc(bytes, AROUND)
      for (const at of [AROUND + 21, AROUND + 60, end - 1]) {
        bytes[at]! ^= 1
        expect(isCrcValid(bytes, AROUND, end), name).toBe(false)
        bytes[at]! ^= 1
      }
      writeInt32(bytes, AROUND + 17, 0)
      expect(isCrcValid(bytes, AROUND, end)).toBe(false)
      writeCrc(bytes, AROUND, end)
      expect(batchCrc(bytes, AROUND)).toBe(crc)
    }
  })
})

describe('stamps', () => {
  test('of the leader are twelve bytes, in shared memory too', () => {
    for (const { name, bytes: hex, baseOffset: offset, leaderEpoch: epoch } of goldenBatches) {
      const golden = fromHex(hex)
      const sent = golden.slice()
      stampBatch(sent, 0, 0, -1)
      expect(toHex(sent, 0, 16)).toBe(`0000000000000000${hex.slice(16, 24)}ffffffff`)
      const shared = embed(sent, new SharedArrayBuffer(golden.length + 2 * AROUND))
      stampBatch(shared, AROUND, offset, epoch)
      expect(toHex(shared), name).toBe(toHex(embed(golden)))
    }
  })

  test('of the producer and of the append time touch their fields only', () => {
    const bytes = embed(twoRecords())
    stampProducer(bytes, AROUND, 2 ** 40 + 5, 32_766, 2 ** 31 - 2)
    stampLogAppendTime(bytes, AROUND, 1_800_000_000_000)
    writeCrc(bytes, AROUND, bytes.length - AROUND)
    const fields = {
      producerId: 2 ** 40 + 5,
      producerEpoch: 32_766,
      baseSequence: 2 ** 31 - 2,
      attributes: 8,
      maxTimestamp: 1_800_000_000_000,
    }
    expect(toHex(bytes)).toBe(toHex(embed(twoRecords(fields))))
  })
})

describe('numbers', () => {
  const memory = new Uint8Array(24)
  const view = new DataView(memory.buffer)

  test('are big-endian', () => {
    fc.assert(
      fc.property(fc.integer(), fc.maxSafeInteger(), fc.nat(12), (int32, int64, at) => {
        writeInt16(memory, at, int32)
        expect(view.getInt16(at)).toBe((int32 << 16) >> 16)
        expect(readInt16(memory, at)).toBe((int32 << 16) >> 16)
        writeInt32(memory, at, int32)
        expect(view.getInt32(at)).toBe(int32)
        expect(readInt32(memory, at)).toBe(int32)
        writeInt64(memory, at, int64)
        expect(view.getBigInt64(at)).toBe(BigInt(int64))
        expect(readInt64(memory, at)).toBe(int64)
      }),
      { seed: SEED },
    )
  })

  test('of 64 bits are safe integers, or refused', () => {
    const safe = [0n, -1n, 2n ** 32n - 1n, 2n ** 32n, -(2n ** 32n), -(2n ** 32n) - 1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n]
    for (const value of safe) {
      view.setBigInt64(3, value)
      expect(readInt64(memory, 3)).toBe(Number(value))
      writeInt64(memory, 3, Number(value))
      expect(view.getBigInt64(3)).toBe(value)
    }
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      view.setBigInt64(3, value)
      expect(() => readInt64(memory, 3), String(value)).toThrow(CORRUPT)
    }
  })
})

describe('the check of a batch off a lane', () => {
  function check(bytes: Uint8Array, start = AROUND, end = bytes.length - AROUND): number {
    return checkBatchHeader(bytes, start, end)
  }

  test('passes what a builder makes', () => {
    expect(check(embed(twoRecords()))).toBe(0)
    for (const { bytes } of uncompressedBatches) expect(check(embed(fromHex(bytes)))).toBe(0)
  })

  test('passes compressed batches, and refuses those of no codec, those without a stream, and control batches', () => {
    for (const { bytes } of compressedBatches) expect(check(embed(fromHex(bytes)))).toBe(0)
    for (let type = 1; type < 8; type++) {
      const batch = twoRecords()
      batch[22] = type
      expect(check(embed(batch))).toBe(type > 4 ? KAFKA_ERRORS.UNSUPPORTED_COMPRESSION_TYPE : 0)
      const empty = batch.slice(0, 61)
      empty[11] = 61 - 12
      expect(check(embed(empty))).toBe(type > 4 ? KAFKA_ERRORS.UNSUPPORTED_COMPRESSION_TYPE : KAFKA_ERRORS.CORRUPT_MESSAGE)
    }
    for (const { bytes } of goldenControls) expect(check(embed(fromHex(bytes)))).toBe(KAFKA_ERRORS.INVALID_RECORD)
  })

  test('refuses a batch of another size than it says', () => {
    const batch = twoRecords()
    const around = embed(batch)
    for (let end = AROUND; end < around.length; end++) {
      expect(check(around, AROUND, end)).toBe(end === AROUND + batch.length ? 0 : KAFKA_ERRORS.CORRUPT_MESSAGE)
    }
    for (const size of [-1, 0, 48, 2 ** 31 - 1, -(2 ** 31)]) {
      const lying = embed(batch)
      writeInt32(lying, AROUND + 8, size)
      expect(check(lying)).toBe(KAFKA_ERRORS.CORRUPT_MESSAGE)
    }
  })

  test.each<[string, number, readonly number[]]>([
    ['another magic', 16, [0]],
    ['another magic', 16, [1]],
    ['no records', 57, [0, 0, 0, 0]],
    ['fewer records than none', 57, [0xff, 0xff, 0xff, 0xff]],
    ['a record more than offsets', 57, [0, 0, 0, 3]],
    ['a record less than offsets', 57, [0, 0, 0, 1]],
    ['more records than bytes', 57, [0x7f, 0xff, 0xff, 0xff]],
    ['an unsafe base timestamp', 27, [0x00, 0x20]],
    ['an unsafe maximum timestamp', 35, [0x80, 0x00]],
    ['an unsafe producer id', 43, [0x7f, 0xff]],
  ])('refuses %s', (_, at, lie) => {
    const bytes = embed(twoRecords())
    bytes.set(lie, AROUND + at)
    expect(check(bytes)).toBe(KAFKA_ERRORS.CORRUPT_MESSAGE)
  })

  test('refuses more records than fit in the bytes, where the offsets agree', () => {
    const bytes = embed(twoRecords())
    writeInt32(bytes, AROUND + 57, 100)
    writeInt32(bytes, AROUND + 23, 99)
    expect(check(bytes)).toBe(KAFKA_ERRORS.CORRUPT_MESSAGE)
  })
})

test('attributes are sixteen bits', () => {
  const bytes = twoRecords({ attributes: 0x0158 })
  expect(attributes(bytes, 0)).toBe(0x0158)
  expect(isTransactional(bytes, 0) && isLogAppendTime(bytes, 0)).toBe(true)
})
