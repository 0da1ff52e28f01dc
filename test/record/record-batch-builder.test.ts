import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ATTRIBUTE_CONTROL, ATTRIBUTE_TRANSACTIONAL, BATCH_HEADER_BYTES } from '../../src/record/record-batch-layout.ts'
import { stampBatch, stampLogAppendTime, writeCrc } from '../../src/record/record-batch.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import type { RecordBytes } from '../../src/record/record.ts'
import { TEXT_KEY_CHARACTERS_MAX, TextKey } from '../../src/record/text-key.ts'
import { fromHex, toHex, uncompressedBatches } from './golden-batches.ts'
import type { GoldenBatch } from './golden-batches.ts'
import { plainBatch, plainWalk } from './plain-batch.ts'
import { TIMESTAMP_MAX, sentRecords, toEncoded, toPlain } from './record-arbitraries.ts'
import type { SentRecord } from './record-arbitraries.ts'

const SEED = 20_261_206
const INVALID_TIMESTAMP = expect.objectContaining({ name: 'MillraceError', code: 'INVALID_TIMESTAMP' }) as Error
const ASSERTION_FAILED = expect.objectContaining({ code: 'ASSERTION_FAILED' }) as Error
const MS = 1_700_000_000_000

const textKey = new TextKey()

/** As a producer does: a text whose bytes are at hand goes its own way with bytes. */
function append(builder: RecordBatchBuilder, { timestamp, key, value, headers }: SentRecord): boolean {
  const encoded = toEncoded(headers)
  if (typeof key !== 'string' || !(value instanceof Uint8Array) || key.length > TEXT_KEY_CHARACTERS_MAX) {
    return builder.append(timestamp, key, value, encoded)
  }
  textKey.set(key)
  return builder.appendKeyed(timestamp, key, textKey, value, encoded)
}

/** The same without. */
function appendPlainly(builder: RecordBatchBuilder, { timestamp, key, value, headers }: SentRecord): boolean {
  return builder.append(timestamp, key, value, toEncoded(headers))
}

function sealed(builder: RecordBatchBuilder): string {
  return toHex(builder.bytes, 0, builder.seal({ withCrc: true }))
}

/** Text where the bytes are text. */
function asText(bytes: Uint8Array | null): RecordBytes {
  if (bytes === null) return null
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  return Buffer.from(text).equals(bytes) ? text : bytes
}

/** What a producer handed over for a golden batch: with LogAppendTime its timestamps are only in the deltas. */
function sentFor(golden: GoldenBatch): SentRecord[] {
  const created = fromHex(golden.bytes)
  created[22]! &= ~0x08
  const { records } = plainWalk(created)
  return golden.records.map(({ key, value, headers }, i) => ({
    timestamp: records[i]!.timestamp,
    key: key === null ? null : fromHex(key),
    value: value === null ? null : fromHex(value),
    headers: headers.map(([name, bytes]) => ({ key: name, value: bytes === null ? null : fromHex(bytes) })),
  }))
}

function buildGolden(golden: GoldenBatch, records: readonly SentRecord[]): string {
  const builder = new RecordBatchBuilder(golden.bytes.length / 2)
  for (const record of records) expect(append(builder, record)).toBe(true)
  const size = builder.seal({
    withCrc: !golden.logAppendTime,
    attributes: golden.transactional ? ATTRIBUTE_TRANSACTIONAL : 0,
    producerId: golden.producerId,
    producerEpoch: golden.producerEpoch,
    baseSequence: golden.baseSequence,
  })
  stampBatch(builder.bytes, 0, golden.baseOffset, golden.leaderEpoch)
  if (golden.logAppendTime) {
    stampLogAppendTime(builder.bytes, 0, golden.records[0]!.timestamp)
    writeCrc(builder.bytes, 0, size)
  }
  return toHex(builder.bytes, 0, size)
}

describe('golden batches', () => {
  test.each(uncompressedBatches.map((golden) => [golden.name, golden] as const))(
    '%s: byte for byte, in memory of just its size',
    (_, golden) => {
      const records = sentFor(golden)
      expect(buildGolden(golden, records)).toBe(golden.bytes)
      const texts = records.map((record) => ({
        ...record,
        key: asText(record.key as Uint8Array),
        value: asText(record.value as Uint8Array),
      }))
      expect(buildGolden(golden, texts)).toBe(golden.bytes)
    },
  )

  test('are all there', () => {
    expect(uncompressedBatches.length).toBe(15)
  })
})

