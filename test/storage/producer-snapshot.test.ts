import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../src/record/crc32c.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../src/storage/producer-snapshot.ts'
import { PATH, damaged, damages, readOrRefused, refusalOf } from './damage.ts'
import type { ProducerSnapshotEntry } from '../../src/storage/producer-snapshot.ts'

const SEED = 5

const someEntry: fc.Arbitrary<ProducerSnapshotEntry> = fc.record({
  producerId: fc.maxSafeNat(),
  producerEpoch: fc.nat(0x7fff),
  lastSequence: fc.integer({ min: -1, max: 0x7fff_ffff }),
  lastOffset: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
  offsetDelta: fc.nat(0x7fff_ffff),
  timestampMs: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
  coordinatorEpoch: fc.integer({ min: -1, max: 0x7fff_ffff }),
  currentTransactionFirstOffset: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
})

/** With the CRC that its bytes give. */
function sealed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 10) return bytes
  const copy = bytes.slice()
  new DataView(copy.buffer).setUint32(2, crc32c(copy, 6, copy.length))
  return copy
}

test('what was encoded is decoded', () => {
  fc.assert(
    fc.property(fc.array(someEntry, { maxLength: 20 }), (entries) => {
      const bytes = encodeProducerSnapshot(entries)
      expect(bytes).toHaveLength(10 + 46 * entries.length)
      expect(decodeProducerSnapshot(PATH, bytes)).toEqual(entries)
    }),
    { seed: SEED, numRuns: 200 },
  )
})

const [ENTRY] = fc.sample(someEntry, { seed: SEED, numRuns: 1 })
const ONE = encodeProducerSnapshot([ENTRY!])

test.each([
  ['nothing', new Uint8Array(0), 'KAFKA_STORAGE_ERROR', '0 bytes'],
  ['half a header', ONE.slice(0, 9), 'KAFKA_STORAGE_ERROR', '9 bytes'],
  ['a newer version', ONE.with(1, 2), 'UNSUPPORTED_VERSION', 'version 2'],
  ['an older version', ONE.with(1, 0), 'KAFKA_STORAGE_ERROR', 'byte 0'],
  ['a flipped bit', ONE.with(30, ONE[30]! ^ 4), 'KAFKA_STORAGE_ERROR', 'CRC'],
  ['less than it counts', sealed(ONE.slice(0, 50)), 'KAFKA_STORAGE_ERROR', 'count of 1'],
  ['more than it counts', sealed(ONE.with(9, 0)), 'KAFKA_STORAGE_ERROR', 'count of 0'],
  ['a negative count', sealed(ONE.with(6, 0xff)), 'KAFKA_STORAGE_ERROR', 'count of -'],
  ['a producer without an id', sealed(ONE.with(10, 0xff)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
  ['a negative epoch', sealed(ONE.with(18, 0xff)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
  ['a sequence below -1', sealed(ONE.with(20, 0xff).with(23, 0)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
  ['a negative offset', sealed(ONE.with(24, 0xff).with(25, 0xff)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
  ['a negative delta', sealed(ONE.with(32, 0xff)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
  ['a negative timestamp', sealed(ONE.with(36, 0xff).with(37, 0xff)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
  ['a transaction that begins below -1', sealed(ONE.with(48, 0xff).with(49, 0xff)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
  ['an offset beyond 2^53', sealed(ONE.with(24, 0x7f)), 'KAFKA_STORAGE_ERROR', 'byte 10'],
])('%s is refused', (_, bytes, code, place) => {
  const error = refusalOf(() => decodeProducerSnapshot(PATH, bytes))
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(place)])
})

test('damage is refused, also with a CRC that fits, or gives entries', () => {
  let refused = 0
  fc.assert(
    fc.property(fc.array(someEntry, { maxLength: 5 }), damages, fc.boolean(), (entries, done, isSealed) => {
      const whole = encodeProducerSnapshot(entries)
      const bytes = damaged(whole, done)
      const read = readOrRefused(() => decodeProducerSnapshot(PATH, isSealed ? sealed(bytes) : bytes))
      if (read === undefined) refused++
      else if (!isSealed) expect(bytes).toEqual(whole)
    }),
    { seed: SEED, numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})
