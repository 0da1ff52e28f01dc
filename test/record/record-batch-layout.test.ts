import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as layout from '../../src/record/record-batch-layout.ts'

const source = readFileSync(new URL('../../src/record/record-batch-layout.ts', import.meta.url), 'utf8')
const BYTES: Readonly<Record<string, number>> = { int8: 1, int16: 2, int32: 4, uint32: 4, int64: 8 }

/** The rows of the picture on top of the file. */
const rows = [...source.matchAll(/^\/\/ {3}\+(\d+) +(u?int\d+) +(\w+)/gm)].map(([, at, type, name]) => ({
  at: Number(at),
  bytes: BYTES[type!]!,
  name: name!,
}))

describe('the picture of a batch', () => {
  test('has no gaps, and ends where the records begin', () => {
    let at = 0
    for (const row of rows) {
      expect(row.at, row.name).toBe(at)
      at += row.bytes
    }
    expect(rows).toHaveLength(13)
    expect(at).toBe(layout.BATCH_HEADER_BYTES)
    expect(source).toContain(`+${layout.BATCH_HEADER_BYTES}  records`)
  })

  test('is where the constants are', () => {
    const constants: Readonly<Record<string, number>> = {
      baseOffset: layout.BASE_OFFSET,
      batchLength: layout.BATCH_LENGTH,
      partitionLeaderEpoch: layout.LEADER_EPOCH,
      magic: layout.MAGIC,
      crc: layout.CRC,
      attributes: layout.ATTRIBUTES,
      lastOffsetDelta: layout.LAST_OFFSET_DELTA,
      baseTimestamp: layout.BASE_TIMESTAMP,
      maxTimestamp: layout.MAX_TIMESTAMP,
      producerId: layout.PRODUCER_ID,
      producerEpoch: layout.PRODUCER_EPOCH,
      baseSequence: layout.BASE_SEQUENCE,
      recordCount: layout.RECORD_COUNT,
    }
    expect(Object.fromEntries(rows.map(({ name, at }) => [name, at]))).toEqual(constants)
  })

  test('says what the lengths and the CRC count', () => {
    expect(layout.BATCH_LENGTH_OVERHEAD_BYTES).toBe(layout.BATCH_LENGTH + 4)
    expect(layout.CRC_START).toBe(layout.CRC + 4)
  })
})
