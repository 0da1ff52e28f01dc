import { describe, expect, test } from 'vitest'
import { leaderChangeBatch, readControlRecord, snapshotMarkBatch, transactionMarkerBatch } from '../../src/record/control-record.ts'
import type { LeaderChange } from '../../src/record/control-record.ts'
import { ATTRIBUTE_CONTROL } from '../../src/record/record-batch-layout.ts'
import { stampBatch } from '../../src/record/record-batch.ts'
import { validateBatch } from '../../src/record/validate-batch.ts'
import { FencedMemory } from './fenced-memory.ts'
import { fromHex, goldenControls, toHex, uncompressedBatches } from './golden-batches.ts'
import { plainBatch } from './plain-batch.ts'
import type { Bytes } from './plain-batch.ts'

const CORRUPT = expect.objectContaining({ name: 'MillraceError', code: 'CORRUPT_MESSAGE' }) as Error
const MS = 1_700_000_000_000

/** The first batch of a log of Kafka 4.3.1's controller: node 1, alone, becomes its leader. */
const GOLDEN_LEADER_CHANGE =
  '0000000000000000' +
  '0000004f000000010258e5f2b600200000000000' +
  '0001a20668d406000001a20668d406ffffffffffffffffffffffffffff000000013a0000' +
  '000800000002260000000000010200000001000200000001000000'

function read(bytes: Uint8Array): ReturnType<typeof readControlRecord> {
  const around = new Uint8Array(bytes.length + 10).fill(0x01)
  around.set(bytes, 5)
  return readControlRecord(around, 5, 5 + bytes.length)
}

/** A control batch of this key and value. */
function control(key: readonly number[] | null, value: readonly number[] | null): Bytes {
  const record = { timestamp: MS, key: key && Uint8Array.from(key), value: value && Uint8Array.from(value), headers: [] }
  return plainBatch([record], { attributes: ATTRIBUTE_CONTROL })
}

describe('the end of a transaction', () => {
  test.each(goldenControls.map((golden) => [golden.name, golden] as const))("%s: Kafka's bytes, both ways", (type, golden) => {
    const { producerId, producerEpoch, coordinatorEpoch, timestamp, baseOffset, leaderEpoch } = golden
    const marker = { type, producerId, producerEpoch, coordinatorEpoch }
    const bytes = transactionMarkerBatch(marker, timestamp)
    stampBatch(bytes, 0, baseOffset, leaderEpoch)
    expect(toHex(bytes)).toBe(golden.bytes)
    expect(read(fromHex(golden.bytes))).toEqual(marker)
  })

  test('of a later version is read as far as it is known', () => {
    expect(read(control([0, 3, 0, 1], [0, 9, 0, 0, 1, 2, 99]))).toMatchObject({ type: 'COMMIT', coordinatorEpoch: 258 })
  })

  test('that is damaged is refused', () => {
    for (const value of [null, [], [0, 0, 0, 0, 0], [0xff, 0xff, 0, 0, 0, 0]]) {
      expect(() => read(control([0, 0, 0, 1], value)), JSON.stringify(value)).toThrow(CORRUPT)
    }
  })
})