describe('any records', () => {
  test('are written as the format says', () => {
    const reused = new RecordBatchBuilder(1 << 20)
    fc.assert(
      fc.property(fc.array(sentRecords, { minLength: 1, maxLength: 12 }), (records) => {
        const expected = plainBatch(records.map(toPlain))
        for (const way of [append, appendPlainly]) {
          reused.reset()
          for (const record of records) expect(way(reused, record)).toBe(true)
          expect(reused.recordCount).toBe(records.length)
          expect(reused.sizeInBytes).toBe(expected.length)
          expect(sealed(reused)).toBe(toHex(expected))
        }
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('are refused just when there is no room, and leave the batch as it was', () => {
    let refused = 0
    fc.assert(
      fc.property(fc.array(sentRecords, { minLength: 2, maxLength: 8 }), fc.double({ min: 0, max: 1.1, noNaN: true }), (records, share) => {
        const whole = plainBatch(records.map(toPlain), { withCrc: false }).length
        const builder = new RecordBatchBuilder(BATCH_HEADER_BYTES + Math.floor((whole - BATCH_HEADER_BYTES) * share))
        const taken: SentRecord[] = []
        for (const record of records) {
          const fits = plainBatch([...taken, record].map(toPlain), { withCrc: false }).length <= builder.bytes.length
          expect(append(builder, record)).toBe(fits)
          if (fits) taken.push(record)
          else refused++
          expect(builder.recordCount).toBe(taken.length)
          if (taken.length > 0) expect(sealed(builder)).toBe(toHex(plainBatch(taken.map(toPlain))))
          else expect(builder.sizeInBytes).toBe(BATCH_HEADER_BYTES)
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
    expect(refused).toBeGreaterThan(300)
  })

  test('alone take no more than their upper bound', () => {
    fc.assert(
      fc.property(sentRecords, (record) => {
        const bound = RecordBatchBuilder.sizeUpperBound(record.key, record.value, toEncoded(record.headers))
        const size = plainBatch([toPlain(record)], { withCrc: false }).length
        expect(bound).toBeGreaterThanOrEqual(size)
        expect(append(new RecordBatchBuilder(bound), record)).toBe(true)
      }),
      { seed: SEED, numRuns: 300 },
    )
  })
})

describe('the edges of memory', () => {
  const texts = [
    '',
    'a',
    'abcdefghijkl',
    'abcdefghijklm',
    'ü',
    'üüüüüü',
    'aaaaaaaaaaaaaü',
    '😀',
    '\ud83d',
    'x'.repeat(62),
    `${'x'.repeat(61)}é`,
    // Cut off where the first seven end, its bytes are as many as its characters.
    `${'é'.repeat(7)}${'中'.repeat(7)}`,
  ]
  const values: readonly RecordBytes[] = [null, new Uint8Array(0), new Uint8Array(16), new Uint8Array(17), new Uint8Array(64), ...texts]

  test('a record fits in the bytes it takes and in no less', () => {
    for (const key of values) {
      for (const value of values) {
        const record = { timestamp: MS, key, value, headers: null }
        const size = plainBatch([toPlain(record)], { withCrc: false }).length
        for (let capacity = BATCH_HEADER_BYTES; capacity < size; capacity++) {
          for (const way of [append, appendPlainly]) {
            if (way(new RecordBatchBuilder(capacity), record)) expect.fail(`fits in ${capacity} of ${size} bytes`)
          }
        }
        for (const way of [append, appendPlainly]) {
          const builder = new RecordBatchBuilder(size)
          expect(way(builder, record)).toBe(true)
          expect(sealed(builder)).toBe(toHex(plainBatch([toPlain(record)])))
        }
      }
    }
  })

  test('fields and records are written right beside the sizes where their numbers grow', () => {
    const lengths = [0, 16, 17, 62, 63, 64, 4_070, 4_079, 4_080, 4_081, 8_170, 8_191, 8_192]
    const builder = new RecordBatchBuilder(1 << 16)
    for (const keyBytes of lengths) {
      for (const valueBytes of lengths) {
        builder.reset()
        const records = [new Uint8Array(valueBytes).fill(7), 'v'.repeat(valueBytes)].flatMap((value) => [
          { timestamp: MS, key: 'k'.repeat(keyBytes), value, headers: null },
          { timestamp: MS, key: null, value, headers: null },
        ])
        for (const record of records) expect(append(builder, record)).toBe(true)
        expect(sealed(builder)).toBe(toHex(plainBatch(records.map(toPlain))))
      }
    }
  })

  test('a full batch takes nothing more, and memory is at least a header', () => {
    const builder = new RecordBatchBuilder(100)
    expect(builder.bytes.length).toBe(100)
    expect(builder.append(MS, null, '😀'.repeat(1_000), null)).toBe(false)
    expect(builder.append(MS, null, 'x'.repeat(32), null)).toBe(true)
    expect(builder.sizeInBytes).toBe(100)
    expect(builder.append(MS, null, null, null)).toBe(false)
    expect(() => new RecordBatchBuilder(60)).toThrow(ASSERTION_FAILED)
    expect(new RecordBatchBuilder(61).append(MS, null, null, null)).toBe(false)
  })
})

describe('many records', () => {
  test('go on beyond the counts that the short way takes', () => {
    const builder = new RecordBatchBuilder(1 << 20)
    const records: SentRecord[] = []
    for (let i = 0; i < 20_000; i++) {
      const record = { timestamp: MS + (i % 7), key: i % 3 === 0 ? 'k' : null, value: Uint8Array.of(i, i >> 8), headers: null }
      expect(append(builder, record)).toBe(true)
      records.push(record)
    }
    expect(sealed(builder)).toBe(toHex(plainBatch(records.map(toPlain))))
  })

  test('headers of all sizes behind a key, and room for just them', () => {
    for (const length of [0, 1, 12, 13, 62, 63, 64, 65, 4_060, 4_079, 4_080, 9_000, 30_000]) {
      for (const unit of ['x', 'é', '中']) {
        const headers = [
          { key: unit.repeat(length), value: unit.repeat(length % 100) },
          { key: 'n', value: new Uint8Array(length) },
          { key: '', value: null },
        ]
        const record = { timestamp: MS, key: 'key', value: new Uint8Array(3), headers }
        const expected = plainBatch([toPlain(record)])
        for (const way of [append, appendPlainly]) {
          expect(way(new RecordBatchBuilder(expected.length - 1), record)).toBe(false)
          const builder = new RecordBatchBuilder(expected.length)
          expect(way(builder, record)).toBe(true)
          expect(sealed(builder)).toBe(toHex(expected))
        }
      }
    }
  })

  test('many headers', () => {
    const headers = Array.from({ length: 200 }, (_, i) => ({ key: `header-${i}`, value: i % 2 === 0 ? null : new Uint8Array(i) }))
    const record = { timestamp: MS, key: null, value: null, headers }
    const builder = new RecordBatchBuilder(1 << 16)
    expect(append(builder, record)).toBe(true)
    expect(sealed(builder)).toBe(toHex(plainBatch([toPlain(record)])))
  })
})

test('a batch that moves to other memory again and again is the one that never moved', () => {
  const builder = new RecordBatchBuilder(80)
  const records: SentRecord[] = []
  for (let i = 0; i < 500; i++) {
    const record = { timestamp: MS + (i % 5), key: i % 3 === 0 ? `key-${i}` : null, value: new Uint8Array(i % 40).fill(i), headers: null }
    if (!append(builder, record)) {
      const larger = new RecordBatchBuilder(builder.bytes.length * 2)
      append(larger, { timestamp: 1, key: null, value: null, headers: null })
      const { bytes } = builder
      builder.exchangeMemory(larger)
      expect(larger.bytes).toBe(bytes)
      expect([larger.recordCount, larger.sizeInBytes]).toEqual([0, BATCH_HEADER_BYTES])
      expect(append(builder, record)).toBe(true)
    }
    records.push(record)
  }
  expect(sealed(builder)).toBe(toHex(plainBatch(records.map(toPlain))))
  expect(() => builder.exchangeMemory(new RecordBatchBuilder(100))).toThrow(ASSERTION_FAILED)
})

test('a header whose value is a text is written as its UTF-8', () => {
  const texts = ['', 'web', 'héllo 😀', 'a longer text that a loop does not copy', '\ud800']
  const written = (value: (text: string) => string | Uint8Array): Buffer => {
    const builder = new RecordBatchBuilder(1_000)
    const headers = texts.map((text) => ({ key: 'source', value: value(text) }))
    expect(append(builder, { timestamp: 1, key: null, value: null, headers })).toBe(true)
    return Buffer.from(builder.bytes.subarray(0, builder.seal({ withCrc: false })))
  }
  expect(written((text) => text)).toEqual(written((text) => new TextEncoder().encode(text)))
})

test('a text is written the same however the engine keeps it', () => {
  const wide = `中${'abcdefghijklmnopqrstuvwxyz'.repeat(3)}`
  const rope = ['left-', 'right-'].reduce((text, part) => text + part.repeat(4), '')
  const latin = Buffer.from('caf\u00e9 au lait, encore et encore', 'latin1').toString('latin1')
  const texts = [wide.slice(1), wide.slice(1, 9), rope, `${rope}${wide}`, latin, latin.slice(0, 3), latin.slice(0, 4), `${latin}${latin}`]
  for (const text of texts) {
    const record = { timestamp: MS, key: text, value: text, headers: [{ key: text, value: null }] }
    const builder = new RecordBatchBuilder(4_096)
    expect(append(builder, { ...record, headers: null })).toBe(true)
    expect(append(builder, record)).toBe(true)
    expect(sealed(builder)).toBe(toHex(plainBatch([toPlain({ ...record, headers: null }), toPlain(record)])))
  }
})

describe('timestamps', () => {
  test('that are none are refused, and change nothing', () => {
    const builder = new RecordBatchBuilder(1_024)
    builder.append(MS, null, 'first', null)
    const before = sealed(builder)
    for (const timestamp of [Number.NaN, 1.5, -2, Number.POSITIVE_INFINITY, TIMESTAMP_MAX + 1, 2 ** 53, -0.5, 1e300]) {
      expect(() => builder.append(timestamp, null, 'x', null), `${timestamp}`).toThrow(INVALID_TIMESTAMP)
      expect(sealed(builder)).toBe(before)
    }
    expect(() => new RecordBatchBuilder(100).append(Number.NaN, null, 'x', null)).toThrow(INVALID_TIMESTAMP)
    builder.append(MS, null, 'second', null)
    const records = ['first', 'second'].map((value) => toPlain({ timestamp: MS, key: null, value, headers: null }))
    expect(sealed(builder)).toBe(toHex(plainBatch(records)))
  })

  test('as far apart as can be are written so that they can be read', () => {
    for (const [first, second] of [
      [-1, TIMESTAMP_MAX],
      [TIMESTAMP_MAX, -1],
      [0, 8_191],
      [8_192, 0],
      [8_191, 0],
      [0, 8_192],
    ] as const) {
      const builder = new RecordBatchBuilder(1_024)
      for (const timestamp of [first, second]) expect(builder.append(timestamp, null, null, null)).toBe(true)
      const bytes = builder.bytes.slice(0, builder.seal({ withCrc: true })) as Uint8Array<ArrayBuffer>
      expect(plainWalk(bytes).records.map(({ timestamp }) => timestamp)).toEqual([first, second])
    }
  })

  test('of a refused record leave no trace in the maximum or the base', () => {
    const builder = new RecordBatchBuilder(100)
    expect(builder.append(MS + 9_000, null, 'x'.repeat(200), null)).toBe(false)
    expect(builder.append(MS, null, 'a', null)).toBe(true)
    expect(builder.append(MS + 9_000, null, 'x'.repeat(200), null)).toBe(false)
    expect(builder.append(MS - 9_000, null, 'x'.repeat(200), null)).toBe(false)
    expect(builder.append(MS + 1, null, 'b', null)).toBe(true)
    const records = ['a', 'b'].map((value, i) => toPlain({ timestamp: MS + i, key: null, value, headers: null }))
    expect(sealed(builder)).toBe(toHex(plainBatch(records)))
  })
})

describe('seal', () => {
  test('may be called again: after more records, with another epoch and sequence, without CRC', () => {
    const builder = new RecordBatchBuilder(1_024)
    const records = ['a', 'b', 'c'].map((value, i) => ({ timestamp: MS + i, key: null, value, headers: null }))
    append(builder, records[0]!)
    expect(sealed(builder)).toBe(toHex(plainBatch([toPlain(records[0]!)])))
    append(builder, records[1]!)
    append(builder, records[2]!)
    const fields = { producerId: 9, producerEpoch: 1, baseSequence: 5 }
    const attributes = ATTRIBUTE_CONTROL | ATTRIBUTE_TRANSACTIONAL
    const size = builder.seal({ withCrc: false, ...fields, attributes })
    expect(size).toBe(builder.sizeInBytes)
    const expected = plainBatch(records.map(toPlain), { ...fields, attributes, withCrc: false })
    expect(toHex(builder.bytes, 0, size)).toBe(toHex(expected))
    expect(sealed(builder)).toBe(toHex(plainBatch(records.map(toPlain))))
  })

  test('refuses a batch without records, and compression', () => {
    const builder = new RecordBatchBuilder(1_024)
    expect(() => builder.seal({ withCrc: true })).toThrow(ASSERTION_FAILED)
    builder.append(MS, null, 'a', null)
    expect(() => builder.seal({ withCrc: true, attributes: 1 })).toThrow(ASSERTION_FAILED)
    builder.reset()
    expect(builder.recordCount).toBe(0)
    expect(builder.sizeInBytes).toBe(BATCH_HEADER_BYTES)
    expect(() => builder.seal({ withCrc: true })).toThrow(ASSERTION_FAILED)
  })
})