describe('a change of leader', () => {
  test("is Kafka's bytes, both ways", () => {
    const change: LeaderChange = { type: 'LEADER_CHANGE', leaderId: 1, voterIds: [1], grantingVoterIds: [1] }
    const golden = fromHex(GOLDEN_LEADER_CHANGE)
    validateBatch(golden, 0, golden.length, { crc: true })
    expect(read(golden)).toEqual(change)
    const bytes = leaderChangeBatch(change, 0x1a2_0668_d406)
    stampBatch(bytes, 0, 0, 1)
    expect(toHex(bytes)).toBe(GOLDEN_LEADER_CHANGE)
  })

  test('of any number of voters comes back', () => {
    for (const count of [0, 2, 3, 126, 127, 128, 20_000]) {
      const voterIds = Array.from({ length: count }, (_, i) => i * 100_003)
      const change: LeaderChange = { type: 'LEADER_CHANGE', leaderId: 2 ** 31 - 1, voterIds, grantingVoterIds: voterIds.slice(1) }
      const bytes = leaderChangeBatch(change, MS)
      validateBatch(bytes, 0, bytes.length, { crc: true })
      expect(read(bytes)).toEqual(change)
    }
  })

  const KEY = [0, 0, 0, 2]
  const DIRECTORY_ID = new Array<number>(16).fill(0xab)

  test('of version 1 has directory ids, of any version tags: both are passed over', () => {
    const voter = [0, 0, 0, 7, ...DIRECTORY_ID, 0]
    expect(read(control(KEY, [0, 1, 0, 0, 0, 7, 2, ...voter, 1, 0]))).toEqual({
      type: 'LEADER_CHANGE',
      leaderId: 7,
      voterIds: [7],
      grantingVoterIds: [],
    })
    const tags = [2, 0, 3, 9, 9, 9, 5, 0]
    expect(read(control(KEY, [0, 0, 0, 0, 0, 7, 2, 0, 0, 0, 8, ...tags, 1, ...tags]))).toMatchObject({ voterIds: [8] })
  })

  test.each<[string, readonly number[] | null]>([
    ['no value', null],
    ['a value that ends in its leader', [0, 0, 0, 0, 0]],
    ['a version that is not known', [0, 2, 0, 0, 0, 7, 1, 1, 0]],
    ['no voters', [0, 0, 0, 0, 0, 7, 0, 1, 0]],
    ['more voters than bytes', [0, 0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 0]],
    ['voters that end early', [0, 0, 0, 0, 0, 7, 3, 0, 0, 0, 8, 1, 0, 3, 1, 2, 3, 1]],
    ['more tags than bytes', [0, 0, 0, 0, 0, 7, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['a negative number of tags', [0, 0, 0, 0, 0, 7, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a tag longer than the rest', [0, 0, 0, 0, 0, 7, 1, 1, 1, 0, 9, 1]],
    ['voters that end in an id', [0, 0, 0, 0, 0, 7, 2, 0, 0]],
    ['voters that end in a directory id', [0, 1, 0, 0, 0, 7, 2, 0, 0, 0, 1, 0xab]],
    ['tags that go back to the first, for ever', [0, 0, 0, 0, 0, 7, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0xfa, 0xff, 0xff, 0xff, 0x0f]],
    ['bytes behind it', [0, 0, 0, 0, 0, 7, 1, 1, 0, 0]],
  ])('with %s is refused, and read no further than it is', (_, value) => {
    const bytes = control(KEY, value)
    expect(() => read(bytes)).toThrow(CORRUPT)
    const outside = new FencedMemory(1_000).readOutside(bytes, 500, (fenced, end) => {
      expect(() => readControlRecord(fenced, 500, end)).toThrow(CORRUPT)
    })
    expect(outside).toEqual([])
  })
})

describe('a mark of a snapshot', () => {
  test.each(['SNAPSHOT_HEADER', 'SNAPSHOT_FOOTER'] as const)('%s: its value comes back, in a whole batch', (type) => {
    const bytes = snapshotMarkBatch({ type, value: new Uint8Array([0, 0, 0, 1, 2]) }, MS)
    validateBatch(bytes, 0, bytes.length, { crc: true })
    expect(read(bytes)).toEqual({ type, value: new Uint8Array([0, 0, 0, 1, 2]) })
  })

  test('without a value has an empty one', () => {
    expect(read(control([0, 0, 0, 3], null))).toEqual({ type: 'SNAPSHOT_HEADER', value: new Uint8Array(0) })
  })
})

describe('a control record', () => {
  test('of another type is there to be passed over', () => {
    for (const type of [5, 6, 7, 0x7fff]) expect(read(control([0, 0, type >> 8, type & 0xff], null))).toEqual({ type: 'UNKNOWN' })
  })

  test('without a key of its own is refused', () => {
    for (const key of [null, [], [0, 0, 0], [0xff, 0xff, 0, 1]])
      expect(() => read(control(key, [0, 0, 0, 0, 0, 0])), JSON.stringify(key)).toThrow(CORRUPT)
  })

  test('is found in control batches only', () => {
    expect(() => read(fromHex(uncompressedBatches[0]!.bytes))).toThrow(CORRUPT)
    expect(() => read(plainBatch([], { attributes: ATTRIBUTE_CONTROL, lastOffsetDelta: 0 }))).toThrow(CORRUPT)
    expect(() => readControlRecord(new Uint8Array(0), 0, 0)).toThrow(CORRUPT)
  })
})
